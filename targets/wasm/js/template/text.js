// Text of chat templates: the methods of str, formatting, JSON and dates.

import { Bytes, Dict, Float, Func, Markup, Tuple, Undefined, escape, fail, floatText, index, int, isNumber, isText, item, items, method, points, repr, str, text, truth, typeName, value } from "./values.js";

export const space = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
export const isSpace = (s) => new RegExp(`^[${space}]+$`).test(s);
const leading = new RegExp(`^[${space}]+`), trailing = new RegExp(`[${space}]+$`), gaps = new RegExp(`[${space}]+`, "g");

const titles = { Ǆ: "ǅ", ǆ: "ǅ", Ǉ: "ǈ", ǉ: "ǈ", Ǌ: "ǋ", ǌ: "ǋ", Ǳ: "ǲ", ǳ: "ǲ", ß: "Ss", ﬀ: "Ff", ﬁ: "Fi", ﬂ: "Fl", ﬃ: "Ffi", ﬄ: "Ffl", ﬅ: "St", ﬆ: "St" };
export const titleCase = (c) => titles[c] ?? c.toUpperCase();
const cased = /\p{Lu}|\p{Ll}|\p{Lt}|[ªºᵃⅰ-ⅿⅠ-Ⅿⓐ-ⓩⒶ-Ⓩ]/u;

export function strip(s, chars, left = true, right = true) {
  if (chars === undefined || chars === null) {
    if (left) s = s.replace(leading, "");
    return right ? s.replace(trailing, "") : s;
  }
  const set = new Set(text(need(chars))), list = points(s);
  let from = 0, to = list.length;
  while (left && from < to && set.has(list[from])) from++;
  while (right && to > from && set.has(list[to - 1])) to--;
  return list.slice(from, to).join("");
}

export const need = (v) => (isText(v) ? text(v) : v instanceof Undefined ? v.fail() : fail("TypeError", `expected str, got ${typeName(v)}`));

export function splitLines(s, keep) {
  const lines = s.match(/[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|$)/g).filter((l, i, all) => l !== "" || i < all.length - 1);
  return keep ? lines : lines.map((l) => l.replace(/(\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])$/, ""));
}

function split(s, sep, most = -1, fromRight = false) {
  most = index(most);
  const all = sep === undefined || sep === null ? strip(s).split(gaps).filter((x) => x !== "") : separated(s, need(sep));
  if (most < 0 || all.length <= most + 1) return all;
  if (sep === undefined || sep === null) return splitSpace(s, most, fromRight);
  const glue = text(sep);
  return fromRight ? [all.slice(0, all.length - most).join(glue), ...all.slice(all.length - most)] : [...all.slice(0, most), all.slice(most).join(glue)];
}

const separated = (s, sep) => (sep === "" ? fail("ValueError", "empty separator") : s.split(sep));

function splitSpace(s, most, fromRight) {
  const out = [], cut = new RegExp(fromRight ? `[^${space}]+$` : `^[^${space}]+`);
  for (s = strip(s); most > 0 && s !== ""; most--) {
    const [word] = cut.exec(s);
    out.push(word);
    s = fromRight ? strip(s.slice(0, s.length - word.length), null, false) : strip(s.slice(word.length), null, true, false);
  }
  if (s !== "") out.push(s);
  return fromRight ? out.reverse() : out;
}

export function replace(s, old, by, count = -1) {
  if (count < 0) return old === "" ? by + points(s).map((c) => c + by).join("") : s.replaceAll(old, () => by);
  const parts = old === "" ? ["", ...points(s), ""] : s.split(old), n = Math.min(count, parts.length - 1);
  return parts.slice(0, n + 1).join(by) + parts.slice(n + 1).map((p) => old + p).join("");
}

// find returns the place, in code points, of a text in a part of another.
function find(s, x, start, stop, fromRight) {
  const list = points(s), n = list.length;
  const bound = (v, absent) => (v === undefined || v === null ? absent : index(v) < 0 ? Math.max(0, n + index(v)) : index(v));
  const from = bound(start, 0), part = list.slice(from, bound(stop, n)).join("");
  const at = from > n ? -1 : fromRight ? part.lastIndexOf(need(x)) : part.indexOf(need(x));
  return at < 0 ? -1 : from + points(part.slice(0, at)).length;
}

const part = (s, start, stop) => points(s).slice(start === undefined || start === null ? 0 : index(start), stop === undefined || stop === null ? undefined : index(stop)).join("");

// affix is startswith and endswith, which take several.
const affix = (name) => (s, x, start, stop) => (x instanceof Tuple ? x.items : [x]).some((y) => part(s, start, stop)[name](need(y)));

export function pad(s, width, fill = " ", where) {
  const n = Math.max(0, width - points(s).length), left = where === "left" ? n : where === "right" ? 0 : (n >> 1) + (n & width & 1);
  if (points(fill).length !== 1) fail("TypeError", "The fill character must be exactly one character long");
  return fill.repeat(left) + s + fill.repeat(n - left);
}

export function title(s) {
  let inside = false;
  return points(s).map((c) => {
    const is = cased.test(c), out = is ? (inside ? c.toLowerCase() : titleCase(c)) : c;
    inside = is;
    return out;
  }).join("");
}

const capital = (s) => {
  const [c = "", ...rest] = points(s);
  return titleCase(c) + rest.join("").toLowerCase();
};

// parted is partition and rpartition: a text before, at and behind a separator.
function parted(s, separator, fromRight) {
  const sep = need(separator), at = fromRight ? s.lastIndexOf(sep) : s.indexOf(sep);
  if (sep === "") fail("ValueError", "empty separator");
  if (at < 0) return new Tuple(fromRight ? ["", "", s] : [s, "", ""]);
  return new Tuple([s.slice(0, at), sep, s.slice(at + sep.length)]);
}

const all = (pattern) => (s) => s !== "" && points(s).every((c) => pattern.test(c));
export const isLower = (s) => cased.test(s) && !/\p{Lu}|\p{Lt}/u.test(s);
export const isUpper = (s) => cased.test(s) && !/\p{Ll}|\p{Lt}/u.test(s);

// methods of str by name: parameters, and the function of the text and them.
const methods = {
  upper: ["", (s) => s.toUpperCase()],
  lower: ["", (s) => s.toLowerCase()],
  casefold: ["", (s) => s.replaceAll("ẞ", "ss").replaceAll("ß", "ss").toLowerCase().replaceAll("ς", "σ")],
  title: ["", title],
  capitalize: ["", capital],
  swapcase: ["", (s) => points(s).map((c) => (c.toLowerCase() === c ? c.toUpperCase() : c.toLowerCase())).join("")],
  strip: ["/ chars?", (s, c) => strip(s, c)],
  lstrip: ["/ chars?", (s, c) => strip(s, c, true, false)],
  rstrip: ["/ chars?", (s, c) => strip(s, c, false, true)],
  split: ["sep? maxsplit?", (s, sep, most) => split(s, sep, most)],
  rsplit: ["sep? maxsplit?", (s, sep, most) => split(s, sep, most, true)],
  splitlines: ["keepends?", (s, keep) => splitLines(s, truth(keep))],
  replace: ["old new count?", (s, old, by, count) => replace(s, need(old), need(by), index(count, -1))],
  startswith: ["/ prefix start? end?", affix("startsWith")],
  endswith: ["/ suffix start? end?", affix("endsWith")],
  find: ["/ sub start? end?", (s, x, a, b) => find(s, x, a, b)],
  rfind: ["/ sub start? end?", (s, x, a, b) => find(s, x, a, b, true)],
  index: ["/ sub start? end?", (s, x, a, b) => found(find(s, x, a, b))],
  rindex: ["/ sub start? end?", (s, x, a, b) => found(find(s, x, a, b, true))],
  count: ["/ sub start? end?", (s, x, a, b) => (need(x) === "" ? points(part(s, a, b)).length + 1 : part(s, a, b).split(text(x)).length - 1)],
  join: ["/ iterable", (s, list) => items(list).map((v, i) => (isText(v) ? text(v) : fail("TypeError", `sequence item ${i}: expected str instance, ${typeName(v)} found`))).join(s)],
  center: ["/ width fill?", (s, n, c) => pad(s, index(n), c)],
  ljust: ["/ width fill?", (s, n, c) => pad(s, index(n), c, "right")],
  rjust: ["/ width fill?", (s, n, c) => pad(s, index(n), c, "left")],
  zfill: ["/ width", (s, n) => (/^[+-]/.test(s) ? s[0] + pad(s.slice(1), index(n) - 1, "0", "left") : pad(s, index(n), "0", "left"))],
  partition: ["/ sep", (s, sep) => parted(s, sep)],
  rpartition: ["/ sep", (s, sep) => parted(s, sep, true)],
  removeprefix: ["/ prefix", (s, x) => (s.startsWith(need(x)) ? s.slice(text(x).length) : s)],
  removesuffix: ["/ suffix", (s, x) => (need(x) !== "" && s.endsWith(text(x)) ? s.slice(0, -text(x).length) : s)],
  expandtabs: ["tabsize?", (s, n) => expandTabs(s, index(n, 8))],
  encode: ["encoding? errors?", (s) => new Bytes(new TextEncoder().encode(s))],
  isdigit: ["", all(/[\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨]/u)],
  isdecimal: ["", all(/\p{Nd}/u)],
  isnumeric: ["", all(/[\p{N}一二三四五六七八九十百千万億]/u)],
  isalpha: ["", all(/\p{L}/u)],
  isalnum: ["", all(/[\p{L}\p{N}]/u)],
  isspace: ["", isSpace],
  isupper: ["", isUpper],
  islower: ["", isLower],
  istitle: ["", (s) => cased.test(s) && title(s) === s],
  isascii: ["", (s) => !/[^\0-\x7f]/.test(s)],
  isprintable: ["", (s) => !/[\p{C}\p{Z}]/u.test(s.replaceAll(" ", ""))],
  isidentifier: ["", (s) => /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(s)],
};

const found = (at) => (at < 0 ? fail("ValueError", "substring not found") : at);

function expandTabs(s, size) {
  let column = 0;
  return points(s).map((c) => {
    if (c === "\n" || c === "\r") column = -1;
    const n = c === "\t" && size > 0 ? size - (column % size) : 1;
    column += c === "\t" && size <= 0 ? 0 : n;
    return c === "\t" ? " ".repeat(size > 0 ? n : 0) : c;
  }).join("");
}

export const unescape = (s) => s.replace(/&(?:(lt|gt|amp|quot|nbsp)|#(\d+)|#x([0-9a-f]+));/gi, (_, name, n, x) => (name ? { lt: "<", gt: ">", amp: "&", quot: '"', nbsp: "\xa0" }[name.toLowerCase()] : String.fromCodePoint(n ? Number(n) : parseInt(x, 16))));
export const stripTags = (s) => unescape(s.replace(/<!--[\s\S]*?-->|<[^>]*>/g, "").split(/\s+/).filter(Boolean).join(" "));

// marked keeps the methods of Markup within Markup.
const marked = (v) => (typeof v === "string" ? new Markup(v) : Array.isArray(v) ? v.map(marked) : v instanceof Tuple ? new Tuple(v.items.map(marked)) : v);

const escaped = (v) => text(escape(v));

// safely escapes the arguments that become parts of Markup: texts, and the items of join.
function safely(name, args) {
  if (["replace", "ljust", "rjust", "center"].includes(name) && args[1] !== undefined) args[1] = escaped(args[1]);
  if (name === "join") args[0] = items(args[0]).map(escaped);
  return args;
}

const ofMarkup = { __proto__: null, striptags: (v) => stripTags(v.s), unescape: (v) => unescape(v.s) };

// textMethod is a method of a text, undefined if there is none.
export function textMethod(t, v, name) {
  const markup = v instanceof Markup;
  if (name === "format" || name === "format_map") return new Func(name, (pos, kw) => format(t, v, name === "format" ? pos : [], name === "format" ? new Dict(Object.entries(kw ?? {})) : pos[0]));
  if (markup && ofMarkup[name]) return method(name, "/", () => ofMarkup[name](v));
  if (!Object.hasOwn(methods, name)) return undefined;
  const [params, f] = methods[name];
  return method(name, params, (...args) => (markup ? marked(f(v.s, ...safely(name, args))) : f(v, ...args)));
}

// exact returns the digits of |v| · 10^places, rounded half to even.
function exact(v, places) {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(v));
  const raw = bits.getBigUint64(0), e = Number(raw >> 52n), m = (raw & ((1n << 52n) - 1n)) | (e ? 1n << 52n : 0n);
  let top = m, bottom = 1n;
  const shift = (e || 1) - 1075;
  if (shift > 0) top <<= BigInt(shift);
  else bottom <<= BigInt(-shift);
  if (places > 0) top *= 10n ** BigInt(places);
  else bottom *= 10n ** BigInt(-places);
  const q = top / bottom, twice = (top - q * bottom) * 2n;
  return String(q + (twice > bottom || (twice === bottom && q & 1n) ? 1n : 0n));
}

// fixed is the absolute value with so many places.
export function fixed(v, places) {
  const s = exact(v, places).padStart(Math.max(places, 0) + 1, "0");
  return places > 0 ? `${s.slice(0, -places)}.${s.slice(-places)}` : s + "0".repeat(-places * (s !== "0"));
}

// scientific returns digits and exponent of the absolute value with so many places.
function scientific(v, places) {
  if (v === 0) return ["0".repeat(places + 1), 0];
  let e = Number(Math.abs(v).toExponential().split("e")[1]), s = exact(v, places - e);
  if (s.length > places + 1) s = exact(v, places - ++e);
  return [s, e];
}

const power10 = (e) => `e${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`;

function real(v, type, precision, alternate) {
  if (v !== v || Math.abs(v) === Infinity) return v !== v ? "nan" : "inf";
  const kind = type.toLowerCase(), places = precision ?? 6;
  if (kind === "f") return fixed(v, places);
  if (kind === "%") return fixed(v * 100, places) + "%";
  if (kind === "e") {
    const [s, e] = scientific(v, places);
    return s[0] + (places || alternate ? "." + s.slice(1) : "") + power10(e);
  }
  if (type === "" && precision === undefined) return floatText(Math.abs(v));
  const p = places || 1, [s, e] = scientific(v, p - 1), short = (x) => (alternate || !x.includes(".") ? x : x.replace(/\.?0+$/, ""));
  if (e >= -4 && e < (type === "" ? p - 1 || p : p)) {
    const out = short(fixed(v, Math.max(0, p - 1 - e)));
    return type === "" && !out.includes(".") ? out + ".0" : out;
  }
  return short(`${s[0]}.${s.slice(1)}`) + power10(e);
}

const grouped = (digits, mark, every = 3) => digits.replace(new RegExp(`\\B(?=([0-9a-f]{${every}})+(?![0-9a-f]))`, "g"), mark);

// formatted is format(v, spec).
export function formatted(v, spec) {
  const m = /^(?:(.)?([<>=^]))?([ +-])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/su.exec(spec);
  if (!m) return fail("ValueError", `Invalid format specifier '${spec}' for object of type '${typeName(v)}'`);
  let [, fill, align, sign = "-", alternate, zero, width = 0, group, precision, type = ""] = m;
  const shape = (head, body, usual) => {
    const by = fill ?? (zero && usual === ">" ? "0" : " "), where = align ?? (zero && usual === ">" ? "=" : usual), w = Number(width);
    if (where === "=") return head + pad(body, w - head.length, by, "left");
    return pad(head + body, w, by, { "<": "right", ">": "left" }[where]);
  };
  if (isText(v) || !isNumber(v) || (typeof v === "boolean" && type === "")) {
    if (!isText(v) && typeof v !== "boolean" && spec !== "") fail("TypeError", `unsupported format string passed to ${typeName(v)}.__format__`);
    if ((type && type !== "s") || align === "=") fail("ValueError", `Unknown format code '${type}' for object of type 'str'`);
    const s = str(v);
    return shape("", precision === undefined ? s : points(s).slice(0, Number(precision)).join(""), typeof v === "boolean" ? ">" : "<");
  }
  if (type === "s" || (v instanceof Float && "bcdoxX".includes(type) && type)) fail("ValueError", `Unknown format code '${type}' for object of type '${typeName(v)}'`);
  const whole = !(v instanceof Float) && ["", "b", "c", "d", "n", "o", "x", "X"].includes(type), n = value(v);
  if (type === "c") return shape("", String.fromCodePoint(Number(n)), "<");
  if (whole && precision !== undefined) fail("ValueError", "Precision not allowed in integer format specifier");
  const base = { b: 2, o: 8, x: 16, X: 16 }[type] ?? 10;
  let body = whole ? BigInt(n).toString(base).replace("-", "") : real(Number(n), type === "n" ? "g" : type, precision === undefined ? undefined : Number(precision), alternate);
  if (group) {
    const [head, ...rest] = body.split(/(?=[.e%])/);
    body = grouped(head, group, base === 10 ? 3 : 4) + rest.join("");
  }
  if (type === "X" || type === "E" || type === "F" || type === "G") body = body.toUpperCase();
  const minus = n < 0 || Object.is(n, -0), prefix = alternate && whole && base !== 10 ? `0${type}` : "";
  return shape((minus ? "-" : sign === "-" ? "" : sign) + prefix, body, ">");
}

const converted = (v, how) => (how === "r" || how === "a" ? repr(v) : how === "s" ? str(v) : v);

// format is str.format.
function format(t, v, pos, named) {
  let auto = 0;
  const markup = v instanceof Markup;
  const field = (inner) => {
    const m = /^([^.\[!:]*)((?:\.[^.\[!:]+|\[[^\]]+\])*)(?:!([rsa]))?(?::([\s\S]*))?$/.exec(inner);
    if (!m) return fail("ValueError", "expected '}' before end of string");
    let [, name, path, how, spec = ""] = m;
    if (name === "" ? auto < 0 : /^\d+$/.test(name) && auto > 0) fail("ValueError", "cannot mix automatic field numbering and manual field specification");
    if (/^\d+$/.test(name)) auto = -1;
    const at = name === "" ? auto++ : /^\d+$/.test(name) ? Number(name) : -1;
    let v = at >= 0 ? pos[at] : item(named, name);
    if (v === undefined) fail(at >= 0 ? "IndexError" : "KeyError", at >= 0 ? "Replacement index out of range for positional args tuple" : repr(name));
    for (const [step] of path.matchAll(/\.[^.\[]+|\[[^\]]+\]/g)) {
      v = step[0] === "." ? t.attribute(v, step.slice(1)) : item(v, /^\[\d+\]$/.test(step) ? Number(step.slice(1, -1)) : step.slice(1, -1));
      if (v === undefined) fail("KeyError", repr(step));
    }
    v = converted(v, how);
    if (!markup) return formatted(v, replaced(spec));
    if (!(v instanceof Markup)) return escaped(formatted(v, replaced(spec)));
    return spec === "" ? v.s : fail("ValueError", "Unsupported format specification for Markup.");
  };
  const replaced = (s) => {
    let out = "";
    for (let i = 0; i < s.length; i++) {
      const c = s[i];
      if ((c === "{" || c === "}") && s[i + 1] === c) i++;
      else if (c === "}") fail("ValueError", "Single '}' encountered in format string");
      else if (c === "{") {
        let depth = 1, j = i + 1;
        for (; j < s.length && depth > 0; j++) depth += s[j] === "{" ? 1 : s[j] === "}" ? -1 : 0;
        if (depth > 0) fail("ValueError", "expected '}' before end of string");
        out += field(s.slice(i + 1, j - 1));
        i = j - 1;
        continue;
      }
      out += c;
    }
    return out;
  };
  const out = replaced(text(v));
  return markup ? new Markup(out) : out;
}

// percent is text % arguments.
export function percent(v, args) {
  if (v instanceof Markup) { // escapes what is not a number
    const safe = (x) => (isNumber(x) ? x : escaped(x));
    args = args instanceof Tuple ? new Tuple(args.items.map(safe)) : args instanceof Dict ? new Dict(args.pairs().map(([k, x]) => [k, safe(x)])) : safe(args);
  }
  const list = args instanceof Tuple ? args.items : [args];
  let at = 0;
  const next = () => (at < list.length ? list[at++] : fail("TypeError", "not enough arguments for format string"));
  const out = text(v).replace(/%(?:\(([^)]*)\))?([#0 +-]*)(\*|\d+)?(?:\.(\*|\d+))?[hlL]?([\s\S]|$)/g, (_, key, flags, width, precision, type) => {
    const w = width === "*" ? index(next()) : Number(width ?? 0), p = precision === "*" ? index(next()) : precision === undefined ? undefined : Number(precision);
    if (type === "%") return "%";
    let x = key === undefined ? next() : args instanceof Dict ? args.get(key) ?? fail("KeyError", repr(key)) : fail("TypeError", "format requires a mapping");
    const left = flags.includes("-"), signs = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "", zero = flags.includes("0") && !left;
    if ("sra".includes(type) && type) {
      const s = points(type === "s" ? str(x) : repr(x));
      return pad(s.slice(0, p ?? s.length).join(""), w, " ", left ? "right" : "left");
    }
    if (type === "c") return pad(isText(x) ? text(x) : String.fromCodePoint(index(x)), w, " ", left ? "right" : "left");
    if (x instanceof Undefined) x.fail();
    if (!"diouxXeEfFgG".includes(type) || type === "") fail("ValueError", `unsupported format character '${type}'`);
    if (!isNumber(x)) fail("TypeError", `%${type} format: a real number is required, not ${typeName(x)}`);
    if ("diuoxX".includes(type)) {
      if (x instanceof Float) x = "diu".includes(type) ? int(BigInt(Math.trunc(x.v))) : fail("TypeError", `%${type} format: an integer is required, not float`);
      const digits = formatted(typeof x === "boolean" ? Number(x) : x, "diu".includes(type) ? "d" : (flags.includes("#") ? "#" : "") + type), minus = digits.startsWith("-");
      const body = pad(digits.replace("-", ""), p ?? 0, "0", "left"), head = minus ? "-" : signs;
      return zero && p === undefined ? head + pad(body, w - head.length, "0", "left") : pad(head + body, w, " ", left ? "right" : "left");
    }
    return formatted(new Float(Number(value(x))), `${left ? "<" : zero ? "" : ">"}${signs}${flags.includes("#") ? "#" : ""}${zero ? "0" : ""}${w || ""}.${p ?? 6}${type}`);
  });
  if (at < list.length && !(args instanceof Dict)) fail("TypeError", "not all arguments converted during string formatting");
  return v instanceof Markup ? new Markup(out) : out;
}

const jsonEscapes = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f" };
const unicode = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
const jsonText = (s, ascii) => `"${s.replace(ascii ? /[^ !#-[\]-~]/g : /["\\\0-\x1f]/g, (c) => jsonEscapes[c] ?? unicode(c))}"`;

function jsonNumber(v) {
  if (!(v instanceof Float)) return String(v);
  return Math.abs(v.v) === Infinity ? (v.v < 0 ? "-Infinity" : "Infinity") : v.v !== v.v ? "NaN" : floatText(v.v);
}

// json is json.dumps. Options: ascii, indent (text or null), item and key separators, sort.
export function json(v, o, depth = 1) {
  if (v === null) return "null";
  if (typeof v === "boolean") return String(v);
  if (isNumber(v)) return jsonNumber(v);
  if (isText(v)) return jsonText(text(v), o.ascii);
  const [open, close] = o.indent === null ? ["", ""] : ["\n" + o.indent.repeat(depth), "\n" + o.indent.repeat(depth - 1)];
  const whole = (a, list, b) => (list.length ? a + open + list.join(o.item + open) + close + b : a + b);
  if (depth > 900) fail("RecursionError", "maximum recursion depth exceeded");
  if (Array.isArray(v) || v instanceof Tuple) return whole("[", (v.items ?? v).map((x) => json(x, o, depth + 1)), "]");
  if (!(v instanceof Dict)) return fail("TypeError", `Object of type ${typeName(v)} is not JSON serializable`);
  let pairs = v.pairs();
  if (o.sort) pairs = o.sort(pairs);
  return whole("{", pairs.map(([k, x]) => {
    const name = isText(k) ? text(k) : k === null ? "null" : typeof k === "boolean" ? String(k) : isNumber(k) ? jsonNumber(k) : fail("TypeError", `keys must be str, int, float, bool or None, not ${typeName(k)}`);
    return jsonText(name, o.ascii) + o.key + json(x, o, depth + 1);
  }), "}");
}

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

// strftime formats a date in local time, as the C locale does.
export function strftime(d, spec) {
  const two = (n) => String(n).padStart(2, "0"), hour12 = d.getHours() % 12 || 12;
  const day = Math.round((new Date(d.getFullYear(), d.getMonth(), d.getDate()) - new Date(d.getFullYear(), 0, 1)) / 864e5);
  const codes = {
    Y: () => String(d.getFullYear()), m: () => two(d.getMonth() + 1), d: () => two(d.getDate()), H: () => two(d.getHours()), I: () => two(hour12), M: () => two(d.getMinutes()),
    S: () => two(d.getSeconds()), y: () => two(d.getFullYear() % 100), C: () => two(Math.floor(d.getFullYear() / 100)), b: () => months[d.getMonth()].slice(0, 3), h: () => codes.b(),
    B: () => months[d.getMonth()], a: () => days[d.getDay()].slice(0, 3), A: () => days[d.getDay()], p: () => (d.getHours() < 12 ? "AM" : "PM"), P: () => codes.p().toLowerCase(),
    j: () => String(day + 1).padStart(3, "0"), e: () => String(d.getDate()).padStart(2), k: () => String(d.getHours()).padStart(2), l: () => String(hour12).padStart(2),
    w: () => String(d.getDay()), u: () => String(d.getDay() || 7), f: () => String(d.getMilliseconds() * 1000).padStart(6, "0"), s: () => String(Math.floor(d / 1000)),
    U: () => two(Math.floor((day + 7 - d.getDay()) / 7)), W: () => two(Math.floor((day + 7 - ((d.getDay() + 6) % 7)) / 7)),
    D: () => strftime(d, "%m/%d/%y"), F: () => strftime(d, "%Y-%m-%d"), T: () => strftime(d, "%H:%M:%S"), R: () => strftime(d, "%H:%M"), r: () => strftime(d, "%I:%M:%S %p"),
    c: () => strftime(d, "%a %b %e %H:%M:%S %Y"), x: () => codes.D(), X: () => codes.T(), z: () => "", Z: () => "", n: () => "\n", t: () => "\t", "%": () => "%",
  };
  return spec.replace(/%(-?)([A-Za-z%])/g, (whole, bare, c) => (codes[c] ? (bare ? codes[c]().replace(/^[0 ]+(?=.)/, "") : codes[c]()) : whole));
}
