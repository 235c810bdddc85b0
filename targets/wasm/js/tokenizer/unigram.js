// Unigram models and what comes with them from SentencePiece: its maps of characters.

import { Buffer, decodeRune, rune, startsWith, text, utf8 } from "./bytes.js";
import { InModel, IsByte } from "./vocab.js";

const ByteFallback = 1, Single = 2, endsToken = 0x80000000;

// Unigram is the segmentation of greatest probability under a unigram language model (Kudo 2018), found by the Viterbi algorithm.
export class Unigram {
  constructor(a, vocab, { scores, trie }) {
    Object.assign(this, { vocab, trie, unknown: a.num(), flags: a.num() });
    if (scores.length !== 8 * vocab.size) throw new Error(`tokenizer: ${scores.length} bytes of scores for ${vocab.size} tokens`);
    this.scores = new Float64Array(scores.slice().buffer);
    let least = Infinity;
    for (let id = 0; id < vocab.size; id++) if (vocab.flags[id] & InModel) least = Math.min(least, this.scores[id]);
    this.penalty = least - 10; // kUnkPenalty of SentencePiece
    this.bytes = byteTokens(vocab);
  }

  encode(b, ids) {
    const { starts, tokens } = this.viterbi(b);
    const list = []; // of the best way, from behind: [token, from, to]
    for (let at = b.length; at > 0; at = starts[at]) {
      if (starts[at] < 0) return;
      list.push([tokens[at], starts[at], at]);
    }
    list.reverse();
    for (let i = 0; i < list.length; ) {
      const [id, from] = list[i++];
      if (id !== this.unknown) {
        ids.push(id);
        continue;
      }
      while (i < list.length && list[i][0] === id) i++; // unknown tokens side by side are one piece of text
      this.unknownPiece(b.subarray(from, list[i - 1][2]), ids);
    }
  }

  unknownPiece(b, ids) {
    const id = this.vocab.find(b, InModel);
    if (id >= 0) ids.push(id);
    else if (this.flags & ByteFallback && b.every((c) => this.bytes[c] >= 0)) for (const c of b) ids.push(this.bytes[c]);
    else if (this.unknown >= 0) ids.push(this.unknown);
  }

  // viterbi returns, for each place, where the last token of the best way to it begins, and which it is.
  viterbi(b) {
    const { trie, scores } = this, n = b.length, units = trie.length / 2;
    const add = this.flags & Single ? (x, y) => Math.fround(x + y) : (x, y) => x + y;
    const starts = new Int32Array(n + 1).fill(-1), tokens = new Int32Array(n + 1), best = new Float64Array(n + 1);
    const offer = (end, score, start, id) => {
      if (starts[end] >= 0 && score <= best[end]) return;
      best[end] = score;
      starts[end] = start;
      tokens[end] = id;
    };
    for (let at = 0; at < n; ) {
      decodeRune(b, at, n);
      const { size } = rune;
      let single = false, node = 0, base = trie[0];
      for (let end = at; end < n; ) {
        const child = (base & ~endsToken) + b[end] + 1;
        if (child >= units || trie[2 * child + 1] !== node + 1) break;
        node = child;
        base = trie[2 * child];
        end++;
        if (!(base & endsToken)) continue;
        const id = trie[2 * (base & ~endsToken)];
        if (id >= this.vocab.size) continue;
        offer(end, add(best[at], scores[id]), at, id);
        single ||= end - at === size;
      }
      if (!single) offer(at + size, add(best[at], this.penalty), at, this.unknown);
      at += size;
    }
    return { starts, tokens };
  }
}

// byteTokens are the tokens of <0x..>, -1 for none.
export function byteTokens(vocab) {
  return new Int32Array(256).map((_, c) => {
    const name = utf8(`<0x${c.toString(16).toUpperCase().padStart(2, "0")}>`), id = vocab.find(name, InModel);
    return id >= 0 ? id : vocab.find(name, IsByte);
  });
}

// CharsMap is a precompiled normalisation table of SentencePiece: a Darts double array (Yata et al. 2007) that leads from a text
// to an offset into a list of replacements, each ended by NUL.
class CharsMap {
  constructor(blob) {
    const size = new DataView(blob.buffer, blob.byteOffset).getUint32(0, true);
    this.units = new Uint32Array(blob.slice(4, 4 + size).buffer);
    this.texts = blob.subarray(4 + size);
  }

  // find calls found(replacement, bytes) for the prefixes of b that have a replacement, until it returns true.
  find(b, from, to, found) {
    const offset = (u) => (u >>> 10) << ((u & 512) >>> 6), { units } = this;
    let at = offset(units[0]);
    for (let i = from; i < to; i++) {
      at ^= b[i];
      const u = units[at];
      if (u === undefined || (u & 0x800000ff) !== b[i]) return;
      at ^= offset(u);
      if (units[at] === undefined) return;
      if ((u >>> 8) & 1 && found(this.text(units[at] & ~endsToken), i + 1 - from)) return;
    }
  }

  text(at) {
    const end = this.texts.indexOf(0, at);
    return this.texts.subarray(at, end < 0 ? this.texts.length : end);
  }

  // shortest returns the replacement of the shortest prefix that has one.
  shortest(b, from, to) {
    let out = null;
    const nul = b.indexOf(0, from);
    this.find(b, from, nul >= 0 && nul < to ? nul : to, (text) => (out = text));
    return out;
  }

  // longest returns the replacement of the longest prefix that has one, and its length.
  longest(b, from) {
    let out = null;
    this.find(b, from, b.length, (text, size) => { out = { text, size }; });
    return out;
  }
}

const clusters = globalThis.Intl?.Segmenter && new Intl.Segmenter("en", { granularity: "grapheme" });

// precompiled replaces grapheme clusters of less than six bytes as a whole, and else characters one by one.
export function precompiled(a) {
  const map = new CharsMap(a.str());
  return (b) => {
    const out = new Buffer(b.length + 16);
    let at = 0;
    for (const { segment } of clusters.segment(text(b))) {
      const end = at + utf8(segment).length, whole = end - at < 6 && map.shortest(b, at, end);
      if (whole) out.bytes(whole);
      for (; !whole && at < end; at += rune.size) {
        decodeRune(b, at, end);
        const { size } = rune;
        out.bytes(map.shortest(b, at, at + size) ?? b.subarray(at, at + size));
        rune.size = size;
      }
      at = end;
    }
    return out.view();
  };
}

const space = utf8(" "), escaped = utf8("\u2581");

// sentencePiece normalises as SentencePiece does: the longest match of its characters map at each place, user-defined pieces left
// as they are, a space before the text, and spaces squeezed and written as U+2581.
export function sentencePiece(a) {
  const prefix = a.flag(), squeeze = a.flag(), blank = a.flag() ? escaped : space, blob = a.str();
  const map = blob.length > 0 ? new CharsMap(blob) : null, user = [];
  while (a.more()) user.push(a.str());
  user.sort((x, y) => y.length - x.length);
  const next = (b, at) => {
    const own = user.find((u) => startsWith(b, u, at, b.length));
    if (own) return { text: own, size: own.length };
    const found = map?.longest(b, at);
    if (found) return found;
    decodeRune(b, at, b.length);
    return { text: b.subarray(at, at + rune.size), size: rune.size };
  };
  return (b) => {
    const out = new Buffer(b.length + 16);
    let at = 0;
    const blankOnly = (t) => t.length === 1 && t[0] === 0x20;
    for (let n; squeeze && at < b.length && blankOnly((n = next(b, at)).text); at += n.size);
    if (at === b.length) return out.view();
    if (prefix) out.bytes(blank);
    for (let before = squeeze; at < b.length; ) {
      let { text: to, size } = next(b, at);
      while (before && to[0] === 0x20) to = to.subarray(1);
      if (to.length > 0) before = squeeze && to.at(-1) === 0x20;
      for (const c of to) {
        if (c === 0x20) out.bytes(blank);
        else out.byte(c);
      }
      at += size;
    }
    let result = out.view();
    while (squeeze && result.length >= blank.length && startsWith(result, blank, result.length - blank.length, result.length)) result = result.subarray(0, result.length - blank.length);
    return result;
  };
}
