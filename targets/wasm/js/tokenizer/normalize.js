// Normalizers: functions from bytes to bytes. Kinds and arguments are those of runtime/tokenizer/format.go.

import { Buffer, decodeRune, indexOf, rune, text, utf8 } from "./bytes.js";
import { C, classOf, spaceBefore, spaceRun } from "./classes.js";
import { replacedMatches } from "./program.js";
import { precompiled, sentencePiece } from "./unigram.js";

// perRune makes a normalizer of f(rune, out, b, i), which writes what becomes of a character.
const perRune = (f) => (b) => {
  const out = new Buffer(b.length + 16);
  for (let i = 0; i < b.length; ) {
    const r = decodeRune(b, i, b.length), size = rune.size;
    f(r, out, b, i, size);
    i += size;
  }
  return out.view();
};

const marks = /\p{M}/gu;

// form is a normal form of Unicode 9, as the reference has it: marks that came later neither move nor compose, so that they
// part the text.
const form = (name) => () => (b) => {
  const s = text(b);
  let out = "", done = 0;
  for (const { 0: mark, index } of s.matchAll(marks)) {
    if (classOf(mark.codePointAt(0)) & C.Accent) continue;
    out += s.slice(done, index).normalize(name) + mark;
    done = index + mark.length;
  }
  return utf8(out + s.slice(done).normalize(name));
};

function lower(r, out) {
  if (r < 0x80) out.byte(r >= 0x41 && r <= 0x5a ? r | 0x20 : r);
  else if (r === 0x130) out.bytes(utf8("i\u0307"));
  else {
    const s = String.fromCodePoint(r).toLowerCase();
    out.rune(s.length <= 2 && s.codePointAt(0) > 0xffff === s.length > 1 ? s.codePointAt(0) : r);
  }
}

const without = (set) => () => perRune((r, out, b, i, n) => { if (!(classOf(r) & set)) out.bytes(b, i, i + n); });

// clean drops NUL, U+FFFD and control characters, and writes all white space as a space.
const clean = perRune((r, out, b, i, n) => {
  const c = classOf(r);
  if (r === 9 || r === 10 || r === 13) out.byte(0x20);
  else if (r === 0 || r === 0xfffd || c & C.Other) return;
  else if (c & C.Space) out.byte(0x20);
  else out.bytes(b, i, i + n);
});

const ideographs = [0x4e00, 0x9fff, 0x3400, 0x4dbf, 0x20000, 0x2a6df, 0x2a700, 0x2b73f, 0x2b740, 0x2b81f, 0x2b920, 0x2ceaf, 0xf900, 0xfaff, 0x2f800, 0x2fa1f];

function isIdeograph(r) {
  for (let i = 0; i < ideographs.length; i += 2) if (r >= ideographs[i] && r <= ideographs[i + 1]) return true;
  return false;
}

const han = perRune((r, out, b, i, n) => {
  const alone = isIdeograph(r);
  if (alone) out.byte(0x20);
  out.bytes(b, i, i + n);
  if (alone) out.byte(0x20);
});

const nmtSpaces = new Set([9, 10, 12, 13, 0x1680, 0x2028, 0x2029, 0x2581, 0xfeff, 0xfffd]);

const nmt = perRune((r, out, b, i, n) => {
  if ((r >= 1 && r <= 8) || r === 0xb || (r >= 0xe && r <= 0x1f) || r === 0x7f || r === 0x8f || r === 0x9f) return;
  if ((r >= 0x200b && r <= 0x200f) || nmtSpaces.has(r)) out.byte(0x20);
  else out.bytes(b, i, i + n);
});

// replaced writes b with all from replaced by to.
export function replaced(b, from, to) {
  let at = indexOf(b, from, 0, b.length);
  if (at < 0) return b;
  const out = new Buffer(b.length + 16);
  let done = 0;
  for (; at >= 0; at = indexOf(b, from, done, b.length)) {
    out.bytes(b, done, at);
    out.bytes(to);
    done = at + from.length;
  }
  out.bytes(b, done);
  return out.view();
}

function replacedPattern(b, scan, to) {
  const out = new Buffer(b.length + 16);
  for (let i = 0; i < b.length; ) {
    const n = scan(b, i, b.length);
    if (n > 0) {
      out.bytes(to);
      i += n;
    } else {
      decodeRune(b, i, b.length);
      out.bytes(b, i, i + rune.size);
      i += rune.size;
    }
  }
  return out.view();
}

// byteChars is GPT-2's bytes_to_unicode: printable bytes stand for themselves, the others follow from U+0100.
export const byteChars = (() => {
  const t = new Uint16Array(256);
  let n = 256;
  for (let b = 0; b < 256; b++) t[b] = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae ? b : n++;
  return t;
})();

export function mapBytes(b) {
  const out = new Buffer(2 * b.length + 1);
  for (const c of b) out.rune(byteChars[c]);
  return out.view();
}

// normalizers makes the normalizer of a step from its arguments, by kind.
export const normalizers = {
  1: form("NFC"),
  2: form("NFD"),
  3: form("NFKC"),
  4: form("NFKD"),
  5: () => perRune(lower),
  6: (a) => {
    const left = a.flag(), right = a.flag();
    return (b) => {
      const lo = left ? spaceRun(b, 0, b.length) : 0;
      return b.subarray(lo, right && lo < b.length ? spaceBefore(b, lo, b.length) : b.length);
    };
  },
  7: without(C.Accent),
  8: (a) => { const from = a.str(), to = a.str(); return (b) => replaced(b, from, to); },
  9: (a) => { const scan = a.scanner(), to = a.str(); return (b) => replacedPattern(b, scan, to); },
  10: (a) => { const s = a.str(); return (b) => (b.length === 0 ? b : joined(s, b)); },
  11: () => clean,
  12: () => han,
  13: without(C.Mn),
  14: () => nmt,
  15: () => mapBytes,
  16: precompiled,
  17: (a) => { const program = a.program(), to = a.str(); return (b) => replacedMatches(program, b, to); },
  18: sentencePiece,
};

export function joined(a, b) {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
