// The packed vocabulary, read in place.

import { equal } from "./bytes.js";

// Flags of a vocabulary entry.
export const InModel = 1, IsAdded = 2, IsSpecial = 4, HasForm = 8, IsByte = 16;

// product holds the last 128-bit product of multiply, least significant word first.
const product = new Uint32Array(4);

// wide puts the 64-bit product of two 32-bit numbers into lo and hi.
let lo = 0, hi = 0;
function wide(a, b) {
  const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16;
  const mid = ah * bl + ((al * bl) >>> 16);
  const mid2 = al * bh + (mid % 65536);
  hi = (ah * bh + Math.floor(mid / 65536) + Math.floor(mid2 / 65536)) >>> 0;
  lo = Math.imul(a, b) >>> 0;
}

// multiply sets product to the product of two 64-bit numbers of two words each.
function multiply(x0, x1, y0, y1) {
  wide(x0, y0);
  const p0 = lo, p1 = hi;
  wide(x1, y0);
  const q0 = lo, q1 = hi;
  wide(x0, y1);
  const r0 = lo, r1 = hi;
  wide(x1, y1);
  const second = p1 + q0 + r0;
  const third = q1 + r1 + lo + Math.floor(second / 4294967296);
  product[0] = p0;
  product[1] = second % 4294967296;
  product[2] = third % 4294967296;
  product[3] = hi + Math.floor(third / 4294967296);
}

const K0 = 0x7f4a7c15, K1 = 0x9e3779b9;

// hashBytes is a multiply-and-fold hash over 8 bytes at a time. It is part of the packed form.
export function hashBytes(s, length = s.length) {
  multiply(length, 0, K0, K1);
  let h0 = product[0], h1 = product[1], i = 0;
  for (; i + 8 <= length; i += 8) {
    h0 ^= s[i] | (s[i + 1] << 8) | (s[i + 2] << 16) | (s[i + 3] << 24);
    h1 ^= s[i + 4] | (s[i + 5] << 8) | (s[i + 6] << 16) | (s[i + 7] << 24);
    multiply(h0 >>> 0, h1 >>> 0, K0, K1);
    h0 = product[0] ^ product[2];
    h1 = product[1] ^ product[3];
  }
  let t0 = 0, t1 = 0;
  for (let k = length - 1; k >= i; k--) {
    t1 = ((t1 << 8) | (t0 >>> 24)) >>> 0;
    t0 = ((t0 << 8) | s[k]) >>> 0;
  }
  multiply((h0 ^ t0) >>> 0, (h1 ^ t1) >>> 0, 0x6659fd93, 0xd6e8feb8);
  return (product[0] ^ product[2]) >>> 0;
}

// hashPair hashes a pair of ids. It is part of the packed form.
export function hashPair(a, b) {
  multiply(b >>> 0, a >>> 0, K0, K1);
  return (product[0] ^ product[2]) >>> 0;
}

export class Vocab {
  constructor(offsets, texts, flags, hash, forms) {
    if (offsets.length !== flags.length + 1) throw new Error(`tokenizer: ${offsets.length} offsets for ${flags.length} tokens`);
    Object.assign(this, { offsets, texts, flags, hash, mask: checkHash(hash, flags.length, "vocabulary"), forms, longest: 0 });
    for (let i = 0; i < flags.length; i++) {
      if (offsets[i + 1] < offsets[i] || offsets[i + 1] > texts.length) throw new Error(`tokenizer: token ${i} has no valid range of text`);
      this.longest = Math.max(this.longest, offsets[i + 1] - offsets[i]);
    }
  }

  get size() {
    return this.flags.length;
  }

  has(id) {
    return id >= 0 && id < this.flags.length && this.flags[id] !== 0;
  }

  bytes(id) {
    return this.texts.subarray(this.offsets[id], this.offsets[id + 1]);
  }

  // find returns the id of a token that has one of the flags, -1 if there is none.
  find(s, flag, length = s.length) {
    if (length > this.longest) return -1;
    for (let i = hashBytes(s, length); ; i++) {
      const slot = this.hash[i & this.mask];
      if (slot === 0) return -1;
      const id = slot - 1;
      if (this.flags[id] & flag && this.is(id, s, length)) return id;
    }
  }

  is(id, s, length) {
    const at = this.offsets[id];
    if (this.offsets[id + 1] - at !== length) return false;
    for (let k = 0; k < length; k++) if (this.texts[at + k] !== s[k]) return false;
    return true;
  }
}

// checkHash checks that a table has 2^k slots, that each points at one of n entries and that one is free.
export function checkHash(hash, n, what) {
  const slots = hash.length;
  if (slots === 0 || (slots & (slots - 1)) !== 0) throw new Error(`tokenizer: the ${what}'s table has ${slots} slots`);
  let free = false;
  for (const v of hash) {
    if (v > n) throw new Error(`tokenizer: the ${what}'s table names entry ${v - 1} of ${n}`);
    free ||= v === 0;
  }
  if (!free) throw new Error(`tokenizer: the ${what}'s table is full`);
  return slots - 1;
}

export { equal };
