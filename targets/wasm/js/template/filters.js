// Filters and tests of chat templates, by name. A filter is a function of the rendering, the value and the arguments.

import { Dict, Float, Gen, Markup, Tuple, Undefined, View, arith, compare, contains, eq, escape, fail, index, int, isInt, isIterable, isNumber, isText, items, iterator, length, points, same, signature, slice, str, text, truth, typeName, value, item, Func, Thing } from "./values.js";
import { fixed, isLower, isSpace, isUpper, json, need, pad, percent, replace, splitLines, strip, stripTags } from "./text.js";

// fn makes a filter of a function of the rendering and the bound parameters, of which the value is the first.
export const fn = (params, f) => {
  const bind = signature("filter", params);
  return (t, x, pos, kw) => f(t, ...bind([x, ...pos], kw));
};

const soft = (v) => (isText(v) ? v : str(v));
const wrap = (like, s) => (like instanceof Markup ? new Markup(s) : s);
const onText = (f) => fn("s", (t, s) => wrap(s, f(text(soft(s)))));

// attribute returns what takes an attribute of a value: "a.b.0", or a number.
function attribute(t, attr, absent, post = (v) => v) {
  const parts = attr === undefined || attr === null ? [] : isText(attr) ? text(attr).split(".").map((p) => (/^\d+$/.test(p) ? Number(p) : p)) : [attr];
  return (v) => post(parts.reduce((x, p) => {
    const y = t.item(x, p);
    return y instanceof Undefined && absent !== undefined && absent !== null ? absent : y;
  }, v));
}

const folded = (sensitive) => (truth(sensitive) ? (v) => v : (v) => (isText(v) ? text(v).toLowerCase() : v));

// sorted sorts by a key, keeping the order of equal ones.
function sorted(list, key, reverse) {
  const rows = list.map((v) => [key(v), v]);
  rows.sort(([a], [b]) => (compare("<", a, b) ? -1 : compare("<", b, a) ? 1 : 0) * (reverse ? -1 : 1));
  return rows.map(([, v]) => v);
}

// lazy makes a generator of a generator function.
const lazy = (f) => new Gen(f());
const each = (x) => ({ [Symbol.iterator]: () => iterator(x) });

const pick = (want, attr) => (t, x, pos, kw) => lazy(function* () {
  if (!truth(x)) return;
  if (attr && pos.length === 0) fail("FilterArgumentError", "Missing parameter for attribute name");
  const get = attr ? attribute(t, pos[0]) : (v) => v, [name, ...rest] = attr ? pos.slice(1) : pos;
  for (const v of each(x)) if (truth(name === undefined ? get(v) : t.test(text(name), get(v), rest, kw)) === want) yield v;
});

const extreme = (op) => fn("value case_sensitive? attribute?", (t, x, sensitive, attr) => {
  const list = items(x), get = attribute(t, attr, undefined, folded(sensitive));
  if (list.length === 0) return new Undefined("No aggregated item, sequence was empty.");
  return list.reduce((best, v) => (compare(op, get(v), get(best)) ? v : best));
});

// number reads a number from a value, as int() and float() of Python do; undefined if there is none.
function toFloat(v) {
  if (isNumber(v)) return Number(value(v));
  if (!isText(v)) return v instanceof Undefined && v.type !== "UndefinedError" ? v.fail() : undefined;
  const s = strip(text(v)).replace(/(?<=\d)_(?=\d)/g, "");
  if (/^[+-]?(inf|infinity)$/i.test(s)) return s.startsWith("-") ? -Infinity : Infinity;
  if (/^[+-]?nan$/i.test(s)) return NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(s) ? Number(s) : undefined;
}

function toInt(v, base = 10) {
  if (isInt(v) || typeof v === "boolean") return typeof v === "boolean" ? Number(v) : v;
  if (isText(v)) {
    const s = strip(text(v)).toLowerCase().replace(/(?<=[0-9a-z])_(?=[0-9a-z])/g, ""), m = /^([+-]?)(0x|0o|0b)?([0-9a-z]+)$/.exec(s);
    const own = { "0x": 16, "0o": 8, "0b": 2 }[m?.[2]], b = base === 0 ? own ?? 10 : base;
    if (m && (own === undefined || own === b) && [...m[3]].every((c) => parseInt(c, 36) < b)) {
      const n = [...m[3]].reduce((sum, c) => sum * BigInt(b) + BigInt(parseInt(c, 36)), 0n);
      return int(m[1] === "-" ? -n : n);
    }
  }
  const f = toFloat(v);
  return f === undefined || !Number.isFinite(f) ? undefined : int(BigInt(Math.trunc(f)));
}

// rounded is round(v, places).
function rounded(v, places) {
  if (!(v instanceof Float)) {
    if (!isNumber(v)) fail("TypeError", `type ${typeName(v)} doesn't define __round__ method`);
    const n = BigInt(value(v));
    if (places >= 0) return int(n);
    const unit = 10n ** BigInt(-places), low = n - (((n % unit) + unit) % unit), twice = (n - low) * 2n;
    return int(twice > unit || (twice === unit && (low / unit) % 2n !== 0n) ? low + unit : low);
  }
  if (!Number.isFinite(v.v)) return v;
  return new Float(Number(fixed(v.v, places)) * (v.v < 0 || Object.is(v.v, -0) ? -1 : 1));
}

function roundFilter(t, v, precision, method = "common") {
  if (!["common", "ceil", "floor"].includes(text(method))) fail("FilterArgumentError", "method must be common, ceil or floor");
  const places = precision ?? 0;
  if (text(method) === "common") return rounded(v, index(places));
  const unit = arith("**", 10, places), x = arith("*", v, unit);
  return arith("/", x instanceof Float ? int(BigInt(Math[text(method)](x.v))) : x, unit);
}

function tojson(t, x, ascii, indent, separators, sort) {
  const o = { ascii: truth(ascii), indent: null, item: ", ", key: ": ", sort: truth(sort) && ((pairs) => sorted(pairs, ([k]) => k)) };
  if (indent !== undefined && indent !== null) Object.assign(o, { item: ",", indent: isText(indent) ? text(indent) : " ".repeat(Math.max(0, index(indent))) });
  if (separators !== undefined && separators !== null) [o.item, o.key] = t.unpack(separators, 2).map(need);
  return json(x, o);
}

function indentFilter(t, s, width = 4, first, blank) {
  const by = isText(width) ? text(width) : " ".repeat(Math.max(0, index(width))), lines = splitLines(need(arith("+", s, "\n")));
  const rest = lines.slice(1).map((l) => "\n" + (l !== "" || truth(blank) ? by + l : l));
  return wrap(s, (truth(first) ? by : "") + (lines[0] ?? "") + rest.join(""));
}

function truncate(t, s, size = 255, whole, end = "...", leeway) {
  const n = points(need(end)).length, slack = leeway ?? 5;
  if (!compare(">=", size, n)) fail("AssertionError", `expected length >= ${n}, got ${str(size)}`);
  if (!compare(">=", slack, 0)) fail("AssertionError", `expected leeway >= 0, got ${str(slack)}`);
  if (compare("<=", length(s), arith("+", size, slack))) return s;
  let head = slice(s, null, arith("-", size, n));
  if (!truth(whole)) head = t.item(t.call(t.attr(head, "rsplit"), [" ", 1]), 0);
  return arith("+", head, end);
}

// wordwrap breaks lines at spaces, like textwrap of Python.
function wordwrap(t, s, width, breakLong = true, glue = "\n", hyphens = true) {
  const most = index(width, 79);
  return splitLines(text(soft(s))).map((line) => wrapped(line, most, truth(breakLong), truth(hyphens)).join(glue)).join(glue);
}

function wrapped(line, most, breakLong, hyphens) {
  const chunks = line.split(/(\s+)/).flatMap((w) => (hyphens ? w.split(/(?<=[^\s\d\W]{2}-)(?=\w)/) : [w])).filter((w) => w !== "").reverse(), lines = [];
  while (chunks.length) {
    let now = [], n = 0;
    if (lines.length && /^\s+$/.test(chunks.at(-1))) chunks.pop();
    while (chunks.length && n + points(chunks.at(-1)).length <= most) n += points(now[now.push(chunks.pop()) - 1]).length;
    if (chunks.length && points(chunks.at(-1)).length > most) {
      const room = Math.max(1, most) - n, long = points(chunks.pop());
      if (breakLong) {
        now.push(long.slice(0, room).join(""));
        chunks.push(long.slice(room).join(""));
      } else if (now.length === 0) now.push(long.join(""));
      else chunks.push(long.join(""));
    }
    if (now.length && /^\s+$/.test(now.at(-1)) && (lines.length || now.length > 1 || chunks.length)) now.pop();
    if (now.length) lines.push(now.join(""));
  }
  return lines;
}

const quoteURL = (v, query) => {
  const s = encodeURIComponent(str(v)).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  return query ? s.replaceAll("%20", "+") : s.replaceAll("%2F", "/");
};

function urlencode(t, v) {
  if (isText(v) || !isIterable(v)) return quoteURL(v);
  return items(v instanceof Dict ? new View(v, "items") : v).map((p) => t.unpack(p, 2).map((x) => quoteURL(x, true)).join("=")).join("&");
}

function fileSize(t, v, binary) {
  const size = toFloat(v) ?? fail("ValueError", "could not convert to float"), base = truth(binary) ? 1024 : 1000, prefixes = truth(binary) ? "KMGTPEZY" : "kMGTPEZY";
  if (size === 1) return "1 Byte";
  if (size < base) return `${Math.trunc(size)} Bytes`;
  let i = 0;
  while (i < 7 && size >= base ** (i + 2)) i++;
  return `${fixed((base * size) / base ** (i + 2), 1)} ${prefixes[i]}${truth(binary) ? "iB" : "B"}`;
}

function groupby(t, x, attr, absent, sensitive) {
  const key = attribute(t, attr, absent, folded(sensitive)), shown = attribute(t, attr, absent), out = [];
  let last;
  for (const v of sorted(items(x), key)) {
    if (out.length === 0 || !eq(key(v), last)) out.push(new Tuple([shown(v), []], ["grouper", "list"]));
    last = key(v);
    out.at(-1).items[1].push(v);
  }
  return out;
}

const pairsOf = (v) => (v instanceof Dict ? v.pairs().map((p) => new Tuple(p)) : v instanceof Undefined ? v.fail() : fail("TypeError", "Can only get item pairs from a mapping."));

const size = fn("/ obj", (t, v) => length(v));
const standard = fn("value default_value? boolean?", (t, v, absent = "", falsy) => (v instanceof Undefined && v.type === "UndefinedError" ? absent : truth(falsy) && !truth(v) ? absent : v));
const escaped = fn("/ s", (t, v) => escape(v));

export const filters = {
  count: size, length: size, default: standard, d: standard, e: escaped, escape: escaped,
  forceescape: fn("value", (t, v) => escape(str(v))),
  safe: fn("value", (t, v) => new Markup(str(v))),
  string: fn("/ s", (t, v) => soft(v)),
  list: fn("value", (t, v) => items(v)),
  abs: fn("/ x", (t, v) => (v instanceof Float ? new Float(Math.abs(v.v)) : isNumber(v) ? (value(v) < 0 ? int(-BigInt(v)) : Number.isInteger(value(v)) ? value(v) : v) : fail("TypeError", `bad operand type for abs(): '${typeName(v)}'`))),
  attr: fn("obj name", (t, v, name) => t.attributeOnly(v, need(name))),
  random: fn("seq", (t, v) => (length(v) ? t.item(v, Math.floor(Math.random() * length(v))) : new Undefined("No random item, sequence was empty."))),
  tojson: fn("x ensure_ascii? indent? separators? sort_keys?", tojson),
  upper: onText((s) => s.toUpperCase()),
  lower: onText((s) => s.toLowerCase()),
  capitalize: fn("s", (t, s) => t.call(t.attr(soft(s), "capitalize"), [])),
  title: fn("s", (t, s) => text(soft(s)).replace(/[^-({[<\s\x1c-\x1f\x85]+/g, (w) => {
    const [c, ...rest] = points(w);
    return c.toUpperCase() + rest.join("").toLowerCase();
  })),
  trim: fn("value chars?", (t, s, chars) => wrap(s, strip(text(soft(s)), chars))),
  center: fn("value width?", (t, s, n) => wrap(s, pad(text(soft(s)), index(n, 80)))),
  replace: fn("s old new count?", (t, s, old, by, n) => {
    const count = index(n ?? undefined, -1);
    if (!t.escaping) return replace(str(s), str(old), str(by), count);
    const x = old instanceof Markup || (by instanceof Markup && !(s instanceof Markup)) ? escape(s) : soft(s);
    return t.call(t.attr(x, "replace"), [soft(old), soft(by), count]);
  }),
  format: (t, x, pos, kw) => (pos.length && kw ? fail("FilterArgumentError", "can't handle positional and keyword arguments at the same time") : percent(soft(x), kw ? new Dict(Object.entries(kw)) : new Tuple(pos))),
  indent: fn("s width? first? blank?", indentFilter),
  truncate: fn("s length? killwords? end? leeway?", truncate),
  wordcount: fn("s", (t, s) => (text(soft(s)).match(/[\p{L}\p{N}_]+/gu) ?? []).length),
  wordwrap: fn("s width? break_long_words? wrapstring? break_on_hyphens?", wordwrap),
  striptags: fn("value", (t, v) => stripTags(str(v))),
  urlencode: fn("value", urlencode),
  xmlattr: fn("d autospace?", (t, d, space = true) => {
    const list = pairsOf(d).map((p) => p.items).filter(([, v]) => v !== null && !(v instanceof Undefined)).map(([k, v]) => (/[\s/>=]/.test(need(k)) ? fail("ValueError", "Invalid character in attribute name") : `${text(escape(k))}="${text(escape(v))}"`));
    return t.marked((list.length && truth(space) ? " " : "") + list.join(" "));
  }),
  first: fn("seq", (t, v) => {
    const r = iterator(v).next();
    return r.done ? new Undefined("No first item, sequence was empty.") : r.value;
  }),
  last: fn("seq", (t, v) => (v instanceof Gen ? fail("TypeError", "'generator' object is not reversible") : items(v).at(-1) ?? (length(v) ? null : new Undefined("No last item, sequence was empty.")))),
  join: fn("value d? attribute?", (t, v, glue = "", attr) => {
    const list = items(v).map(attribute(t, attr));
    if (!t.escaping || ![glue, ...list].some((x) => x instanceof Markup)) return list.map(str).join(str(glue));
    return new Markup(list.map((x) => text(escape(x))).join(text(escape(glue))));
  }),
  reverse: fn("value", (t, v) => (isText(v) ? slice(v, null, null, -1) : v instanceof Gen ? items(v).reverse() : isIterable(v) ? new Gen(items(v).reverse()[Symbol.iterator]()) : fail("FilterArgumentError", "argument must be iterable"))),
  batch: fn("value linecount fill_with?", (t, v, n, fill = null) => lazy(function* () {
    let row = [];
    for (const x of each(v)) {
      if (eq(row.length, n)) {
        yield row;
        row = [];
      }
      row.push(x);
    }
    while (row.length && fill !== null && row.length < index(n)) row.push(fill);
    if (row.length) yield row;
  })),
  slice: fn("value slices fill_with?", (t, v, slices, fill = null) => lazy(function* () {
    const list = items(v), n = index(slices);
    if (n === 0) fail("ZeroDivisionError", "integer division or modulo by zero");
    const per = Math.floor(list.length / n), extra = list.length - per * n;
    for (let i = 0, at = 0; i < n; i++) {
      const row = list.slice(at, (at += per + (i < extra ? 1 : 0)));
      yield fill !== null && i >= extra ? [...row, fill] : row;
    }
  })),
  items: fn("value", (t, v) => lazy(function* () {
    if (!(v instanceof Undefined)) yield* pairsOf(v);
  })),
  dictsort: fn("value case_sensitive? by? reverse?", (t, d, sensitive, by = "key", reverse) => {
    const at = ["key", "value"].indexOf(text(by)), fold = folded(sensitive);
    if (at < 0) fail("FilterArgumentError", 'You can only sort by either "key" or "value"');
    return sorted(pairsOf(d), (p) => fold(p.items[at]), truth(reverse));
  }),
  sort: fn("value reverse? case_sensitive? attribute?", (t, v, reverse, sensitive, attr) => {
    const gets = (isText(attr) ? text(attr).split(",") : [attr]).map((a) => attribute(t, a, undefined, folded(sensitive)));
    return sorted(items(v), (x) => gets.map((get) => get(x)), truth(reverse));
  }),
  unique: fn("value case_sensitive? attribute?", (t, v, sensitive, attr) => lazy(function* () {
    const get = attribute(t, attr, undefined, folded(sensitive)), seen = new Dict();
    for (const x of each(v)) {
      if (seen.has(get(x))) continue;
      seen.set(get(x), true);
      yield x;
    }
  })),
  groupby: fn("value attribute default? case_sensitive?", groupby),
  min: extreme("<"),
  max: extreme(">"),
  int: fn("value default? base?", (t, v, absent = 0, base) => toInt(v, isText(v) ? index(base, 10) : 10) ?? absent),
  float: fn("value default?", (t, v, absent = new Float(0)) => {
    const f = toFloat(v);
    return f === undefined ? absent : new Float(f);
  }),
  round: fn("value precision? method?", roundFilter),
  sum: fn("iterable attribute? start?", (t, v, attr, start = 0) => (isText(start) ? fail("TypeError", "sum() can't sum strings") : items(v).map(attribute(t, attr)).reduce((a, b) => arith("+", a, b), start))),
  filesizeformat: fn("value binary?", fileSize),
  map: (t, x, pos, kw) => lazy(function* () {
    if (!truth(x)) return;
    const { attribute: attr, default: absent, ...more } = kw ?? {};
    if (pos.length === 0 && (attr === undefined || Object.keys(more).length)) fail("FilterArgumentError", "map requires a filter argument");
    const [name, ...rest] = pos, f = pos.length ? (v) => t.filter(text(name), v, rest, kw) : attribute(t, attr, absent);
    for (const v of each(x)) yield f(v);
  }),
  select: pick(true, false),
  reject: pick(false, false),
  selectattr: pick(true, true),
  rejectattr: pick(false, true),
};

const is = (f) => fn("value", (t, v) => f(v));
const mod = (v, n) => arith("%", v, n, percent);
const operators = { "==": "eq equalto", "!=": "ne", ">": "gt greaterthan", ">=": "ge", "<": "lt lessthan", "<=": "le" };

export const tests = {
  odd: is((v) => eq(mod(v, 2), 1)),
  even: is((v) => eq(mod(v, 2), 0)),
  defined: is((v) => !(v instanceof Undefined)),
  undefined: is((v) => v instanceof Undefined),
  none: is((v) => v === null),
  boolean: is((v) => typeof v === "boolean"),
  true: is((v) => v === true),
  false: is((v) => v === false),
  integer: is(isInt),
  float: is((v) => v instanceof Float),
  number: is(isNumber),
  string: is(isText),
  mapping: is((v) => v instanceof Dict),
  lower: is((v) => isLower(str(v))),
  upper: is((v) => isUpper(str(v))),
  sequence: is((v) => isText(v) || Array.isArray(v) || ["Tuple", "Dict", "Range", "Bytes", "Undefined"].includes(v?.constructor?.name)),
  iterable: is(isIterable),
  escaped: is((v) => v instanceof Markup),
  callable: is((v) => v instanceof Func || (v instanceof Thing && !!v.call) || v instanceof Undefined),
  filter: is((v) => Object.hasOwn(filters, text(v))),
  test: is((v) => Object.hasOwn(tests, text(v))),
  divisibleby: fn("value num", (t, v, n) => eq(mod(v, n), 0)),
  sameas: fn("value other", (t, v, other) => same(v, other)),
  in: fn("value seq", (t, v, list) => contains(list, v)),
};
for (const [op, names] of Object.entries(operators)) for (const name of [op, ...names.split(" ")]) tests[name] = fn("/ a b", (t, a, b) => compare(op, a, b));
