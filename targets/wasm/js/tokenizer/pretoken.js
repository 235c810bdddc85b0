// Pre-tokenizers cut the pieces of a state smaller, and may change their text.

import { Buffer, decodeRune, rune, startsWith, utf8 } from "./bytes.js";
import { C, classAt } from "./classes.js";
import { mapBytes, replaced } from "./normalize.js";
import { scanGPT2, scanWords } from "./patterns.js";
import { matches } from "./program.js";

// Split behaviours: what becomes of the text between pieces.
const Removed = 0, Isolated = 1, MergedWithPrevious = 2, MergedWithNext = 3, Contiguous = 4;

const one = (set) => (b, i, end) => (classAt(b, i, end) & set ? rune.size : 0);
const literal = (s) => (b, i, end) => (startsWith(b, s, i, end) ? s.length : 0);

// cutter returns a pre-tokenizer that splits each piece where scan, or a program in its place, matches.
const cutter = (scan, behaviour, invert = false) => (s) => {
  const next = [], list = typeof scan === "function" ? cuts : programCuts;
  for (const p of s.pieces) {
    if (p.id >= 0) next.push(p);
    else keep(next, list(s.b, p, scan, invert), behaviour, p);
  }
  s.pieces = next.filter((p) => p.id >= 0 || p.lo < p.hi);
};

// programCuts is cuts with a program, whose matches can be empty.
function programCuts(b, p, program, invert) {
  const list = [];
  let done = p.lo;
  for (const [lo, hi] of matches(program, b.subarray(p.lo, p.hi))) {
    if (done < p.lo + lo) list.push({ lo: done, hi: p.lo + lo, match: invert });
    list.push({ lo: p.lo + lo, hi: p.lo + hi, match: !invert });
    done = p.lo + hi;
  }
  if (done < p.hi) list.push({ lo: done, hi: p.hi, match: invert });
  return list;
}

// lengths cuts into pieces of n characters.
const lengths = (n) => (s) => {
  s.pieces = s.pieces.flatMap((p) => {
    if (p.id >= 0) return [p];
    const list = [];
    for (let lo = p.lo, i = p.lo, count = 0; i < p.hi; ) {
      decodeRune(s.b, i, p.hi);
      i += rune.size;
      if (++count < n && i < p.hi) continue;
      list.push({ lo, hi: i, id: -1, first: p.first && lo === p.lo });
      lo = i;
      count = 0;
    }
    return list;
  });
};

// cuts lists the matches of a piece and what lies between: lo, hi, match.
function cuts(b, p, scan, invert) {
  const list = [];
  let done = p.lo;
  for (let i = p.lo; i < p.hi; ) {
    const n = scan(b, i, p.hi);
    if (n === 0) {
      decodeRune(b, i, p.hi);
      i += rune.size;
      continue;
    }
    if (done < i) list.push({ lo: done, hi: i, match: invert });
    list.push({ lo: i, hi: i + n, match: !invert });
    i += n;
    done = i;
  }
  if (done < p.hi) list.push({ lo: done, hi: p.hi, match: invert });
  return list;
}

// keep appends the cuts as pieces in the way the behaviour says.
function keep(next, list, behaviour, from) {
  const first = next.length;
  let before = false; // whether the previous cut was a match
  for (const c of list) {
    let join = false;
    if (behaviour === Removed && c.match) continue;
    if (behaviour === MergedWithPrevious) join = c.match && !before;
    if (behaviour === Contiguous) join = c.match === before;
    if (behaviour === MergedWithNext) join = before && !c.match;
    if (join && next.length > first) next[next.length - 1].hi = c.hi;
    else next.push({ lo: c.lo, hi: c.hi, id: -1, first: from.first && c.lo === from.lo });
    before = c.match;
  }
}

// rewrite replaces the text of each piece that is no added token by what f makes of it.
function rewrite(s, f) {
  const out = new Buffer(s.b.length + 64);
  for (const p of s.pieces) {
    const at = out.length, b = s.b.subarray(p.lo, p.hi);
    out.bytes(p.id >= 0 ? b : f(b, p));
    p.lo = at;
    p.hi = out.length;
  }
  s.b = out.view();
}

// byteLevel writes each byte as a printable character (GPT-2), after splitting by GPT-2's pattern if wanted. With raw the model
// takes bytes and nothing is written.
export function byteLevel(prefix, words) {
  const split = cutter(scanGPT2, Isolated);
  const step = (s) => {
    if (prefix) rewrite(s, (b) => (b[0] === 0x20 ? b : concat(space, b)));
    if (words) split(s);
    if (!step.raw) rewrite(s, mapBytes);
  };
  step.byteLevel = true;
  return step;
}

const space = utf8(" ");

function concat(a, b) {
  const out = new Buffer(a.length + b.length);
  out.bytes(a);
  out.bytes(b);
  return out.view();
}

// Metaspace's schemes: when the replacement is put before a text.
const PrependFirst = 0, PrependAlways = 2;

// metaspace writes a replacement for spaces, puts one before a text, and splits before each.
function metaspace(scheme, cut, replacement) {
  const split = cutter(literal(replacement), MergedWithNext);
  return (s) => {
    rewrite(s, (b, p) => {
      const marked = replaced(b, space, replacement);
      const bare = b[0] !== 0x20 && !startsWith(b, replacement, 0, b.length);
      return bare && (scheme === PrependAlways || (scheme === PrependFirst && p.first)) ? concat(replacement, marked) : marked;
    });
    if (cut) split(s);
  };
}

// preTokenizers makes the pre-tokenizer of a step from its arguments, by kind.
export const preTokenizers = {
  32: (a) => byteLevel(a.flag(), a.flag()),
  33: (a) => { const behaviour = a.num(), invert = a.flag(); return cutter(a.scanner(), behaviour, invert); },
  34: (a) => { const behaviour = a.num(), invert = a.flag(); return cutter(literal(a.str()), behaviour, invert); },
  35: () => cutter(scanWords, Removed, true),
  36: () => cutter(one(C.Space), Removed),
  37: () => {
    const spaces = cutter(one(C.Space), Removed), marks = cutter(one(C.Punct), Isolated);
    return (s) => { spaces(s); marks(s); };
  },
  38: (a) => cutter(one(C.Punct), a.num()),
  39: (a) => cutter(one(C.Numeric), a.flag() ? Isolated : Contiguous),
  40: (a) => { const scheme = a.num(), cut = a.flag(); return metaspace(scheme, cut, a.str()); },
  41: (a) => { const behaviour = a.num(), invert = a.flag(); return cutter(a.program(), behaviour, invert); },
  42: () => { throw new Error("tokenizer: the pre-tokenizer UnicodeScripts is not supported in JavaScript; all others are"); },
  43: (a) => lengths(a.num()),
};
