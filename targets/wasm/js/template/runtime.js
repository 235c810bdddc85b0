// What compiled chat templates call: a rendering with its variables, output, loops and macros. runtime/template is the same in Go.

import { Dict, Float, Func, Gen, Markup, PyError, Range, Thing, Tuple, Undefined, View, arith, compare, contains, eq, escape, fail, index, isInt, isNumber, isText, item, items, iterator, length, method, negative, positive, repr, signature, slice, str, text, truth, typeName, value } from "./values.js";
import { isSpace, need, percent, strftime, textMethod } from "./text.js";
import { filters, tests } from "./filters.js";

const maxSteps = 20e6, maxRange = 100000, maxText = 1 << 28;
const mutating = { list: "append clear extend insert pop remove reverse sort", dict: "clear pop popitem setdefault update" };

// methods of lists, dictionaries and tuples that change nothing.
const own = {
  list: { copy: ["", (v) => [...v]], index: ["/ value", (v, x) => place(v, x)], count: ["/ value", (v, x) => v.filter((y) => eq(x, y)).length] },
  tuple: { index: ["/ value", (v, x) => place(v.items, x)], count: ["/ value", (v, x) => v.items.filter((y) => eq(x, y)).length] },
  dict: {
    get: ["/ key default?", (v, k, absent = null) => v.get(k) ?? (v.has(k) ? null : absent)], items: ["", (v) => new View(v, "items")],
    keys: ["", (v) => new View(v, "keys")], values: ["", (v) => new View(v, "values")], copy: ["", (v) => new Dict(v.pairs())],
  },
};

function place(list, x) {
  const i = list.findIndex((y) => eq(x, y));
  return i < 0 ? fail("ValueError", "value not in list") : i;
}

// members returns an attribute of a value, undefined if it has none.
function member(t, v, name) {
  if (isText(v)) return textMethod(t, v, name);
  const type = typeName(v), m = own[type]?.[name];
  if (m && Object.hasOwn(own[type], name)) return method(name, m[0], (...args) => m[1](v, ...args));
  if (v instanceof Tuple && v.names?.includes(name)) return v.items[v.names.indexOf(name)];
  if (v instanceof Thing) return v.attr(name, t);
  if (isNumber(v)) return numberMember(v, name);
  return v instanceof Range && ["start", "stop", "step"].includes(name) ? v[name] : undefined;
}

const numberMember = (v, name) => ({ // none of these tables has what objects of JavaScript have
  __proto__: null,
  real: () => (typeof v === "boolean" ? Number(v) : v), imag: () => (v instanceof Float ? new Float(0) : 0),
  numerator: () => (v instanceof Float ? undefined : v), denominator: () => (v instanceof Float ? undefined : 1),
  is_integer: () => method(name, "", () => !(v instanceof Float) || Number.isInteger(v.v)),
  bit_length: () => (v instanceof Float ? undefined : method(name, "", () => (value(v) == 0 ? 0 : BigInt(value(v)).toString(2).replace("-", "").length))),
}[name]?.());

// Loop is the variable loop, and goes through the values.
class Loop extends Thing {
  constructor(t, v, depth0 = 0, recurse) {
    super();
    Object.assign(this, { t, it: iterator(v), whole: v, depth0, recurse, index0: -1, ahead: [] });
  }

  // next moves to the next value, which is in value.
  next() {
    this.t.step();
    const r = this.ahead.shift() ?? this.it.next();
    if (r.done) return false;
    this.index0++;
    this.before = this.value;
    this.value = r.value;
    return true;
  }

  peek() {
    if (this.ahead.length === 0) this.ahead.push(this.it.next());
    return this.ahead[0];
  }

  count() {
    if (this.total === undefined) {
      for (let r = this.ahead.length && this.ahead.at(-1).done ? null : this.it.next(); r && !r.done; r = this.it.next()) this.ahead.push(r);
      this.total = this.index0 + 1 + this.ahead.filter((r) => !r.done).length;
      if (!this.ahead.at(-1)?.done) this.ahead.push({ done: true });
    }
    return this.total;
  }

  *iterate() {
    while (this.next()) yield new Tuple([this.value, this]);
  }

  attr(name) {
    const n = this.index0;
    return {
      __proto__: null,
      index: () => n + 1, index0: () => n, length: () => this.count(), revindex: () => this.count() - n, revindex0: () => this.count() - n - 1,
      first: () => n === 0, last: () => !!this.peek().done, depth: () => this.depth0 + 1, depth0: () => this.depth0,
      previtem: () => (n === 0 ? new Undefined("there is no previous item") : this.before),
      nextitem: () => (this.peek().done ? new Undefined("there is no next item") : this.peek().value),
      cycle: () => new Func(name, (pos) => (pos.length ? pos[n % pos.length] : fail("TypeError", "no items for cycling given"))),
      changed: () => new Func(name, (pos) => {
        const old = this.last;
        this.last = new Tuple(pos);
        return !old || !eq(old, this.last);
      }),
    }[name]?.();
  }

  call(pos) {
    if (!this.recurse) fail("TypeError", "The loop must have the 'recursive' marker to be called recursively.");
    return this.recurse(pos[0], this.depth0 + 1);
  }

  toString() {
    return `<LoopContext ${this.index0 + 1}/${this.count()}>`;
  }
}

// Macro is a macro, or the body of a call block: its name, parameters, and what else it takes.
class Macro extends Thing {
  constructor(t, options, body) {
    super();
    Object.assign(this, { t, name: null, args: [], ...options, body });
  }

  attr(name) {
    return { __proto__: null, name: this.name, arguments: new Tuple(this.args), caller: !!this.caller, catch_kwargs: !!this.kwargs, catch_varargs: !!this.varargs }[name];
  }

  call(pos, kw) {
    const rest = { __proto__: null, ...kw }, args = pos.slice(0, this.args.length);
    const take = (name) => {
      const v = rest[name];
      delete rest[name];
      return v;
    };
    let hasCaller = this.explicit && args.length === this.args.length;
    for (const name of this.args.slice(args.length)) {
      args.push(take(name));
      hasCaller ||= name === "caller";
    }
    if (this.caller && !hasCaller) args.push(take("caller") ?? new Undefined("No caller defined"));
    if (this.kwargs) args.push(new Dict(Object.entries(rest)));
    else for (const name of Object.keys(rest)) fail("TypeError", `macro '${this.name}' takes no keyword argument '${name}'`);
    if (this.varargs) args.push(new Tuple(pos.slice(this.args.length)));
    else if (pos.length > this.args.length) fail("TypeError", `macro '${this.name}' takes not more than ${this.args.length} argument(s)`);
    return this.t.marked(this.t.nested(() => this.body(args)));
  }

  toString() {
    return this.name === null ? "<Macro anonymous>" : `<Macro '${this.name}'>`;
  }
}

const isPublic = (name) => (name.startsWith("_") ? fail("SecurityError", "Chat templates cannot store underscore-prefixed attributes on a namespace") : name);

class Namespace extends Thing {
  constructor(values) {
    super();
    this.values = values;
    for (const name of values.keys()) isPublic(str(name));
  }

  attr(name) {
    return this.values.get(name);
  }

  toString() {
    return `<Namespace ${str(this.values)}>`;
  }
}

class Cycler extends Thing {
  constructor(list) {
    super();
    if (list.length === 0) fail("RuntimeError", "at least one item has to be provided");
    Object.assign(this, { list, at: 0 });
  }

  attr(name) {
    return {
      __proto__: null,
      items: () => new Tuple(this.list), pos: () => this.at, current: () => this.list[this.at], reset: () => method(name, "", () => ((this.at = 0), null)),
      next: () => method(name, "", () => {
        const v = this.list[this.at];
        this.at = (this.at + 1) % this.list.length;
        return v;
      }),
    }[name]?.();
  }
}

// makeDict is dict(…).
function makeDict(pos, kw) {
  const d = new Dict(pos.length === 0 ? [] : pos[0] instanceof Dict ? pos[0].pairs() : items(pos[0]).map((p) => items(p)));
  for (const [k, v] of Object.entries(kw ?? {})) d.set(k, v);
  return d;
}

function range(pos, kw) {
  if (kw || pos.length < 1 || pos.length > 3) fail("TypeError", "range expected 1 to 3 arguments");
  const [a, b, c] = pos.map((v) => index(v)), r = pos.length === 1 ? new Range(0, a, 1) : new Range(a, b, c ?? 1);
  if (r.step === 0) fail("ValueError", "range() arg 3 must not be zero");
  return r.length > maxRange ? fail("OverflowError", `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${maxRange}).`) : r;
}

class Class extends Thing {
  constructor(text, call, attrs = {}) {
    super();
    Object.assign(this, { text, call, attrs });
  }

  attr(name) {
    return Object.hasOwn(this.attrs, name) ? this.attrs[name] : undefined;
  }

  toString() {
    return this.text;
  }
}

const namespaceText = "<class 'transformers.utils.chat_template_utils._cached_compile_jinja_template.<locals>.TemplateNamespace'>";

export const globals = {
  range: new Func("range", range, "<function safe_range>"),
  dict: new Class("<TemplateDict object>", makeDict, { fromkeys: method("fromkeys", "/ iterable value?", (list, v = null) => new Dict(items(list).map((k) => [k, v]))) }),
  namespace: new Class(namespaceText, (pos, kw) => new Namespace(makeDict(pos, kw))),
  cycler: new Class("<class 'jinja2.utils.Cycler'>", (pos) => new Cycler(pos)),
  joiner: new Class("<class 'jinja2.utils.Joiner'>", (pos, kw) => {
    const [sep = ", "] = signature("Joiner", "sep?")(pos, kw);
    let used = false;
    return Object.assign(new Class("<jinja2.utils.Joiner object>", () => (used ? sep : ((used = true), ""))), { attr: (name) => ({ __proto__: null, sep, used })[name] });
  }),
  raise_exception: method("raise_exception", "message", (message) => fail("TemplateError", str(message))),
};

// Context is what a block of a template knows by name beside its own variables: what the template has set, and for a scoped block
// the variables around it.
class Context {
  constructor(t, locals = []) {
    Object.assign(this, { t, locals: new Map(locals), set: new Map() });
  }

  resolve(name) {
    return [this.set, this.locals].find((m) => m.has(name))?.get(name) ?? (this.set.has(name) || this.locals.has(name) ? null : this.t.resolve(name));
  }

  export(name, v) {
    this.set.set(name, v);
  }

  derive(locals) {
    return new Context(this.t, [...this.locals, ...this.set, ...locals].filter(([, v]) => v !== undefined));
  }
}

// Self is the variable that knows the blocks of a template, and Block one of them: calling it renders it.
class Self extends Thing {
  constructor(t, context) {
    super();
    Object.assign(this, { t, context });
  }

  block(name) {
    return this.t.blocks[name] && new Block(this.t, name, this.context);
  }

  toString() {
    return "<TemplateReference None>";
  }
}

class Block extends Thing {
  constructor(t, name, context) {
    super();
    Object.assign(this, { t, name, context });
  }

  attr(name) {
    return { __proto__: null, name: this.name, super: this.t.noSuper(this.name) }[name];
  }

  call() {
    this.t.begin();
    this.t.block(this.name, this.context);
    return this.t.marked(this.t.end());
  }

  toString() {
    return "<jinja2.runtime.BlockReference object>";
  }
}

// Rendering is one rendering of a template: t in compiled ones.
export class Rendering {
  constructor(variables, now = new Date()) {
    Object.assign(this, { variables, now, out: [], marks: [], steps: 0, depth: 0, size: 0, escaping: false, blocks: { __proto__: null } });
  }

  step() {
    if (++this.steps > maxSteps) fail("LimitError", `the chat template takes more than ${maxSteps} steps`);
  }

  nested(f) {
    if (++this.depth > 250) fail("RecursionError", "the chat template is nested too deeply");
    try {
      return f();
    } finally {
      this.depth--;
    }
  }

  // resolve returns a variable, undefined if there is none; get makes it Undefined.
  resolve(name) {
    const v = this.variables.get(name);
    if (v !== undefined) return v;
    if (name === "strftime_now") return method(name, "format", (format) => strftime(this.now, need(format)));
    return Object.hasOwn(globals, name) ? globals[name] : undefined;
  }

  get(v, name) {
    return v === undefined ? new Undefined(`'${name}' is undefined`) : v;
  }

  write(s) {
    this.size += s.length;
    if (this.size > maxText) fail("LimitError", "the chat template prints too much");
    this.out.push(s);
  }

  print(v) {
    this.write(str(v));
  }

  printText(v) {
    this.write(isText(v) ? text(v) : fail("TypeError", `sequence item 0: expected str instance, ${typeName(v)} found`));
  }

  printEscaped(v) {
    this.write(text(escape(v)));
  }

  printDynamic(v) {
    this.escaping ? this.printEscaped(v) : this.print(v);
  }

  // setEscape sets autoescape and returns what it was.
  setEscape(v) {
    const old = this.escaping;
    this.escaping = truth(v);
    return old;
  }

  // markup makes Markup of a value, marked only where values are escaped.
  markup(v) {
    return v instanceof Markup ? v : new Markup(str(v));
  }

  marked(v) {
    return this.escaping ? this.markup(v) : v;
  }

  // scope begins the context of a template with blocks; block prints one of them.
  scope() {
    return new Context(this);
  }

  self(context) {
    return new Self(this, context);
  }

  noSuper(name) {
    return new Undefined(`there is no parent block called '${name}'.`);
  }

  block(name, context) {
    this.step();
    this.nested(() => this.blocks[name](context));
  }

  requiredBlock(name) {
    fail("TemplateRuntimeError", `Required block '${name}' not found`);
  }

  noTemplate() {
    fail("TypeError", "no loader for this environment specified");
  }

  // begin starts to capture what is printed, end returns it; drop ends captures until n are open.
  begin() {
    this.marks.push(this.out.length);
  }

  end() {
    return this.out.splice(this.marks.pop()).join("");
  }

  drop(n) {
    while (this.marks.length > n) this.end();
  }

  loop(v, depth, recurse) {
    return new Loop(this, v, depth, recurse);
  }

  macro(options, body) {
    return new Macro(this, options, body);
  }

  *where(v, test) {
    const it = iterator(v);
    for (let r = it.next(); !r.done; r = it.next()) {
      this.step();
      if (test(r.value)) yield r.value;
    }
  }

  generator(iterator) {
    return new Gen(iterator);
  }

  noMoreThan(args, n) {
    if (args.length > n) fail("TypeError", `macro() takes ${n} positional arguments but ${args.length} were given`);
  }

  truth(v) {
    return truth(v);
  }

  and(x, y) {
    return truth(x) ? y() : x;
  }

  or(x, y) {
    return truth(x) ? x : y();
  }

  noElse(line) {
    return new Undefined(`the inline if-expression on line ${line} evaluated to false and no else section was defined.`);
  }

  float(v) {
    return new Float(v);
  }

  tuple(...list) {
    return new Tuple(list);
  }

  dict(...list) {
    return new Dict(list.flatMap((v, i) => (i % 2 ? [] : [[v, list[i + 1]]])));
  }

  arith(op, x, y) {
    return arith(op, x, y, percent);
  }

  negative(v) {
    return negative(v);
  }

  positive(v) {
    return positive(v);
  }

  concat(...list) {
    return list.map(str).join("");
  }

  // concatMarkup is concat where values are escaped: Markup if one of them is.
  concatMarkup(...list) {
    return list.some((v) => v instanceof Markup) ? new Markup(list.map((v) => text(escape(v))).join("")) : this.concat(...list);
  }

  compare(op, x, y) {
    return op === "in" ? contains(y, x) : op === "not in" ? !contains(y, x) : compare(op, x, y);
  }

  chain(x, ...links) {
    for (const [op, make] of links) {
      const y = make();
      if (!this.compare(op, x, y)) return false;
      x = y;
    }
    return true;
  }

  unpack(v, n) {
    const list = items(v);
    return list.length === n ? list : fail("ValueError", `expected ${n} values to unpack, got ${list.length}`);
  }

  // attributeOnly is getattr: an attribute, and not an item. What templates may not touch is an Undefined that says so.
  attributeOnly(v, name) {
    if (v instanceof Undefined) return name.startsWith("__") && v.type === "UndefinedError" ? this.unsafe(v, name) : v.fail();
    if (name.startsWith("_")) return name.startsWith("__") ? this.unsafe(v, name) : this.missing(v, name);
    if (mutating[typeName(v)]?.split(" ").includes(name)) return this.unsafe(v, name);
    return member(this, v, name) ?? (v instanceof Thing && v.attr(name, this) === null ? null : this.missing(v, name));
  }

  unsafe(v, name) {
    return new Undefined(`access to attribute '${name}' of '${typeName(v)}' object is unsafe.`, "SecurityError");
  }

  missing(v, name) {
    return new Undefined(`'${typeName(v)} object' has no attribute ${repr(name)}`);
  }

  // attr is v.name: an attribute, or else an item.
  attr(v, name) {
    const a = this.attributeOnly(v, name);
    if (v instanceof Self) return v.block(name) ?? a;
    if (!(a instanceof Undefined) || !(v instanceof Dict) || (a.type === "SecurityError" && !name.startsWith("_"))) return a;
    return v.has(name) ? v.get(name) : a;
  }

  // attribute is v.name within a format, undefined if there is none.
  attribute(v, name) {
    const a = this.attr(v, name);
    return a instanceof Undefined ? a.fail() : a;
  }

  // item is v[key]: an item, or else an attribute.
  item(v, key) {
    if (v instanceof Self && isText(key)) return this.attr(v, text(key));
    const x = v instanceof Thing && !(v instanceof Namespace) ? undefined : item(v, key);
    if (x !== undefined) return x;
    return isText(key) ? this.attributeOnly(v, text(key)) : this.missing(v, key);
  }

  slice(v, start, stop, step) {
    return slice(v, start, stop, step);
  }

  // softSlice is slice where jinja folds it: of what has no slices it is undefined.
  softSlice(v, start, stop, step) {
    try {
      return slice(v, start, stop, step);
    } catch (e) {
      if (e instanceof PyError && e.name === "TypeError") return new Undefined(`'${typeName(v)}' object cannot be sliced`);
      throw e;
    }
  }

  // setAttr sets an attribute of a namespace; setItem also an item of a dictionary.
  setAttr(v, name, x) {
    if (v instanceof Namespace) v.values.set(isPublic(name), x);
    else if (v instanceof Dict) v.set(name, x);
    else fail("TypeError", `'${typeName(v)}' object does not support item assignment`);
  }

  needNamespace(v) {
    if (!(v instanceof Namespace)) fail("TemplateRuntimeError", "cannot assign attribute on non-namespace object");
  }

  // call is f(…); args makes its arguments with *star and **double.
  call(f, pos = [], kw = null) {
    this.step();
    if (f instanceof Func) return f.f(pos, kw);
    if (f instanceof Thing && f.call) return f.call(pos, kw);
    return f instanceof Undefined ? f.fail() : fail("TypeError", `'${typeName(f)}' object is not callable`);
  }

  args(pos, kw, star, double) {
    if (star !== undefined) pos = [...pos, ...items(star)];
    if (double === undefined) return [pos, kw];
    if (!(double instanceof Dict)) double instanceof Undefined ? double.fail() : fail("TypeError", "argument after ** must be a mapping");
    const all = { ...kw };
    for (const [k, v] of double.pairs()) {
      if (Object.hasOwn(all, need(k))) fail("TypeError", `got multiple values for keyword argument '${k}'`);
      all[text(k)] = v;
    }
    return [pos, all];
  }

  filter(name, v, pos = [], kw = null) {
    this.step();
    return Object.hasOwn(filters, name) ? filters[name](this, v, pos, kw) : fail("TemplateRuntimeError", `No filter named '${name}' found.`);
  }

  test(name, v, pos = [], kw = null) {
    this.step();
    return Object.hasOwn(tests, name) ? tests[name](this, v, pos, kw) : fail("TemplateRuntimeError", `No test named '${name}' found.`);
  }

  callBlock(f, pos, kw, caller) {
    if (kw && Object.hasOwn(kw, "caller")) fail("TypeError", "got multiple values for keyword argument 'caller'");
    this.printText(this.call(f, pos, { ...kw, caller }));
  }
}

// render returns what a compiled template prints.
export function render(template, variables, now) {
  const t = new Rendering(variables, now);
  try {
    template(t);
  } catch (e) {
    if (e instanceof RangeError) fail("RecursionError", `the chat template is nested too deeply (${e.message})`);
    throw e;
  }
  return t.out.join("");
}

export { PyError, isSpace };
