// Sampling: the next token from logits, with the order and arithmetic of runtime/sample, whose choices it repeats to the bit: the
// same logits, options and seed give the same tokens.

import { Candidates, argMax, exp, greedy, log, power, powerInt } from "./candidates.js";

const { fround } = Math;
const mask64 = (1n << 64n) - 1n;

// Generator is PCG-DXSM of Go's math/rand/v2.
export class Generator {
  constructor(seed, sequence = 0) {
    this.state = (BigInt.asUintN(64, BigInt(seed)) << 64n) | BigInt.asUintN(64, BigInt(sequence));
  }

  // next returns a number in [0, 1): the high 53 bits of the next value, times 2^-53.
  next() {
    const mul = (2549297995355413924n << 64n) | 4865540595714422341n;
    const inc = (6364136223846793005n << 64n) | 1442695040888963407n;
    this.state = BigInt.asUintN(128, this.state * mul + inc);
    let hi = this.state >> 64n;
    const lo = this.state & mask64;
    hi ^= hi >> 32n;
    hi = (hi * 0xda942042e4dd58b5n) & mask64;
    hi ^= hi >> 48n;
    hi = (hi * (lo | 1n)) & mask64;
    return Number(hi >> 11n) * 2 ** -53;
  }
}

// ends tells whether a text ends with the given tokens.
const ends = (text, tokens, count = tokens.length) => {
  if (text.length < count) return false;
  for (let i = 0; i < count; i++) if (text[text.length - count + i] !== tokens[i]) return false;
  return true;
};

const tail = (list, n) => (n > 0 && n < list.length ? list.slice(-n) : list);

// sequenceBias adds biases to tokens, or to the last of several where the others precede it. Several of one token are summed first.
const sequenceBias = (biases) => (c) => {
  const sums = new Map();
  for (const { tokens, bias } of biases) {
    const id = tokens.at(-1);
    if (ends(c.history, tokens, tokens.length - 1)) sums.set(id, fround((sums.get(id) ?? 0) + fround(bias)));
  }
  for (const [id, sum] of sums) c.change(id, (v) => v + sum);
};

// scaled multiplies the negative and divides the positive logits of tokens, once each.
const scaled = (penalty, tokens) => (c) => {
  for (const id of new Set(tokens(c))) c.change(id, (v) => (v < 0 ? v * penalty : v / penalty));
};

const prompt = (c) => c.history.slice(0, c.prompt);

// occurrence subtracts frequency for each time that a token occurred, and presence once.
const occurrence = (frequency, presence, window) => (c) => {
  const counts = new Map();
  for (const id of tail(c.history, window)) counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const [id, n] of counts) c.change(id, (v) => v - fround(fround(n * fround(frequency)) + fround(presence)));
};

// dry lowers the logits of tokens that would continue a repetition of at least allowedLength tokens (p-e-w, Don't Repeat Yourself, 2024).
const dry = ({ multiplier, base = 1.75, allowedLength = 2, window = 0, breakers = [] }) => (c) => {
  const text = tail(c.history, window), n = text.length, limit = sinceBreaker(text, breakers), longest = new Map();
  if (n <= allowedLength || limit < allowedLength) return;
  suffixes(text).slice(0, n - 1).forEach((length, i) => {
    const m = Math.min(length, limit), id = text[i + 1];
    if (m >= allowedLength) longest.set(id, Math.max(longest.get(id) ?? 0, m));
  });
  const most = base <= 1.000001 ? Infinity : Math.trunc(88.7228391 / log(base));
  for (const [id, m] of longest) {
    if (breakers.some((b) => b.length === 1 && b[0] === id)) continue;
    c.change(id, (v) => v - fround(multiplier * powerInt(base, Math.min(m - allowedLength, most))));
  }
};

// sinceBreaker returns the number of tokens after the last breaker.
function sinceBreaker(text, breakers) {
  for (let end = text.length; end > 0; end--) {
    const longest = Math.max(0, ...breakers.filter((b) => end - 1 + b.length <= text.length && b.every((id, i) => text[end - 1 + i] === id)).map((b) => b.length));
    if (longest > 0) return text.length - end + 1 - longest;
  }
  return text.length;
}

// suffixes returns how many tokens up to and including each equal those at the end: the Z-algorithm from the end (Gusfield 1997).
function suffixes(text) {
  const n = text.length, lengths = new Array(n).fill(0), at = (i) => text[n - 1 - i];
  for (let i = 1, left = 0, right = 0; i < n; i++) {
    let k = i < right ? Math.min(right - i, lengths[n - 1 - (i - left)]) : 0;
    while (i + k < n && at(k) === at(i + k)) k++;
    if (i + k > right) {
      left = i;
      right = i + k;
    }
    lengths[n - 1 - i] = k;
  }
  return lengths;
}

// noRepeat forbids tokens that would repeat a sequence of n tokens of a text.
const noRepeat = (n, ofPrompt) => (c) => {
  const from = ofPrompt ? prompt(c) : c.history, k = n - 1;
  if (c.history.length < k || (!ofPrompt && c.history.length < n)) return;
  const last = c.history.slice(c.history.length - k);
  for (let i = 0; i + k < from.length; i++) if (last.every((id, j) => from[i + j] === id)) c.forbid(from[i + k]);
};

const suppress = (ids) => (c) => ids.forEach((id) => c.forbid(id));
const when = (is, process) => (c) => is(c.history.length, c.prompt) && process(c);

// removeInvalid turns NaN into 0 and infinities into the largest and smallest numbers.
const removeInvalid = (c) => {
  for (let i = 0; i < c.length; i++) {
    const v = c.logits[i];
    c.logits[i] = v !== v ? 0 : Math.min(Math.max(v, -maxFloat32), maxFloat32);
  }
};

// lengthDecay makes the ends of text more probable with every token after start generated ones.
const lengthDecay = (start, factor, ids) => (c) => {
  const n = c.history.length - c.prompt - start;
  if (n <= 0) return;
  const f = fround(powerInt(factor, n) - 1);
  for (const id of new Set(ids)) c.change(id, (v) => (Math.abs(v) === Infinity ? v : v + fround(Math.abs(v) * f)));
};

// temperature divides the logits, in float32.
const temperature = (t) => (c) => {
  const divisor = fround(t);
  for (let i = 0; i < c.length; i++) c.logits[i] /= divisor;
};

// topNSigma keeps the logits within n standard deviations of the largest (Tang et al. 2024).
const topNSigma = (n) => (c) => {
  const top = c.largest(), values = c.values().filter((v) => v !== -Infinity);
  if (top !== top) return;
  let sum = 0, squares = 0;
  for (const v of values) sum += v;
  const mean = sum / values.length;
  for (const v of values) squares += (v - mean) * (v - mean);
  const least = top - n * Math.sqrt(squares / values.length);
  c.filter((i) => c.logits[i] >= least);
};

// topH keeps the most probable tokens until their share of the entropy reaches h, at most 100 (Potraghloo et al. 2025).
const topH = (h) => (c) => {
  const order = c.sorted(100), total = c.weigh();
  if (!total) return;
  const most = c.entropy(total) * h;
  let kept = 0, sum = 0;
  for (const i of order) {
    const p = c.weights[i] / total;
    if (p === 0) break;
    sum -= p * log(p);
    if (kept > 0 && sum > most * (1 + 1e-12)) break;
    kept++;
  }
  c.pick(order.slice(0, kept));
};

// topK keeps the k largest logits and all that are equal to the k-th.
const topK = (k) => (c) => {
  if (k < c.length) c.keepLargest(k);
};

// topP keeps the most probable tokens: a token is dropped if those more probable reach p. Among equal logits lower ids are kept.
const topP = (p) => (c) => {
  const total = c.weigh();
  if (!total) return;
  const cut = (0.5 * ((1 - p) * total)) / c.length;
  c.filter((i) => c.weights[i] >= cut);
  c.keepWeight(p * total, true);
};

// minP keeps the tokens whose probability is at least this share of the largest.
const minP = (p) => (c) => {
  const top = c.largest(), hopeless = top + Math.log(p) - 1;
  if (top !== top) return;
  let least = top;
  for (const v of c.values()) if (v < least && v >= hopeless && exp(v - top) >= p) least = v;
  c.filter((i) => c.logits[i] >= least);
};

// typical keeps the tokens whose information is closest to the entropy until their probabilities reach mass (Meister et al. 2022). Their
// distance from the entropy takes the place of the logits meanwhile.
const typical = (mass, keep) => (c) => {
  const total = c.weigh();
  if (!total) return;
  const entropy = c.entropy(total), shift = c.largest() + log(total);
  c.shadow = c.values().slice();
  for (let i = 0; i < c.length; i++) c.logits[i] = -Math.abs(shift - c.logits[i] - entropy);
  if (keep > 1) c.protect(keep);
  c.keepWeight(mass * total, false);
  c.release();
  c.logits.set(c.shadow.subarray(0, c.length));
  c.shadow = null;
};

// lightest drops candidates whose probability is below least(total), but not the most probable one.
const lightest = (least) => (c) => {
  const total = c.weigh();
  if (!total) return;
  const cut = least(c, total) * total, own = c.floor === 0xffffffff;
  if (own) c.protect(1);
  c.filter((i) => c.weights[i] >= cut);
  if (own) c.release();
};

// eta is the cutoff of Hewitt et al. 2022.
const eta = (e) => lightest((c, total) => Math.min(fround(e), Math.sqrt(fround(e)) * exp(-c.entropy(total))));

// xtc drops, with a probability, all tokens of at least the threshold except the least probable of them (p-e-w 2024).
const xtc = (probability, threshold, keep, generator) => (c) => {
  if (threshold > 0.5 || c.length < 2 || generator.next() > probability) return;
  const total = c.weigh();
  if (!total) return;
  const cut = threshold * total;
  let above = 0, least = -1;
  for (let i = 0; i < c.length; i++) {
    if (c.weights[i] < cut) continue;
    above++;
    if (least < 0 || c.logits[i] <= c.logits[least]) least = i;
  }
  if (above >= 2 && c.length - (above - 1) >= keep) c.filter((i) => c.weights[i] < cut || i === least);
};

// mirostat keeps the surprise of the chosen tokens near tau (Basu et al. 2021); the sampler tells it the probabilities of its choices.
function mirostat(version, tau, rate) {
  let mu = 2 * tau;
  const process = (c) => {
    if (version === 1) return zipf(c, mu);
    const total = c.weigh();
    if (!total) return;
    c.protect(1);
    c.filter((i) => c.weights[i] > 0 && -log(c.weights[i] / total) / Math.LN2 <= mu);
    c.release();
  };
  process.chosen = (probability) => {
    mu -= rate * (-log(probability) / Math.LN2 - tau);
  };
  return process;
}

// zipf keeps as many tokens as give the surprise mu under the law of Zipf that fits the most probable ones.
function zipf(c, mu) {
  const probe = c.copy(), order = probe.sorted(100);
  let products = 0, squares = 0, k = c.length;
  for (let i = 0; i + 1 < order.length; i++) {
    const next = probe.logits[order[i + 1]];
    if (next === -Infinity) break;
    const t = log((i + 2) / (i + 1));
    products += t * (probe.logits[order[i]] - next);
    squares += t * t;
  }
  if (squares > 0 && products > 0) {
    const s = products / squares, e = s - 1, x = (e * power(2, mu)) / (1 - power(c.vocabulary, -e));
    if (x > 0 && x !== Infinity) k = Math.trunc(Math.min(power(x, 1 / s), k));
  }
  k = Math.max(k, 1);
  if (k < c.length) c.keepLargest(k);
}

const maxFloat32 = 3.4028234663852886e38;
const on = (factor) => factor !== 0 && factor !== 1;
const drops = (o) => o.temperature !== 0 && o.mirostat === 0;

// kept protects the largest logits from a processor that drops tokens.
const kept = (o, process) => (o.keep <= 1 ? process : (c) => {
  c.protect(o.keep);
  process(c);
  c.release();
});

// steps is the table of processors in their order: what asks for it, whether it reads the history, and what makes it.
const steps = [
  [(o) => o.sequenceBias.length > 0, true, (o) => sequenceBias(o.sequenceBias)],
  [(o) => on(o.encoderRepetitionPenalty), true, (o) => scaled(fround(1 / o.encoderRepetitionPenalty), prompt)],
  [(o) => on(o.repetitionPenalty), true, (o) => scaled(fround(o.repetitionPenalty), (c) => c.history)],
  [(o) => o.frequencyPenalty !== 0 || o.presencePenalty !== 0, true, (o) => occurrence(o.frequencyPenalty, o.presencePenalty, o.penaltyWindow)],
  [(o) => !!o.dry?.multiplier, true, (o) => dry(o.dry)],
  [(o) => o.noRepeatNGram > 0, true, (o) => noRepeat(o.noRepeatNGram, false)],
  [(o) => o.encoderNoRepeatNGram > 0, true, (o) => noRepeat(o.encoderNoRepeatNGram, true)],
  [(o) => o.badWords.length > 0, true, (o) => sequenceBias(o.badWords.filter((w) => w.length > 1 || !o.ends.includes(w[0])).map((tokens) => ({ tokens, bias: -Infinity })))],
  [(o) => o.minLength > 0, true, (o) => when((n) => n < o.minLength, suppress(o.ends))],
  [(o) => o.minNewTokens > 0, true, (o) => when((n, prompt) => n - prompt < o.minNewTokens, suppress(o.ends))],
  [(o) => o.forcedBOS.length > 0, true, (o) => when((n) => n === 1, (c) => c.force(o.forcedBOS))],
  [(o) => o.forcedEOS.length > 0 && o.length > 0, true, (o) => when((n) => n === o.length - 1, (c) => c.force(o.forcedEOS))],
  [(o) => o.removeInvalid, false, () => removeInvalid],
  [(o) => o.decayFactor > 0, true, (o) => lengthDecay(o.decayStart, o.decayFactor, o.ends)],
  [(o) => o.suppress.length > 0, false, (o) => suppress(o.suppress)],
  [(o) => o.suppressFirst.length > 0, true, (o) => when((n, prompt) => n === (prompt <= 1 && o.forcedBOS.length > 0 ? prompt + 1 : prompt), suppress(o.suppressFirst))],
  [(o) => Object.keys(o.forcedTokens).length > 0, true, (o) => (c) => o.forcedTokens[c.history.length] !== undefined && c.force([o.forcedTokens[c.history.length]])],
  [(o) => on(o.temperature), false, (o) => temperature(o.temperature)],
  [(o) => drops(o) && o.topNSigma > 0, false, (o) => kept(o, topNSigma(o.topNSigma))],
  [(o) => drops(o) && o.topH > 0, false, (o) => topH(o.topH)],
  [(o) => drops(o) && o.topK > 0, false, (o) => topK(Math.max(o.topK, o.keep))],
  [(o) => drops(o) && on(o.topP), false, (o) => kept(o, topP(o.topP))],
  [(o) => drops(o) && o.minP > 0, false, (o) => kept(o, minP(o.minP))],
  [(o) => drops(o) && on(o.typicalP), false, (o) => typical(o.typicalP, o.keep)],
  [(o) => drops(o) && on(o.epsilonCutoff), false, (o) => kept(o, lightest(() => o.epsilonCutoff))],
  [(o) => drops(o) && on(o.etaCutoff), false, (o) => kept(o, eta(o.etaCutoff))],
  [(o) => drops(o) && o.xtcProbability > 0, false, (o, generator) => xtc(o.xtcProbability, o.xtcThreshold, o.keep, generator)],
  [(o) => o.temperature !== 0 && o.mirostat > 0, false, (o) => mirostat(o.mirostat, o.mirostatTau || 5, o.mirostatEta || 0.1)],
  [(o) => o.renormalize, false, () => (c) => c.normalize()],
];

// ranges says what numbers options may have: least, most, and whether they are whole.
const ranges = {
  temperature: [0, maxFloat32], topK: [0, maxFloat32, true], topP: [0, 1], minP: [0, 1], topH: [0, 1], typicalP: [0, 1], epsilonCutoff: [0, 1],
  etaCutoff: [0, 1], topNSigma: [0, maxFloat32], xtcProbability: [0, 1], xtcThreshold: [0, 1], mirostat: [0, 2, true], mirostatTau: [0, 100],
  mirostatEta: [0, 10], keep: [0, maxFloat32, true], repetitionPenalty: [0, maxFloat32], encoderRepetitionPenalty: [0, maxFloat32],
  frequencyPenalty: [-maxFloat32, maxFloat32], presencePenalty: [-maxFloat32, maxFloat32], penaltyWindow: [0, maxFloat32, true],
  noRepeatNGram: [0, maxFloat32, true], encoderNoRepeatNGram: [0, maxFloat32, true], minLength: [0, maxFloat32, true],
  minNewTokens: [0, maxFloat32, true], decayStart: [0, maxFloat32, true], decayFactor: [0, maxFloat32], length: [0, maxFloat32, true],
};
const lists = ["sequenceBias", "badWords", "forcedBOS", "forcedEOS", "suppress", "suppressFirst", "ends"];
const dryRanges = { multiplier: [0, maxFloat32], base: [0, maxFloat32], allowedLength: [0, maxFloat32, true], window: [0, maxFloat32, true] };

function number(name, v, [least, most, whole]) {
  if (typeof v === "number" && v >= least && v <= most && (!whole || Number.isInteger(v))) return;
  throw new RangeError(`${name} ${v}: must be ${whole ? "a whole number" : "a number"} ${most === maxFloat32 ? (least < 0 ? "" : "of at least 0") : `from ${least} to ${most}`}`.trim());
}

// complete returns the options with their defaults, or throws an error that names the option that is out of its range.
function complete(options) {
  const o = { ...Object.fromEntries(Object.keys(ranges).map((name) => [name, 0])), ...Object.fromEntries(lists.map((name) => [name, []])),
    seed: 0, sequence: 0, dry: null, forcedTokens: {}, removeInvalid: false, renormalize: false };
  for (const name of Object.keys(o)) if (options[name] !== undefined) o[name] = options[name];
  for (const [name, range] of Object.entries(ranges)) number(name, o[name], range);
  for (const [name, range] of Object.entries(dryRanges)) if (o.dry?.[name] !== undefined) number(`dry.${name}`, o.dry[name], range);
  for (const name of lists) if (!Array.isArray(o[name])) throw new RangeError(`${name}: must be a list`);
  if (o.temperature > 0 && fround(o.temperature) === 0) throw new RangeError(`temperature ${o.temperature}: too small; 0 is greedy`);
  if (o.forcedBOS.length > 1) throw new RangeError(`forcedBOS: ${o.forcedBOS.length} tokens, expected one`);
  if (o.sequenceBias.some((b) => !b.tokens?.length || typeof b.bias !== "number" || b.bias !== b.bias)) throw new RangeError("sequenceBias: each needs tokens and a number bias");
  if (o.badWords.some((w) => !w.length)) throw new RangeError("badWords: a word without tokens");
  if (o.dry) o.dry = { ...o.dry, base: o.dry.base || undefined, allowedLength: o.dry.allowedLength || undefined };
  return o;
}

// Sampler chooses tokens. Without options it is greedy.
export class Sampler {
  constructor(options = {}) {
    const o = complete(options);
    this.temperature = o.temperature;
    this.removeInvalid = o.removeInvalid;
    this.generator = new Generator(o.seed, o.sequence);
    const rows = steps.filter(([has]) => has(o));
    this.needsHistory = rows.some(([, reads]) => reads);
    this.chain = rows.map(([, , make]) => make(o, this.generator));
  }

  // isGreedy tells that next takes the largest logit as it is.
  get isGreedy() {
    return this.temperature === 0 && this.chain.length === 0;
  }

  // next returns the token chosen from logits; history is the prompt, whose length is given, and the tokens so far.
  next(logits, history, prompt) {
    if (this.isGreedy) return greedy(logits);
    const c = new Candidates(logits, history ?? [], prompt);
    if (!this.removeInvalid && c.logits.some((v) => v !== v)) throw new Error("sample: logits are not finite");
    for (const process of this.chain) process(c);
    return this.temperature === 0 ? c.ids[greedy(c.values())] : this.draw(c);
  }

  // draw takes the first candidate, by id, with which the sum of the probabilities exceeds a random number.
  draw(c) {
    const total = c.weigh();
    if (!total) throw new Error("sample: logits are not finite");
    const u = this.generator.next() * total;
    let sum = 0, last = 0;
    for (let i = 0; i < c.length; i++) {
      if (c.weights[i] === 0) continue;
      sum += c.weights[i];
      last = i;
      if (sum > u) break;
    }
    for (const p of this.chain) p.chosen?.(c.weights[last] / total);
    return c.ids[last];
  }
}

export { argMax, exp };
