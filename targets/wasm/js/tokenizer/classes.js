// Classes of characters, as bits: those of runtime/tokenizer, whose tables come with the model, so that ids do not depend on
// the Unicode edition of the browser.

import { decodeRune, decodeLastRune, rune } from "./bytes.js";

const bits = ["Lu", "Ll", "Lt", "Lm", "Lo", "M", "N", "P", "S", "Space", "Word", "Numeric", "Punct", "Mn", "Accent", "Other"];

// C holds the bit of each class by its name; L is all letters.
export const C = Object.fromEntries(bits.map((name, i) => [name, 1 << i]));
C.L = C.Lu | C.Ll | C.Lt | C.Lm | C.Lo;

const blockBits = 7;
const table = { block: new Uint16Array((0x10ffff + 1) >> blockBits), data: new Uint16Array(1 << blockBits), ready: false };

// loadClasses fills the table from ranges: for each the distance from the end of the one before, its length and its class, all
// as unsigned LEB128.
export function loadClasses(packed) {
  if (table.ready) return;
  let at = 0;
  const number = () => {
    let v = 0;
    for (let shift = 0; ; shift += 7) {
      const c = packed[at++];
      v |= (c & 0x7f) << shift;
      if (c < 0x80) return v;
    }
  };
  const data = [new Uint16Array(1 << blockBits)];
  for (let code = 0; at < packed.length; ) {
    code += number();
    const end = code + number();
    const set = number();
    for (; code < end; code++) {
      const b = code >> blockBits;
      if (table.block[b] === 0) {
        table.block[b] = data.length;
        data.push(new Uint16Array(1 << blockBits));
      }
      data[table.block[b]][code & ((1 << blockBits) - 1)] = set;
    }
  }
  table.data = new Uint16Array(data.length << blockBits);
  data.forEach((d, i) => table.data.set(d, i << blockBits));
  table.ready = true;
}

export function classOf(code) {
  return table.data[(table.block[code >> blockBits] << blockBits) | (code & ((1 << blockBits) - 1))];
}

// classAt returns the class of the character at i, 0 at the end; rune has its size.
export function classAt(b, i, end) {
  if (i >= end) {
    rune.size = 0;
    return 0;
  }
  return classOf(decodeRune(b, i, end));
}

// run returns the bytes of the longest run at i of at most limit characters that are of the classes (or, unless of, are not).
export function run(b, i, end, set, limit = -1, of = true) {
  let n = i;
  for (; n < end && limit !== 0; limit--) {
    const c = classOf(decodeRune(b, n, end));
    if (((c & set) !== 0) !== of) break;
    n += rune.size;
  }
  return n - i;
}

// spaceBefore returns where the white space that ends at i begins.
export function spaceBefore(b, lo, i) {
  while (i > lo && classOf(decodeLastRune(b, lo, i)) & C.Space) i -= rune.size;
  return i;
}

export const spaceRun = (b, i, end) => run(b, i, end, C.Space);
