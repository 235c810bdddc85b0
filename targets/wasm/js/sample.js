// Sampling: the next token from logits, with the order and arithmetic of runtime/sample, whose choices it repeats to the bit: the
// same logits, options and seed give the same tokens.

const stepsPerLn2 = 64 / Math.LN2;
const stepHigh = 0.010830424667801708, stepLow = 2.8447437476627285e-11; // ln 2 / 64 in two parts
const underflow = -104; // e^x is below the smallest float32

// exp2 holds 2^(j/64).
const exp2 = [
  1, 1.0108892860517005, 1.0218971486541166, 1.0330248790212284, 1.0442737824274138,
  1.0556451783605572, 1.0671404006768237, 1.0787607977571199, 1.0905077326652577, 1.102382583307841,
  1.1143867425958924, 1.1265216186082418, 1.1387886347566916, 1.1511892299529827, 1.1637248587775775,
  1.1763969916502812, 1.189207115002721, 1.202156731452703, 1.215247359980469, 1.22848053610687,
  1.241857812073484, 1.255380757024691, 1.2690509571917332, 1.2828700160787783, 1.2968395546510096,
  1.3109612115247644, 1.3252366431597413, 1.339667524053303, 1.3542555469368927, 1.3690024229745905,
  1.383909881963832, 1.3989796725383112, 1.4142135623730951, 1.42961333839197, 1.4451808069770467,
  1.460917794180647, 1.4768261459394993, 1.4929077282912648, 1.5091644275934228, 1.5255981507445384,
  1.5422108254079407, 1.559004400237837, 1.5759808451078865, 1.593142151342267, 1.6104903319492543,
  1.6280274218573478, 1.645755478153965, 1.6636765803267364, 1.681792830507429, 1.7001063537185235,
  1.718619298122478, 1.7373338352737062, 1.7562521603732995, 1.7753764925265212, 1.7947090750031072,
  1.8142521755003989, 1.8340080864093424, 1.8539791250833855, 1.8741676341103, 1.8945759815869656,
  1.9152065613971474, 1.9360617934922943, 1.9571441241754002, 1.978456026387951,
];

const f64 = new Float64Array(1);
const f64Words = new Uint32Array(f64.buffer);

// exp returns e^x for x <= 0 (Tang, Table-driven implementation of the exponential function, 1989).
export function exp(x) {
  if (x < underflow) return 0;
  const k = Math.trunc(x * stepsPerLn2 - 0.5);
  const r = x - k * stepHigh - k * stepLow;
  let p = r * (1 / 24) + 1 / 6;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  f64Words[0] = 0;
  f64Words[1] = (1023 + (k >> 6)) << 20;
  return p * exp2[k & 63] * f64[0];
}

const mask64 = (1n << 64n) - 1n;

// Generator is PCG-DXSM of Go's math/rand/v2, seeded with (seed, 0).
export class Generator {
  constructor(seed) {
    this.state = (BigInt.asUintN(64, BigInt(seed)) << 64n);
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

// argMax returns the id of the largest logit, the lowest id if there are several, and -1 if there is none.
export function argMax(logits) {
  let best = -Infinity, id = -1;
  for (let i = 0; i < logits.length; i++) {
    const v = logits[i];
    if (v <= best) continue;
    if (v !== v) return -1;
    best = v;
    id = i;
  }
  return id;
}

// greedy is argMax for finite logits.
function greedy(logits) {
  const id = argMax(logits);
  if (id < 0 || logits[id] === Infinity) throw new Error("sample: logits are not finite");
  return id;
}

const keyFloat = new Float32Array(1);
const keyBits = new Uint32Array(keyFloat.buffer);

// key returns bits that order as v does; -0 and +0 have the same.
function key(v) {
  keyFloat[0] = v + 0;
  const b = keyBits[0];
  return (b >>> 31 ? ~b : b | 0x80000000) >>> 0;
}

// Candidates are the tokens that can still be chosen, in the order of their ids, with their logits.
class Candidates {
  constructor(logits) {
    const n = logits.length;
    this.ids = Int32Array.from({ length: n }, (_, i) => i);
    this.logits = Float32Array.from(logits);
    this.weights = null;
    this.length = n;
    for (let i = 0; i < n; i++) if (this.logits[i] !== this.logits[i]) throw new Error("sample: logits are not finite");
  }

  // filter keeps the candidates that f(i) holds for.
  filter(f) {
    let n = 0;
    for (let i = 0; i < this.length; i++) {
      if (!f(i)) continue;
      this.ids[n] = this.ids[i];
      this.logits[n] = this.logits[i];
      if (this.weights) this.weights[n] = this.weights[i];
      n++;
    }
    this.length = n;
  }

  values() {
    return this.logits.subarray(0, this.length);
  }

  // weigh computes the weights exp(logit - largest logit) and returns their sum.
  weigh() {
    const top = this.logits[greedy(this.values())];
    this.weights = new Float64Array(this.length);
    let total = 0;
    for (let i = 0; i < this.length; i++) total += this.weights[i] = exp(this.logits[i] - top);
    return total;
  }
}

// temperature divides the logits, in float32.
const temperature = (t) => (c) => {
  const divisor = Math.fround(t);
  for (let i = 0; i < c.length; i++) c.logits[i] = Math.fround(c.logits[i] / divisor);
};

// topK keeps the k largest logits and all that are equal to the k-th.
const topK = (k) => (c) => {
  if (k >= c.length) return;
  const least = Float32Array.from(c.values()).sort()[c.length - k];
  c.filter((i) => c.logits[i] >= least);
};

// topP keeps the most probable tokens: a token is dropped if those more probable reach p. Among equal logits lower ids are kept.
const topP = (p) => (c) => {
  const total = c.weigh();
  const cut = (0.5 * ((1 - p) * total)) / c.length;
  c.filter((i) => c.weights[i] >= cut);
  keepMass(c, p * total);
};

// keepMass keeps the largest logits whose weights add up to at least mass, by a radix descent over the keys, so that sums are
// rounded as in Go.
function keepMass(c, mass) {
  let found = 0;
  const shifts = [21, 10, 0];
  shifts.forEach((shift, level) => {
    const digit = (k) => (k >>> shift) & 2047;
    const prefix = (k) => (level === 0 ? 0 : k >>> shifts[level - 1]);
    const sums = new Float64Array(2048);
    for (let i = 0; i < c.length; i++) {
      const k = key(c.logits[i]);
      if (prefix(k) === prefix(found)) sums[digit(k)] += c.weights[i];
    }
    let d = 0, rest = Infinity;
    for (let i = 2047; i >= 0; i--) {
      if (sums[i] === 0) continue;
      d = i;
      if (sums[i] >= mass) {
        rest = mass;
        break;
      }
      mass -= sums[i];
    }
    mass = rest;
    found = (found | (d << shift)) >>> 0;
    c.filter((i) => key(c.logits[i]) >= found);
  });
  const at = c.values().findIndex((v) => key(v) === found);
  if (at < 0) return;
  let ties = Math.max(1, Math.ceil(Math.min(mass / c.weights[at], c.length)));
  c.filter((i) => key(c.logits[i]) > found || ties-- > 0);
}

// minP keeps the tokens whose probability is at least this share of the largest.
const minP = (p) => (c) => {
  const top = c.logits[greedy(c.values())];
  const hopeless = top + Math.fround(Math.log(p)) - 1;
  let least = top;
  for (const v of c.values()) if (v < least && v >= hopeless && exp(v - top) >= p) least = v;
  c.filter((i) => c.logits[i] >= least);
};

// repetitionPenalty makes tokens of the history less probable, once each.
const repetitionPenalty = (penalty) => (c, history) => {
  const factor = Math.fround(penalty);
  for (const id of new Set(history)) {
    if (id >= c.logits.length) continue;
    const v = c.logits[id];
    c.logits[id] = Math.fround(v < 0 ? v * factor : v / factor);
  }
};

const maxFloat32 = 3.4028234663852886e38;

// check throws an error that names the option that is out of its range.
function check(o) {
  const number = (name, v, ok, want) => { if (typeof v !== "number" || !ok(v)) throw new RangeError(`${name} ${v}: must be ${want}`); };
  number("temperature", o.temperature, (v) => v >= 0 && v <= maxFloat32, "0 (greedy) or positive");
  number("temperature", o.temperature, (v) => v === 0 || Math.fround(v) > 0, "0 (greedy) or larger");
  number("topK", o.topK, (v) => Number.isInteger(v) && v >= 0, "0 (off) or a positive integer");
  number("topP", o.topP, (v) => v >= 0 && v <= 1, "from 0 to 1");
  number("minP", o.minP, (v) => v >= 0 && v <= 1, "from 0 to 1");
  number("repetitionPenalty", o.repetitionPenalty, (v) => v >= 0 && v <= maxFloat32, "0 (off) or positive");
}

// Sampler chooses tokens. Without options it is greedy.
export class Sampler {
  constructor(options = {}) {
    const o = { temperature: 0, topK: 0, topP: 0, minP: 0, repetitionPenalty: 0, seed: 0 };
    for (const name of Object.keys(o)) if (options[name] !== undefined) o[name] = options[name];
    check(o);
    this.temperature = o.temperature;
    this.generator = new Generator(o.seed);
    this.needsHistory = o.repetitionPenalty !== 0 && o.repetitionPenalty !== 1;
    this.chain = this.needsHistory ? [repetitionPenalty(o.repetitionPenalty)] : [];
    if (o.temperature === 0) return;
    if (o.temperature !== 1) this.chain.push(temperature(o.temperature));
    if (o.topK !== 0) this.chain.push(topK(o.topK));
    if (o.topP !== 0 && o.topP < 1) this.chain.push(topP(o.topP));
    if (o.minP !== 0) this.chain.push(minP(o.minP));
  }

  // isGreedy tells that next takes the largest logit as it is.
  get isGreedy() {
    return this.temperature === 0 && this.chain.length === 0;
  }

  // next returns the token chosen from logits; history is the prompt and the tokens so far.
  next(logits, history) {
    if (this.isGreedy) return greedy(logits);
    const c = new Candidates(logits);
    for (const process of this.chain) process(c, history);
    if (this.temperature === 0) return c.ids[greedy(c.values())];
    const total = c.weigh(), u = this.generator.next() * total;
    let sum = 0, last = 0;
    for (let i = 0; i < c.length; i++) {
      if (c.weights[i] === 0) continue;
      sum += c.weights[i];
      last = i;
      if (sum > u) break;
    }
    return c.ids[last];
  }
}
