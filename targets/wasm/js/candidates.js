// The tokens that can still be chosen, and the arithmetic of sampling: that of runtime/sample, to the bit.

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

const ln2High = 0.6931471803691238, ln2Low = 1.9082149292705877e-10; // ln 2 in two parts
const logTerms = [1.479819860511658591e-1, 1.531383769920937332e-1, 1.818357216161805012e-1, 2.222219843214978396e-1,
  2.857142874366239149e-1, 3.999999999940941908e-1, 6.666666666666735130e-1];

// log returns the natural logarithm of a positive, finite x (FreeBSD, e_log.c); of zero it is -Infinity.
export function log(x) {
  if (x <= 0) return -Infinity;
  const tiny = x < 2 ** -1022 ? 54 : 0;
  f64[0] = x * 2 ** tiny;
  let n = ((f64Words[1] >>> 20) & 2047) - 1022 - tiny;
  f64Words[1] = (f64Words[1] & 0x800fffff) | (1022 << 20);
  let m = f64[0];
  if (m < Math.SQRT2 / 2) {
    m *= 2;
    n--;
  }
  const f = m - 1, s = f / (2 + f), z = s * s;
  let r = 0;
  for (const c of logTerms) r = r * z + c;
  r *= z;
  const half = 0.5 * (f * f);
  return n * ln2High - (half - (s * (half + r) + n * ln2Low) - f);
}

// power returns x to the power of y for a positive x.
export function power(x, y) {
  const e = y * log(x);
  return e > 0 ? 1 / exp(-e) : exp(e);
}

// powerInt returns x to the power of an integer n >= 0.
export function powerInt(x, n) {
  let p = 1;
  for (; n > 0; n = Math.floor(n / 2)) {
    if (n % 2) p *= x;
    x *= x;
  }
  return p;
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
export function greedy(logits) {
  const id = argMax(logits);
  if (id < 0 || logits[id] === Infinity) throw new Error("sample: logits are not finite");
  return id;
}

const keyFloat = new Float32Array(1);
const keyBits = new Uint32Array(keyFloat.buffer);
const nothing = 0xffffffff; // a key that no number has

// key returns bits that order as v does; -0 and +0 have the same.
export function key(v) {
  keyFloat[0] = v + 0;
  const b = keyBits[0];
  return (b >>> 31 ? ~b : b | 0x80000000) >>> 0;
}

const shifts = [21, 10, 0]; // of the three levels of a radix descent over keys
const digit = (k, level) => (k >>> shifts[level]) & 2047;
const prefix = (k, level) => (level === 0 ? 0 : k >>> shifts[level - 1]);

// Candidates are the tokens that can still be chosen, in the order of their ids, with their logits.
export class Candidates {
  constructor(logits, history = [], prompt = history.length) {
    const n = (this.vocabulary = this.length = logits.length);
    this.ids = Int32Array.from({ length: n }, (_, i) => i);
    this.logits = Float32Array.from(logits);
    this.weights = this.shadow = null;
    Object.assign(this, { history, prompt, all: true, floor: nothing });
  }

  // copy has the same candidates, without weights.
  copy() {
    const c = new Candidates(this.logits.subarray(0, this.length), this.history, this.prompt);
    c.ids.set(this.ids.subarray(0, this.length));
    return Object.assign(c, { vocabulary: this.vocabulary, all: this.all, floor: this.floor });
  }

  values() {
    return this.logits.subarray(0, this.length);
  }

  // filter keeps the candidates that f(i) holds for, and those that are protected.
  filter(f) {
    let n = 0;
    for (let i = 0; i < this.length; i++) {
      if (!f(i) && key(this.logits[i]) < this.floor) continue;
      this.ids[n] = this.ids[i];
      this.logits[n] = this.logits[i];
      if (this.weights) this.weights[n] = this.weights[i];
      if (this.shadow) this.shadow[n] = this.shadow[i];
      n++;
    }
    this.all &&= n === this.length;
    this.length = n;
  }

  // keep drops the candidates whose key is below least, and of those equal to it all but the first ties.
  keep(least, ties = Infinity) {
    this.filter((i) => {
      const k = key(this.logits[i]);
      return k > least || (k === least && (k >= this.floor || ties-- > 0));
    });
  }

  // protect lets nothing drop the n largest logits and those equal to the last of them, until release.
  protect(n) {
    if (Math.min(n, this.length) > 0) this.floor = this.kth(Math.min(n, this.length));
  }

  release() {
    this.floor = nothing;
  }

  // kth returns the key of the k-th largest logit.
  kth(k) {
    let found = 0;
    for (let level = 0; level < 3; level++) {
      const count = new Int32Array(2048);
      for (let i = 0; i < this.length; i++) {
        const b = key(this.logits[i]);
        if (prefix(b, level) === prefix(found, level)) count[digit(b, level)]++;
      }
      let d = 2047;
      for (; count[d] < k; d--) k -= count[d];
      found = (found | (d << shifts[level])) >>> 0;
    }
    return found;
  }

  // keepLargest keeps the k largest logits and those equal to the k-th.
  keepLargest(k) {
    this.keep(this.kth(k));
  }

  // keepWeight keeps the largest logits whose weights add up to at least mass; of equal logits those with the lowest ids if cut is
  // set, else all.
  keepWeight(mass, cut) {
    let found = 0;
    for (let level = 0; level < 3; level++) {
      const sums = new Float64Array(2048);
      for (let i = 0; i < this.length; i++) {
        const k = key(this.logits[i]);
        if (prefix(k, level) === prefix(found, level)) sums[digit(k, level)] += this.weights[i];
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
      found = (found | (d << shifts[level])) >>> 0;
      this.keep(found);
    }
    const at = cut ? this.values().findIndex((v) => key(v) === found) : -1;
    if (at >= 0) this.keep(found, Math.max(1, Math.ceil(Math.min(mass / this.weights[at], this.length))));
  }

  // at returns the place of a token, -1 if it is no candidate.
  at(id) {
    if (this.all) return id >= 0 && id < this.length ? id : -1;
    let low = 0, high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ids[middle] < id) low = middle + 1;
      else high = middle;
    }
    return low < this.length && this.ids[low] === id ? low : -1;
  }

  // change replaces the logit of a token by f of it, if it is a candidate.
  change(id, f) {
    const i = this.at(id);
    if (i >= 0) this.logits[i] = f(this.logits[i]);
  }

  forbid(id) {
    this.change(id, () => -Infinity);
  }

  // force makes the given tokens the only candidates, all with the logit 0.
  force(ids) {
    const list = [...new Set(ids)].filter((id) => id >= 0 && id < this.vocabulary).sort((a, b) => a - b);
    this.ids = Int32Array.from(list);
    this.logits = new Float32Array(list.length);
    this.weights = this.shadow = null;
    this.all = false;
    this.length = list.length;
  }

  // pick keeps the candidates in the given places.
  pick(places) {
    const set = new Set(places);
    this.filter((i) => set.has(i));
  }

  // order returns the places of the candidates in descending order of their logits, ids ascending.
  order() {
    return Array.from({ length: this.length }, (_, i) => i).sort((a, b) => this.logits[b] - this.logits[a] || a - b);
  }

  // sorted drops all but the n largest logits, of equal ones those with higher ids, and returns the order of the rest.
  sorted(n) {
    if (n < this.length) this.keepLargest(n);
    const order = this.order();
    if (order.length <= n) return order;
    this.pick(order.slice(0, n));
    return this.order();
  }

  // largest returns the largest logit, NaN if there is none or it is not finite.
  largest() {
    const id = argMax(this.values());
    return id < 0 || this.logits[id] === Infinity ? NaN : this.logits[id];
  }

  // weigh computes the weights exp(logit - largest logit) and returns their sum, 0 if there is no softmax.
  weigh() {
    const top = this.largest();
    if (top !== top) return 0;
    this.weights = new Float64Array(this.length);
    let total = 0;
    for (let i = 0; i < this.length; i++) total += this.weights[i] = exp(this.logits[i] - top);
    return total;
  }

  // entropy returns the entropy in nats of the distribution that weigh computed.
  entropy(total) {
    const top = this.largest();
    let sum = 0;
    for (let i = 0; i < this.length; i++) if (this.weights[i] > 0) sum += this.weights[i] * (this.logits[i] - top);
    return Math.max(0, log(total) - sum / total);
  }

  // normalize replaces the logits by their log-softmax.
  normalize() {
    const top = this.largest();
    if (top !== top) return;
    let total = 0;
    for (const v of this.values()) total += exp(v - top);
    const shift = top + log(total);
    for (let i = 0; i < this.length; i++) this.logits[i] -= shift;
  }
}
