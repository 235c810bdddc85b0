// Tokenizer: text to ids and back, by the packed form that runtime/tokenizer reads. It gives the same ids.

import { decodeLastRune, decodeRune, equal, startsWith, text, utf8 } from "./bytes.js";
import { C, classOf, loadClasses, spaceBefore, spaceRun } from "./classes.js";
import { concat, decoders } from "./decode.js";
import { models } from "./models.js";
import { normalizers } from "./normalize.js";
import { patterns } from "./patterns.js";
import { preTokenizers } from "./pretoken.js";
import { readProgram } from "./program.js";
import { Reader } from "./reader.js";
import { HasForm, InModel, IsAdded, IsSpecial, Vocab } from "./vocab.js";

const magic = "tfgtok\x00\x02";
const sectionNames = ["pipeline", "offsets", "texts", "flags", "hash", "merges", "mergeHash", "forms", "scores", "trie"];

// Flags of an added token.
const SingleWord = 1, LeftStrip = 2, RightStrip = 4, Normalized = 8, Special = 16;

// Arguments hands out a step's arguments.
class Arguments {
  constructor(step) {
    this.step = step;
    this.ints = 0;
    this.strs = 0;
  }

  more() {
    return this.strs < this.step.strs.length;
  }

  num() {
    if (this.ints >= this.step.ints.length) throw new Error(`tokenizer: step ${this.step.kind}: a number is missing`);
    return this.step.ints[this.ints++];
  }

  flag() {
    return this.num() === 1;
  }

  str() {
    if (this.strs >= this.step.strs.length) throw new Error(`tokenizer: step ${this.step.kind}: a text is missing`);
    return this.step.strs[this.strs++];
  }

  // program reads a compiled regular expression and passes over the text behind it that it comes from.
  program() {
    const p = readProgram(this.str());
    this.str();
    return p;
  }

  scanner() {
    const pattern = text(this.str()), scan = patterns.get(pattern);
    if (!scan) throw new Error(`tokenizer: the pattern ${JSON.stringify(pattern)} is not known`);
    return scan;
  }
}

// AddedSet finds added tokens in a text: at each place the longest, then goes on behind it.
class AddedSet {
  constructor(tokens) {
    this.byFirst = new Map();
    for (const t of tokens) {
      if (!this.byFirst.has(t.pattern[0])) this.byFirst.set(t.pattern[0], []);
      this.byFirst.get(t.pattern[0]).push(t);
    }
    for (const list of this.byFirst.values()) list.sort((a, b) => b.pattern.length - a.pattern.length);
  }

  // cut calls f(lo, hi, id) for the added tokens of b and for what lies between, with id -1, in order.
  cut(b, literal, f) {
    let done = 0;
    for (let at = 0; at < b.length && this.byFirst.size > 0; ) {
      const token = this.byFirst.get(b[at])?.find((t) => startsWith(b, t.pattern, at, b.length));
      if (!token) {
        at++;
        continue;
      }
      let lo = at, hi = at + token.pattern.length;
      at = hi;
      if ((literal && token.flags & Special) || (token.flags & SingleWord && !aloneWord(b, lo, hi))) continue;
      if (token.flags & LeftStrip) lo = Math.max(spaceBefore(b, 0, lo), done);
      if (token.flags & RightStrip) hi += spaceRun(b, hi, b.length);
      lo = Math.max(lo, done);
      if (done < lo) f(done, lo, -1);
      f(lo, hi, token.id);
      done = hi;
    }
    if (done < b.length) f(done, b.length, -1);
  }
}

function aloneWord(b, lo, hi) {
  return (lo === 0 || !(classOf(decodeLastRune(b, 0, lo)) & C.Word)) && (hi === b.length || !(classOf(decodeRune(b, hi, b.length)) & C.Word));
}

export class Tokenizer {
  // packed is tokenizer.bin, classes unicode.bin, both as bytes.
  constructor(packed, classes) {
    loadClasses(classes);
    const s = sections(packed);
    this.vocab = new Vocab(words(s.offsets), s.texts, s.flags, words(s.hash), forms(s.forms));
    const merges = { merges: words(s.merges), mergeHash: words(s.mergeHash), scores: s.scores, trie: words(s.trie) };
    this.normalize = [];
    this.pre = [];
    this.decoders = [];
    this.single = [[-1, 0]];
    this.pair = [[-1, 0], [-2, 1]];
    const { steps, added } = pipeline(s.pipeline);
    this.added = new AddedSet(added.filter((t) => !(t.flags & Normalized)));
    this.normed = new AddedSet(added.filter((t) => t.flags & Normalized));
    for (const step of steps) this.add(step, merges);
    if (!this.model) throw new Error("tokenizer: no model");
    const last = this.pre.at(-1);
    if (last?.byteLevel && this.model.takesBytes?.()) last.raw = true;
  }

  add(step, merges) {
    const a = new Arguments(step);
    const make = (table, what) => {
      const f = table[step.kind];
      if (!f) throw new Error(`tokenizer: there is no ${what} of kind ${step.kind} in this version`);
      return f(a, this.vocab, merges);
    };
    if (step.kind < 32) this.normalize.push(make(normalizers, "normalizer"));
    else if (step.kind < 64) this.pre.push(make(preTokenizers, "pre-tokenizer"));
    else if (step.kind < 96) this.model = make(models, "model");
    else if (step.kind < 128) this.addTemplate(step);
    else if (step.kind < 160) this.decoders.push(make(decoders, "decoder"));
  }

  addTemplate(step) {
    const slots = [], [cls, sep] = step.ints;
    for (let i = 0; i + 1 < step.ints.length; i += 2) slots.push([step.ints[i], step.ints[i + 1]]);
    if (step.kind === 96) this.single = slots;
    if (step.kind === 97) this.pair = slots;
    if (step.kind === 99 || step.kind === 100) {
      this.single = [[cls, 0], [-1, 0], [sep, 0]]; // BERT's
      this.pair = step.kind === 99 ? [...this.single, [-2, 1], [sep, 1]] : [...this.single, [sep, 0], [-2, 0], [sep, 0]]; // RoBERTa's
    }
  }

  get size() {
    return this.vocab.size;
  }

  isSpecial(id) {
    return this.vocab.has(id) && !!(this.vocab.flags[id] & IsSpecial);
  }

  // encode returns the ids of a text. With special the tokens that the model expects around a text are added. With literal the
  // text is not trusted to name special tokens.
  encode(s, { special = true, literal = false } = {}) {
    const ids = this.ids(utf8(s), literal);
    if (this.single.length === 1 && this.single[0][0] === -1) return ids;
    return fill(this.single, special, ids, []);
  }

  // encodePair returns the ids and type ids of two texts joined by the pair template.
  encodePair(a, b) {
    const x = this.ids(utf8(a), false), y = this.ids(utf8(b), false), types = [];
    for (const [what, type] of this.pair) {
      const n = what === -1 ? x.length : what === -2 ? y.length : 1;
      for (let i = 0; i < n; i++) types.push(type);
    }
    return { ids: fill(this.pair, true, x, y), types };
  }

  ids(b, literal) {
    const state = { b: null, pieces: [] }, parts = [];
    let length = 0;
    const put = (part, pieces) => {
      for (const p of pieces) state.pieces.push({ lo: length + p.lo, hi: length + p.hi, id: p.id, first: p.first });
      parts.push(part);
      length += part.length;
    };
    this.added.cut(b, literal, (lo, hi, id) => {
      let part = b.subarray(lo, hi);
      if (id >= 0) return put(part, [{ lo: 0, hi: part.length, id, first: lo === 0 }]);
      const leads = lo === 0 && part[0];
      for (const f of this.normalize) part = f(part).slice();
      const pieces = [];
      const kept = lo === 0 && (this.normalize.length === 0 || !(classOf(leads) & C.Space) || classOf(part[0] ?? 0) & C.Space);
      this.normed.cut(part, literal, (from, to, id) => pieces.push({ lo: from, hi: to, id, first: kept && from === 0 }));
      put(part, pieces);
    });
    state.b = concat(parts);
    for (const f of this.pre) f(state);
    const ids = [];
    for (const p of state.pieces) {
      if (p.id >= 0) ids.push(p.id);
      else if (p.lo < p.hi) this.model.encode(state.b.subarray(p.lo, p.hi), ids);
    }
    return ids;
  }

  shows(id, skipSpecial) {
    return this.vocab.has(id) && !(skipSpecial && this.isSpecial(id));
  }

  // decode returns the text of ids. Ids without a token count for nothing; skipSpecial leaves out special tokens.
  decode(ids, { skipSpecial = true } = {}) {
    return text(this.decodeBytes(ids, skipSpecial));
  }

  decodeBytes(ids, skipSpecial) {
    let list = [];
    for (const id of ids) {
      if (!this.shows(id, skipSpecial)) continue;
      const b = this.vocab.flags[id] & HasForm ? this.vocab.forms.get(id) : this.vocab.bytes(id);
      list.push(this.decoders.length === 0 && list.length > 0 ? concat([utf8(" "), b]) : b);
    }
    for (const f of this.decoders) list = f(list);
    return concat(list);
  }

  // stream returns a decoder of one sequence, id by id.
  stream({ skipSpecial = true } = {}) {
    return new Stream(this, skipSpecial);
  }

  // id returns the id of a token by its text in the vocabulary, added tokens first, -1 for none.
  id(token) {
    const b = utf8(token), id = this.vocab.find(b, IsAdded);
    return id >= 0 ? id : this.vocab.find(b, InModel);
  }
}

// Stream decodes a sequence of ids one by one.
class Stream {
  constructor(tokenizer, skip) {
    Object.assign(this, { tokenizer, skip, ids: [], prefix: new Uint8Array(0), done: 0 });
  }

  // next returns the text that an id adds. It is "" as long as the bytes of a character are not complete, and for tokens that
  // have no text.
  next(id) {
    const decode = () => this.tokenizer.decodeBytes(this.ids, this.skip);
    if (this.prefix.length === 0 && this.ids.length > 0) {
      const b = decode();
      if (!incomplete(b)) {
        this.prefix = b;
        this.done = this.ids.length;
      }
    }
    if (!this.tokenizer.shows(id, this.skip)) return "";
    this.ids.push(id);
    const b = decode();
    if (b.length <= this.prefix.length || incomplete(b) || !startsWith(b, this.prefix, 0, b.length)) return "";
    const piece = text(b.subarray(this.prefix.length));
    const rest = this.ids.length - this.done;
    this.ids.splice(0, this.done);
    this.prefix = decode();
    this.done = rest;
    return piece;
  }
}

const replacement = utf8("\ufffd");

// incomplete reports whether a text ends with U+FFFD, which more bytes may turn into a character.
const incomplete = (b) => b.length >= 3 && equal(b.subarray(b.length - 3), replacement);

// fill puts texts into a template.
function fill(template, special, a, b) {
  const ids = [];
  for (const [what] of template) {
    if (what === -1) for (const id of a) ids.push(id);
    else if (what === -2) for (const id of b) ids.push(id);
    else if (special) ids.push(what);
  }
  return ids;
}

// sections splits the packed form, which carries a checksum of its own for Go and the digest of the bundle here.
function sections(b) {
  for (let i = 0; i < magic.length; i++) {
    if (b[i] !== magic.charCodeAt(i)) throw new Error("tokenizer: not a packed tokenizer of this version");
  }
  const view = new DataView(b.buffer, b.byteOffset, b.byteLength), found = {};
  if (b.length < 16 + 12 * sectionNames.length || view.getUint32(12, true) !== sectionNames.length) {
    throw new Error("tokenizer: the number of sections is not that of this version");
  }
  sectionNames.forEach((name, i) => {
    const at = 16 + 12 * i, offset = view.getUint32(at + 4, true), size = view.getUint32(at + 8, true);
    if (view.getUint32(at, true) !== i + 1 || offset + size > b.length) throw new Error(`tokenizer: section ${i + 1} is out of place`);
    found[name] = b.subarray(offset, offset + size);
  });
  return found;
}

// words views bytes as little-endian numbers.
function words(b) {
  return b.byteOffset % 4 === 0 ? new Uint32Array(b.buffer, b.byteOffset, b.length >> 2) : new Uint32Array(b.slice().buffer, 0, b.length >> 2);
}

function forms(b) {
  const r = new Reader(b), map = new Map();
  while (r.at < b.length) {
    const id = r.unsigned();
    map.set(id, r.bytes(r.unsigned()));
  }
  return map;
}

function pipeline(b) {
  const r = new Reader(b);
  const steps = r.list(() => ({ kind: r.signed(), ints: r.list(() => r.signed()), strs: r.list(() => r.bytes(r.signed())) }));
  const added = r.list(() => ({ id: r.signed(), flags: r.signed(), pattern: r.bytes(r.signed()) }));
  return { steps, added };
}
