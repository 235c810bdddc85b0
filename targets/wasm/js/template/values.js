// The values of chat templates, which are Python's: None is null, int a number or a bigint, list an array. runtime/template/py is the
// same in Go.

// PyError is an exception of Python or jinja; its name is the class.
export class PyError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

export const fail = (name, message) => {
  throw new PyError(name, message);
};

export class Float {
  constructor(v) {
    this.v = v;
  }
}

export class Tuple {
  constructor(items, names) {
    Object.assign(this, { items, names });
  }
}

export class Markup {
  constructor(s) {
    this.s = s;
  }
}

export class Bytes {
  constructor(data) {
    this.data = data;
  }
}

// Dict keeps the order of its keys; 1, 1.0 and True are one key.
export class Dict {
  constructor(pairs = []) {
    this.map = new Map();
    for (const [k, v] of pairs) this.set(k, v);
  }

  get(k) {
    return this.map.get(hash(k))?.[1];
  }

  set(k, v) {
    const h = hash(k), old = this.map.get(h);
    if (old) old[1] = v;
    else this.map.set(h, [k, v]);
  }

  has(k) {
    return this.map.has(hash(k));
  }

  get size() {
    return this.map.size;
  }

  pairs() {
    return [...this.map.values()];
  }

  keys() {
    return this.pairs().map(([k]) => k);
  }
}

export class View {
  constructor(dict, kind) {
    Object.assign(this, { dict, kind });
  }

  list() {
    return this.dict.pairs().map(([k, v]) => (this.kind === "keys" ? k : this.kind === "values" ? v : new Tuple([k, v])));
  }
}

export class Range {
  constructor(start, stop, step) {
    Object.assign(this, { start, stop, step, length: Math.max(0, Math.ceil((stop - start) / step)) });
  }

  list() {
    return Array.from({ length: this.length }, (_, i) => this.start + i * this.step);
  }
}

// Gen is a generator: it can be gone through once.
export class Gen {
  constructor(iterator) {
    this.iterator = iterator;
  }
}

// Undefined is what does not exist: printing it gives nothing, using it is an error.
export class Undefined {
  constructor(hint, type = "UndefinedError") {
    Object.assign(this, { hint, type });
  }

  fail() {
    fail(this.type, this.hint);
  }
}

// Func is a function: f(positional, named), the latter an object or null.
export class Func {
  constructor(name, f, text) {
    Object.assign(this, { name, f, text });
  }
}

// Thing is any other object: it says its own attributes (undefined if there is none), text and calls.
export class Thing {
  attr() {}
  toString() {
    return "<object>";
  }
}

// signature binds arguments to parameters: "a b?" are names, optional with ?; those before / have no names. Missing ones are undefined.
export function signature(name, params) {
  const list = params.split(" ").filter((p) => p && p !== "/"), closed = params.startsWith("/");
  const names = list.map((p) => p.replace("?", ""));
  return (pos, kw) => {
    if (pos.length > names.length) fail("TypeError", `${name}() takes ${names.length} positional arguments but ${pos.length} were given`);
    const out = names.map((_, i) => pos[i]);
    for (const [k, v] of Object.entries(kw ?? {})) {
      const i = closed ? -1 : names.indexOf(k);
      if (i < 0) fail("TypeError", `${name}() got an unexpected keyword argument '${k}'`);
      if (out[i] !== undefined) fail("TypeError", `${name}() got multiple values for argument '${k}'`);
      out[i] = v;
    }
    list.forEach((p, i) => {
      if (out[i] === undefined && !p.endsWith("?")) fail("TypeError", `${name}() missing a required argument: '${names[i]}'`);
    });
    return out;
  };
}

export const method = (name, params, f) => {
  const bind = signature(name, params);
  return new Func(name, (pos, kw) => f(...bind(pos, kw)), `<built-in method ${name}>`);
};

export const isText = (v) => typeof v === "string" || v instanceof Markup;
export const text = (v) => (v instanceof Markup ? v.s : v);
export const isInt = (v) => typeof v === "number" || typeof v === "bigint";
export const isNumber = (v) => isInt(v) || typeof v === "boolean" || v instanceof Float;

// value is the number that a number, bool or float has, in JavaScript.
export const value = (v) => (v instanceof Float ? v.v : typeof v === "boolean" ? Number(v) : v);

// int is an integer in its usual form.
export const int = (v) => (typeof v === "bigint" && v >= -(2n ** 53n) && v <= 2n ** 53n ? Number(v) : v);

const hasPairs = (s) => /[\ud800-\udbff]/.test(s);
export const points = (s) => (hasPairs(s) ? [...s] : s.split(""));

const types = [[Float, "float"], [Tuple, "tuple"], [Markup, "Markup"], [Bytes, "bytes"], [Dict, "dict"], [Range, "range"], [Gen, "generator"], [Undefined, "Undefined"], [Func, "function"]];

export function typeName(v) {
  if (v === null) return "NoneType";
  if (Array.isArray(v)) return "list";
  if (v instanceof View) return `dict_${v.kind}`;
  return { string: "str", boolean: "bool", number: "int", bigint: "int" }[typeof v] ?? types.find(([c]) => v instanceof c)?.[1] ?? "object";
}

// hash is the key of a value in a Map.
function hash(v) {
  if (isText(v)) return "s" + text(v);
  if (isNumber(v)) return "n" + value(v);
  if (v === null) return "N";
  if (v instanceof Tuple) return "t" + v.items.map((x) => JSON.stringify([hash(x)].map(String))).join();
  if (v instanceof Undefined && v.type !== "UndefinedError") v.fail();
  if (Array.isArray(v) || v instanceof Dict) fail("TypeError", `unhashable type: '${typeName(v)}'`);
  return v instanceof Undefined ? "U" : v;
}

export function truth(v) {
  if (v === null || v === undefined) return false;
  if (isNumber(v)) return value(v) != 0;
  if (isText(v)) return text(v) !== "";
  if (v instanceof Undefined) return v.type === "UndefinedError" ? false : v.fail();
  if (v instanceof Tuple) return v.items.length > 0;
  if (v instanceof Dict) return v.size > 0;
  if (v instanceof View) return v.dict.size > 0;
  if (v instanceof Bytes) return v.data.length > 0;
  return Array.isArray(v) || v instanceof Range ? v.length > 0 : true;
}

// floatText is repr of a float.
export function floatText(v) {
  if (v !== v) return "nan";
  if (Math.abs(v) === Infinity) return v < 0 ? "-inf" : "inf";
  const [m, e] = Math.abs(v).toExponential().split("e"), n = Number(e), digits = m.replace(".", ""), sign = v < 0 || Object.is(v, -0) ? "-" : "";
  if (n < -4 || n >= 16) return `${sign}${m}e${n < 0 ? "-" : "+"}${String(Math.abs(n)).padStart(2, "0")}`;
  if (n < 0) return `${sign}0.${"0".repeat(-n - 1)}${digits}`;
  const all = digits.padEnd(n + 1, "0");
  return `${sign}${all.slice(0, n + 1)}.${all.slice(n + 1) || "0"}`;
}

const escapes = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

function quoted(s) {
  const q = s.includes("'") && !s.includes('"') ? '"' : "'";
  return q + s.replace(/[\\'\p{C}\p{Z}]/gu, (c) => {
    if (c === " " || (c === "'" && q === '"')) return c;
    if (c === "'") return "\\'";
    const n = c.codePointAt(0), hex = (w) => n.toString(16).padStart(w, "0");
    return escapes[c] ?? (n < 256 ? "\\x" + hex(2) : n < 65536 ? "\\u" + hex(4) : "\\U" + hex(8));
  }) + q;
}

export function repr(v) {
  if (typeof v === "string") return quoted(v);
  if (v instanceof Markup) return `Markup(${quoted(v.s)})`;
  if (v instanceof Undefined) return v.type === "UndefinedError" ? "Undefined" : v.fail();
  return str(v);
}

export function str(v) {
  if (isText(v)) return text(v);
  if (v === null) return "None";
  if (typeof v === "boolean") return v ? "True" : "False";
  if (isInt(v)) return String(v);
  if (v instanceof Float) return floatText(v.v);
  if (Array.isArray(v)) return `[${v.map(repr).join(", ")}]`;
  if (v instanceof Tuple) return `(${v.items.map(repr).join(", ")}${v.items.length === 1 ? "," : ""})`;
  if (v instanceof Dict) return `{${v.pairs().map(([k, x]) => `${repr(k)}: ${repr(x)}`).join(", ")}}`;
  if (v instanceof View) return `dict_${v.kind}(${str(v.list())})`;
  if (v instanceof Range) return `range(${v.start}, ${v.stop}${v.step === 1 ? "" : ", " + v.step})`;
  if (v instanceof Undefined) return v.type === "UndefinedError" || v.hint.startsWith("access to attribute") ? "" : v.fail();
  if (v instanceof Bytes) return bytesText(v.data);
  if (v instanceof Gen) return "<generator object>";
  return v instanceof Func ? v.text ?? `<function ${v.name}>` : v.toString();
}

const bytesText = (data) => {
  const body = Array.from(data, (b) => (b === 9 ? "\\t" : b === 10 ? "\\n" : b === 13 ? "\\r" : b === 92 ? "\\\\" : b < 32 || b > 126 ? "\\x" + b.toString(16).padStart(2, "0") : String.fromCharCode(b))).join("");
  return body.includes("'") && !body.includes('"') ? `b"${body}"` : `b'${body.replaceAll("'", "\\'")}'`;
};

// iterator goes through a value.
export function iterator(v) {
  if (isText(v)) return text(v)[Symbol.iterator]();
  if (Array.isArray(v)) return v[Symbol.iterator]();
  if (v instanceof Tuple) return v.items[Symbol.iterator]();
  if (v instanceof Dict) return v.keys()[Symbol.iterator]();
  if (v instanceof View || v instanceof Range) return v.list()[Symbol.iterator]();
  if (v instanceof Gen) return v.iterator;
  if (v instanceof Bytes) return v.data[Symbol.iterator]();
  if (v instanceof Undefined) return v.type === "UndefinedError" ? [][Symbol.iterator]() : v.fail();
  if (v instanceof Thing && v.iterate) return v.iterate();
  return fail("TypeError", `'${typeName(v)}' object is not iterable`);
}

export const isIterable = (v) => isText(v) || Array.isArray(v) || [Tuple, Dict, View, Range, Gen, Bytes, Undefined].some((c) => v instanceof c) || (v instanceof Thing && !!v.iterate);

export function items(v) {
  const list = [], it = iterator(v);
  for (let r = it.next(); !r.done; r = it.next()) list.push(r.value);
  return list;
}

export function length(v) {
  if (isText(v)) return points(text(v)).length;
  if (v instanceof Undefined) return v.type === "UndefinedError" ? 0 : v.fail();
  if (v instanceof Dict) return v.size;
  if (v instanceof View) return v.dict.size;
  if (v instanceof Tuple) return v.items.length;
  if (v instanceof Bytes) return v.data.length;
  if (Array.isArray(v) || v instanceof Range) return v.length;
  if (v instanceof Thing && v.count) return v.count();
  return fail("TypeError", `object of type '${typeName(v)}' has no len()`);
}

export function eq(a, b) {
  if (isNumber(a)) return isNumber(b) && value(a) == value(b);
  if (isText(a)) return isText(b) && text(a) === text(b);
  const lists = (x, y) => x.length === y.length && x.every((v, i) => same(v, y[i]) || eq(v, y[i]));
  if (Array.isArray(a)) return Array.isArray(b) && lists(a, b);
  if (a instanceof Tuple) return b instanceof Tuple && lists(a.items, b.items);
  if (a instanceof Range) return b instanceof Range && lists(a.list(), b.list());
  if (a instanceof Bytes) return b instanceof Bytes && str(a) === str(b);
  if (a instanceof Dict) return b instanceof Dict && a.size === b.size && a.pairs().every(([k, v]) => b.has(k) && (same(v, b.get(k)) || eq(v, b.get(k))));
  if (a instanceof Undefined) return b instanceof Undefined && a.type === b.type;
  if (a instanceof View && b instanceof View && a.kind !== "values") return eq(new Dict(a.list().map((k) => [k, 1])), new Dict(b.list().map((k) => [k, 1])));
  return a === b;
}

// same is "is" of Python.
export const same = (a, b) => a === b || (a instanceof Float && b instanceof Float && a === b);

function order(a, b) {
  if (isNumber(a) && isNumber(b)) return value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : value(a) == value(b) ? 0 : NaN;
  if (isText(a) && isText(b)) {
    const x = points(text(a)), y = points(text(b));
    for (let i = 0; i < x.length && i < y.length; i++) if (x[i] !== y[i]) return x[i].codePointAt(0) - y[i].codePointAt(0);
    return x.length - y.length;
  }
  if ((Array.isArray(a) && Array.isArray(b)) || (a instanceof Tuple && b instanceof Tuple)) {
    const x = a.items ?? a, y = b.items ?? b;
    for (let i = 0; i < x.length && i < y.length; i++) if (!eq(x[i], y[i])) return order(x[i], y[i]);
    return x.length - y.length;
  }
  return null;
}

export function compare(op, a, b) {
  if (op === "==") return eq(a, b);
  if (op === "!=") return !eq(a, b);
  for (const v of [a, b]) if (v instanceof Undefined) v.fail();
  const o = order(a, b);
  if (o === null) fail("TypeError", `'${op}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
  return op === "<" ? o < 0 : op === "<=" ? o <= 0 : op === ">" ? o > 0 : o >= 0;
}

export function contains(list, x) {
  if (isText(list)) {
    if (!isText(x)) x instanceof Undefined ? x.fail() : fail("TypeError", `'in <string>' requires string as left operand, not ${typeName(x)}`);
    return text(list).includes(text(x));
  }
  if (list instanceof Dict) return list.has(x);
  if (list instanceof View && list.kind === "keys") return list.dict.has(x);
  return items(list).some((v) => same(v, x) || eq(v, x));
}

const big = (v) => BigInt(v);
const most = 1 << 28;
const unsupported = (op, a, b) => {
  for (const v of [a, b]) if (v instanceof Undefined) v.fail();
  fail("TypeError", `unsupported operand type(s) for ${op}: '${typeName(a)}' and '${typeName(b)}'`);
};

// float is a number as a float.
const float = (v) => {
  const f = Number(value(v));
  if (Math.abs(f) === Infinity && !(v instanceof Float)) fail("OverflowError", "int too large to convert to float");
  return f;
};

function floorMod(a, b) {
  const m = a % b;
  return m !== 0 && m < 0 !== b < 0 ? m + b : m === 0 && b < 0 ? -0 : m;
}

function power(a, b) {
  if (a instanceof Float || b instanceof Float || value(b) < 0) {
    const x = float(a), y = float(b);
    if (x === 0 && y < 0) fail("ZeroDivisionError", "zero to a negative power");
    if (x < 0 && !Number.isInteger(y)) fail("TypeError", "complex numbers are not supported");
    const z = x ** y;
    if (Math.abs(z) === Infinity && Math.abs(x) !== Infinity) fail("OverflowError", "Numerical result out of range");
    return new Float(z);
  }
  if (value(b) > 65536) fail("OverflowError", "the exponent is too large");
  return int(big(value(a)) ** big(value(b)));
}

function numbers(op, a, b) {
  if (op === "**") return power(a, b);
  if ("/%//".includes(op) && value(b) == 0) fail("ZeroDivisionError", "division by zero");
  if (op === "/") return new Float(float(a) / float(b));
  if (a instanceof Float || b instanceof Float) {
    const x = float(a), y = float(b);
    const m = op === "%" || op === "//" ? floorMod(x, y) : 0;
    return new Float({ "+": x + y, "-": x - y, "*": x * y, "%": m, "//": Math.round((x - m) / y) }[op]);
  }
  const x = big(value(a)), y = big(value(b));
  if (op === "+") return int(x + y);
  if (op === "-") return int(x - y);
  if (op === "*") return int(x * y);
  const m = x % y, adjust = m !== 0n && m < 0n !== y < 0n;
  return int(op === "%" ? (adjust ? m + y : m) : x / y - (adjust ? 1n : 0n));
}

// arith is an arithmetic operator; format is what % does to text.
export function arith(op, a, b, format) {
  if (isNumber(a) && isNumber(b)) return numbers(op, a, b);
  if (op === "%" && isText(a)) return format(a, b);
  if (op === "+") {
    if (isText(a) && isText(b)) return joined(a, b);
    if (Array.isArray(a) && Array.isArray(b)) return [...a, ...b];
    if (a instanceof Tuple && b instanceof Tuple) return new Tuple([...a.items, ...b.items]);
  }
  if (op === "*") {
    if (isInt(a) || typeof a === "boolean") [a, b] = [b, a];
    if ((isInt(b) || typeof b === "boolean") && (isText(a) || Array.isArray(a) || a instanceof Tuple)) return repeated(a, Math.max(0, Number(value(b))));
  }
  return unsupported(op, a, b);
}

function joined(a, b) {
  if (typeof a === "string" && typeof b === "string") return a + b;
  return new Markup(text(escape(a)) + text(escape(b)));
}

function repeated(a, n) {
  if (length(a) * n > most) fail("MemoryError", "the result is too large");
  if (typeof a === "string") return a.repeat(n);
  if (a instanceof Markup) return new Markup(a.s.repeat(n));
  const list = Array(n).fill(a.items ?? a).flat();
  return a instanceof Tuple ? new Tuple(list) : list;
}

export const escape = (v) => (v instanceof Markup ? v : new Markup(str(v).replace(/[&<>'"]/g, (c) => `&${{ "&": "amp", "<": "lt", ">": "gt", "'": "#39", '"': "#34" }[c]};`)));

export function negative(v) {
  if (v instanceof Float) return new Float(-v.v);
  if (isNumber(v)) return int(-big(value(v)));
  return v instanceof Undefined ? v.fail() : fail("TypeError", `bad operand type for unary -: '${typeName(v)}'`);
}

export function positive(v) {
  if (isNumber(v)) return typeof v === "boolean" ? Number(v) : v;
  return v instanceof Undefined ? v.fail() : fail("TypeError", `bad operand type for unary +: '${typeName(v)}'`);
}

// index is an integer argument.
export function index(v, absent) {
  if (v === undefined) return absent;
  if (isInt(v) || typeof v === "boolean") return Number(v);
  return v instanceof Undefined ? v.fail() : fail("TypeError", `'${typeName(v)}' object cannot be interpreted as an integer`);
}

const sequence = (v) => (isText(v) ? points(text(v)) : Array.isArray(v) ? v : v instanceof Tuple ? v.items : v instanceof Range ? v.list() : v instanceof Bytes ? [...v.data] : null);

// item is v[key], undefined if there is none.
export function item(v, key) {
  if (v instanceof Dict) return v.get(key);
  if (v instanceof Undefined) v.fail();
  const list = sequence(v);
  if (!list || !(isInt(key) || typeof key === "boolean")) return undefined;
  const i = Number(key), x = list[i < 0 ? list.length + i : i];
  return v instanceof Markup && x !== undefined ? new Markup(x) : x;
}

export function slice(v, start, stop, step) {
  const list = sequence(v);
  if (v instanceof Undefined) v.fail();
  if (!list) fail("TypeError", v instanceof Dict ? "unhashable type: 'slice'" : `'${typeName(v)}' object is not subscriptable`);
  const n = list.length, by = step === undefined || step === null ? 1 : index(step);
  if (by === 0) fail("ValueError", "slice step cannot be zero");
  const bound = (x, absent) => {
    if (x === undefined || x === null) return absent;
    const i = index(x), low = by > 0 ? 0 : -1, high = by > 0 ? n : n - 1;
    return Math.min(Math.max(i < 0 ? i + n : i, low), high);
  };
  const from = bound(start, by > 0 ? 0 : n - 1), to = bound(stop, by > 0 ? n : -1), out = [];
  for (let i = from; by > 0 ? i < to : i > to; i += by) out.push(list[i]);
  if (isText(v)) return typeof v === "string" ? out.join("") : new Markup(out.join(""));
  return v instanceof Tuple ? new Tuple(out) : v instanceof Bytes ? new Bytes(Uint8Array.from(out)) : v instanceof Range ? new Range(v.start + from * v.step, v.start + to * v.step, v.step * by) : out;
}

// fromJS makes a value of what JSON, or a caller, gives.
export function fromJS(v) {
  if (v === undefined || v === null) return null;
  if (typeof v === "number") return Number.isInteger(v) && Math.abs(v) <= Number.MAX_SAFE_INTEGER ? v + 0 : new Float(v);
  if (Array.isArray(v)) return v.map(fromJS);
  if (typeof v === "string") return v.toWellFormed?.() ?? v;
  if (typeof v !== "object" || Object.getPrototypeOf(v) !== Object.prototype) return v;
  return new Dict(Object.entries(v).map(([k, x]) => [k, fromJS(x)]));
}
