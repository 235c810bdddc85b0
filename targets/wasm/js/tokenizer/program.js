// Regular expressions that have no scanner of their own: the programs that tfgen compiled them to, run as runtime/tokenizer does it.
// They have Oniguruma's meaning: the leftmost match, alternatives in their order. Where backtracking goes far, it is remembered
// which choices failed or what they led to, so that matching takes time linear in the text.

import { decodeLastRune, decodeRune, rune, text, utf8 } from "./bytes.js";
import { C, classOf } from "./classes.js";
import { Reader } from "./reader.js";

const Match = 0, Char = 1, OneOf = 2, Split = 3, Jump = 4, Assert = 5, Look = 6, Behind = 7, Atomic = 8, Grapheme = 9, Mark = 10, Check = 11;
const Try = 0, Fail = 1, Slot = 2; // what is left to do when the current way fails

// readProgram reads the packed form of a program.
export function readProgram(b) {
  const r = new Reader(b), count = (f) => Array.from({ length: r.unsigned() }, f);
  const insts = count(() => ({ op: r.bytes(1)[0], x: r.signed(), y: r.signed(), z: r.signed() }));
  const sets = count(() => {
    let at = 0;
    return count(() => (at += r.signed()));
  });
  const inside = insts.map(() => false);
  insts.forEach(({ op, x }, pc) => { if (op === Look || op === Behind || op === Atomic) inside.fill(true, pc + 1, x); });
  if (insts.at(-1)?.op !== Match || r.at !== b.length) throw new Error("tokenizer: a regular expression is cut off or too long");
  return { insts, sets, inside };
}

function has(set, code) {
  let lo = 0, hi = set.length / 2;
  while (lo < hi) {
    const m = (lo + hi) >> 1;
    if (code < set[2 * m]) hi = m;
    else if (code > set[2 * m + 1]) lo = m + 1;
    else return true;
  }
  return false;
}

// cluster is the length of the grapheme cluster that b begins with.
function cluster(b) {
  const [{ segment }] = new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text(b.subarray(0, 512)));
  return utf8(segment).length;
}

// atWord tells whether \b counts a character as part of a word: joiners are none to Oniguruma, all numbers of ISO 8859-1 are.
const atWord = (code) => (code < 0x100 ? !!(classOf(code) & (C.Word | C.N)) : !!(classOf(code) & C.Word) && code !== 0x200c && code !== 0x200d);

// Matcher runs a program over one text.
class Matcher {
  constructor(p, b) {
    Object.assign(this, { p, b, frames: [], slots: [-1, -1, -1], steps: 0, behind: 0, known: new Map() });
  }

  size(i) {
    decodeRune(this.b, i, this.b.length);
    return rune.size || 1;
  }

  // run returns where the match of the program or body at pc ends, or the first such place that is wanted, -1 for none.
  run(pc, pos, want = -1) {
    for (const base = this.frames.length; ; ) {
      const end = this.forward(pc, pos);
      if (end >= 0 && (want < 0 || end === want)) {
        this.settle(base, end);
        return end;
      }
      const next = this.back(base);
      if (!next) return -1;
      [pc, pos] = next;
    }
  }

  // back takes the next way that is left above base.
  back(base) {
    while (this.frames.length > base) {
      const [kind, a, b] = this.frames.pop();
      if (kind === Try) return [a, b];
      if (kind === Fail) this.known.set(a, -1);
      else this.slots[a] = b;
    }
    return null;
  }

  // settle drops the ways left above base after a match. Choices in bodies on the way to it are known to lead there.
  settle(base, end) {
    for (const [kind, a, b] of this.frames.splice(base).reverse()) {
      if (kind === Slot) this.slots[a] = b;
      else if (kind === Fail && b) this.known.set(a, end);
    }
  }

  // forward goes on at pc until the match or a failure.
  forward(pc, pos) {
    for (;;) {
      const { op, x, y } = this.p.insts[pc];
      this.steps++;
      if (op === Match) return pos;
      if (op === Char || op === OneOf || op === Grapheme) {
        const n = this.one(op, x, pos);
        if (n === 0) return -1;
        pos += n;
        pc++;
      } else if (op === Jump) {
        pc = x;
      } else if (op === Split) {
        const key = this.steps < 4096 + 32 * pos || this.behind > 0 ? -1 : this.key(pc, pos), outcome = this.known.get(key);
        if (outcome !== undefined) return outcome;
        if (key >= 0) this.frames.push([Fail, key, this.p.inside[pc]]);
        this.frames.push([Try, y, pos]);
        pc = x;
      } else if (op === Mark) {
        this.frames.push([Slot, x, this.slots[x]]);
        this.slots[x] = pos;
        pc++;
      } else if (op === Check) {
        pc = this.slots[x] === pos ? y : pc + 1;
      } else {
        const end = this.group(pc, pos);
        if (end < 0) return -1;
        pos = end;
        pc = op === Assert ? pc + 1 : x;
      }
    }
  }

  // key names a choice at a place, with what later checks will see.
  key(pc, pos) {
    const seen = this.slots.reduce((bits, at) => 2 * bits + (at === pos ? 1 : 0), 0);
    return (8 * pc + seen) * (this.b.length + 1) + pos;
  }

  one(op, x, pos) {
    if (pos >= this.b.length) return 0;
    if (op === Grapheme) return cluster(this.b.subarray(pos));
    const code = decodeRune(this.b, pos, this.b.length);
    return (op === Char ? code === x : has(this.p.sets[x], code)) ? rune.size : 0;
  }

  // group runs assertions and bodies, and returns the place to go on from, -1 if they fail.
  group(pc, pos) {
    const { op, x, y } = this.p.insts[pc];
    if (op === Atomic) return this.run(pc + 1, pos);
    const holds = op === Assert ? this.assert(x, pos) : op === Look ? this.run(pc + 1, pos) >= 0 === (y === 0) : this.lookBehind(pc, pos) === ((y & 1) === 0);
    return holds ? pos : -1;
  }

  lookBehind(pc, pos) {
    const { y, z } = this.p.insts[pc];
    this.behind++;
    try {
      for (let i = pos, chars = 0; chars <= z; chars++) {
        if (chars >= y >> 1 && this.run(pc + 1, i, pos) >= 0) return true;
        if (i === 0) break;
        decodeLastRune(this.b, 0, i);
        i -= rune.size;
      }
      return false;
    } finally {
      this.behind--;
    }
  }

  assert(kind, pos) {
    const { b } = this, start = pos === 0, end = pos === b.length, line = (i) => b[i] === 10;
    switch (kind) {
      case 0: return start;
      case 1: return end;
      case 2: return end || (pos === b.length - 1 && line(pos));
      case 3: return start || (!end && line(pos - 1));
      case 4: return end ? start || !line(pos - 1) : line(pos);
    }
    const before = !start && atWord(decodeLastRune(b, 0, pos)), after = !end && atWord(decodeRune(b, pos, b.length));
    return (before !== after) === (kind === 5);
  }
}

// matches returns the matches in a text, in order: [lo, hi]. An empty match right behind another match does not count.
export function matches(p, b) {
  const m = new Matcher(p, b), list = [];
  for (let at = 0, last = -1; at <= b.length; ) {
    const hi = m.run(0, at);
    if (hi < 0 || (hi === at && hi === last)) {
      at += at < b.length ? m.size(at) : 1;
      continue;
    }
    list.push([at, hi]);
    at = last = hi;
  }
  return list;
}

// replacedMatches writes b with all matches replaced by to.
export function replacedMatches(p, b, to) {
  const parts = [];
  let done = 0;
  for (const [lo, hi] of matches(p, b)) {
    parts.push(b.subarray(done, lo), to);
    done = hi;
  }
  return joined([...parts, b.subarray(done)]);
}

function joined(parts) {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
