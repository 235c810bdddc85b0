// Models turn a piece of text into ids.

import { Buffer, decodeRune, rune, utf8 } from "./bytes.js";
import { byteChars } from "./normalize.js";
import { Unigram, byteTokens } from "./unigram.js";
import { InModel, checkHash, hashPair } from "./vocab.js";

const FuseUnknown = 1, ByteFallback = 2, IgnoreMerges = 4, ByResult = 8;

// Bpe is byte-pair encoding by merge ranks (Sennrich et al. 2016), over characters or bytes.
class Bpe {
  constructor(a, vocab, sections) {
    Object.assign(this, { vocab, merges: sections.merges, table: sections.mergeHash });
    this.mask = checkHash(this.table, this.merges.length / 3, "merges");
    for (const id of this.merges) if (id >= vocab.size) throw new Error(`tokenizer: a merge names token ${id} of ${vocab.size}`);
    this.flags = a.num();
    this.unknown = a.num();
    this.prefix = a.str();
    this.suffix = a.str();
    this.raw = false; // the input is bytes that stand for GPT-2's characters
    this.bytes = byteTokens(vocab);
    this.words = new Map();
  }

  // takesBytes reports whether the model can work on bytes in place of GPT-2's characters, and prepares it.
  takesBytes() {
    if (this.prefix.length || this.suffix.length || this.flags & ByteFallback) return false;
    const t = new Int32Array(256).map((_, c) => this.vocab.find(utf8(String.fromCharCode(byteChars[c])), InModel));
    if (t.some((id) => id < 0)) return false;
    this.bytes = t;
    return (this.raw = true);
  }

  // merge returns the rank of a pair, -1 if it is not merged.
  merge(a, b) {
    for (let i = hashPair(a, b); ; i++) {
      const slot = this.table[i & this.mask];
      if (slot === 0) return -1;
      const at = 3 * (slot - 1);
      if (this.merges[at] === a && this.merges[at + 1] === b) return slot - 1;
    }
  }

  // order says which merge comes first: by rank, or by the id of the result.
  order(rank) {
    return rank >= 0 && this.flags & ByResult ? this.merges[3 * rank + 2] : rank;
  }

  // encode appends the ids of b. Words that were seen before come from a cache.
  encode(b, ids) {
    const key = b.length <= 64 ? String.fromCharCode(...b) : null;
    let found = key !== null && this.words.get(key);
    if (!found) {
      found = this.split(b);
      if (key !== null) {
        if (this.words.size >= 1 << 14) this.words.clear();
        this.words.set(key, found);
      }
    }
    for (const id of found) ids.push(id);
  }

  split(b) {
    if (this.flags & IgnoreMerges) {
      const id = this.vocab.find(this.spelled(b), InModel);
      if (id >= 0) return [id];
    }
    const symbols = this.raw ? Array.from(b, (c) => this.bytes[c]) : this.characters(b);
    return symbols.length < 24 ? this.mergeShort(symbols) : this.mergeLong(symbols);
  }

  // spelled returns the piece as the vocabulary writes it.
  spelled(b) {
    if (!this.raw) return b;
    const out = new Buffer(2 * b.length + 1);
    for (const c of b) out.rune(byteChars[c]);
    return out.view();
  }

  // characters lists the token of each character, of each of its bytes, or the unknown token. A character that has none of
  // these leaves nothing.
  characters(b) {
    const symbols = [], key = new Buffer(32);
    let unknown = false; // there is an unknown token to come
    for (let i = 0; i < b.length; ) {
      decodeRune(b, i, b.length);
      const n = rune.size;
      key.length = 0;
      if (i > 0) key.bytes(this.prefix);
      key.bytes(b, i, i + n);
      if (i + n === b.length) key.bytes(this.suffix);
      const id = this.vocab.find(key.b, InModel, key.length);
      if (id >= 0) {
        if (unknown) symbols.push(this.unknown);
        unknown = false;
        symbols.push(id);
      } else if (!this.bytesOf(key, symbols) && this.unknown >= 0) {
        if (unknown && !(this.flags & FuseUnknown)) symbols.push(this.unknown);
        unknown = true;
      }
      i += n;
    }
    if (unknown) symbols.push(this.unknown);
    return symbols;
  }

  // bytesOf appends the byte tokens of key if the model has all of them.
  bytesOf(key, symbols) {
    if (!(this.flags & ByteFallback)) return false;
    const ids = Array.from(key.view(), (c) => this.bytes[c]);
    if (ids.some((id) => id < 0)) return false;
    symbols.push(...ids);
    return true;
  }

  // mergeShort merges the pair of lowest rank, the leftmost among equals, until there is none.
  mergeShort(y) {
    const ranks = [];
    for (let i = 0; i + 1 < y.length; i++) ranks.push(this.merge(y[i], y[i + 1]));
    while (y.length > 1) {
      let at = -1;
      for (let i = 0; i < ranks.length; i++) if (ranks[i] >= 0 && (at < 0 || this.order(ranks[i]) < this.order(ranks[at]))) at = i;
      if (at < 0) break;
      y[at] = this.merges[3 * ranks[at] + 2];
      y.splice(at + 1, 1);
      ranks.splice(at, 1);
      if (at > 0) ranks[at - 1] = this.merge(y[at - 1], y[at]);
      if (at + 1 < y.length) ranks[at] = this.merge(y[at], y[at + 1]);
    }
    return y;
  }

  // mergeLong does the same with a heap of (rank, place) in O(n log n).
  mergeLong(y) {
    const n = y.length, prev = new Int32Array(n), next = new Int32Array(n), gone = new Uint8Array(n), heap = new Heap();
    const offer = (i, k) => {
      const order = this.order(this.merge(y[i], y[k]));
      if (order >= 0) heap.push(order * 67108864 + i); // exact: both have less than 27 bits
    };
    for (let i = 0; i < n; i++) {
      prev[i] = i - 1;
      next[i] = i + 1;
      if (i + 1 < n) offer(i, i + 1);
    }
    while (heap.size > 0) {
      const top = heap.pop(), at = top % 67108864, other = next[at];
      if (gone[at] || other >= n) continue;
      const rank = this.merge(y[at], y[other]);
      if (this.order(rank) !== (top - at) / 67108864) continue; // one of the two was merged since
      y[at] = this.merges[3 * rank + 2];
      gone[other] = 1;
      next[at] = next[other];
      if (next[at] < n) {
        prev[next[at]] = at;
        offer(at, next[at]);
      }
      if (prev[at] >= 0) offer(prev[at], at);
    }
    return y.filter((_, i) => !gone[i]);
  }
}

// Heap is a heap of numbers, least first.
class Heap {
  constructor() {
    this.h = [];
  }

  get size() {
    return this.h.length;
  }

  push(v) {
    const h = this.h;
    let i = h.length;
    h.push(v);
    for (; i > 0; ) {
      const up = (i - 1) >> 1;
      if (h[up] <= v) break;
      h[i] = h[up];
      i = up;
    }
    h[i] = v;
  }

  pop() {
    const h = this.h, top = h[0], v = h.pop();
    if (h.length === 0) return top;
    let i = 0;
    for (let c = 1; c < h.length; c = 2 * i + 1) {
      if (c + 1 < h.length && h[c + 1] < h[c]) c++;
      if (h[c] >= v) break;
      h[i] = h[c];
      i = c;
    }
    h[i] = v;
    return top;
  }
}

// WordPiece takes the longest token that a word begins with, and goes on with the rest (BERT).
class WordPiece {
  constructor(a, vocab) {
    Object.assign(this, { vocab, unknown: a.num(), longest: a.num(), prefix: a.str() });
  }

  encode(b, ids) {
    let characters = 0;
    for (const c of b) if ((c & 0xc0) !== 0x80) characters++;
    const found = characters > this.longest ? null : this.pieces(b);
    if (found) ids.push(...found);
    else if (this.unknown >= 0) ids.push(this.unknown);
  }

  pieces(b) {
    const ids = [], key = new Buffer(64), { vocab, prefix } = this;
    for (let start = 0; start < b.length; ) {
      key.length = 0;
      if (start > 0) key.bytes(prefix);
      const before = key.length, end = Math.min(b.length, start + Math.max(vocab.longest - before, 0));
      key.bytes(b, start, end);
      let id = -1, n = end - start;
      for (; n > 0; n--) {
        if (start + n < b.length && (b[start + n] & 0xc0) === 0x80) continue;
        id = vocab.find(key.b, InModel, before + n);
        if (id >= 0) break;
      }
      if (id < 0) return null;
      ids.push(id);
      start += n;
    }
    return ids;
  }
}

// WordLevel knows whole words only.
class WordLevel {
  constructor(a, vocab) {
    Object.assign(this, { vocab, unknown: a.num() });
  }

  encode(b, ids) {
    let id = this.vocab.find(b, InModel);
    if (id < 0) id = this.unknown;
    if (id >= 0) ids.push(id);
  }
}

// models makes the model of a step from its arguments, by kind.
export const models = {
  64: (a, vocab, sections) => new Bpe(a, vocab, sections),
  65: (a, vocab) => new WordPiece(a, vocab),
  66: (a, vocab) => new WordLevel(a, vocab),
  67: (a, vocab, sections) => new Unigram(a, vocab, sections),
};
