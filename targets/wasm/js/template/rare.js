// What chat templates hardly use: the filters urlize and pprint, and lipsum. Packages have it whose templates name one of them.

import { Dict, Func, Markup, PyError, Tuple, compare, escape, fail, index, isText, items, points, repr, signature, slice, text, truth, typeName } from "./values.js";
import { need, space, splitLines } from "./text.js";
import { filters, fn } from "./filters.js";
import { globals } from "./runtime.js";

const httpURL = new RegExp("^(?:(?:https?://|www\\.)(?:(?:[\\p{L}\\p{N}_%-]+\\.)+)?(?:[a-z]{2,63}|xn--[\\p{L}\\p{N}_%]{2,59})|"
  + "(?:[\\p{L}\\p{N}_%-]{2,63}\\.)+(?:com|net|int|edu|gov|org|info|mil)|"
  + "https?://(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[(?:[\\da-f]{0,4}:){2}(?:[\\da-f]{0,4}:?){1,6}\\]))(?::\\d{1,5})?(?:[/?#]\\S*)?\\n?$", "iu");
const mailAddress = /^\S+@[\p{L}\p{N}_][\p{L}\p{N}_.-]*\.[\p{L}\p{N}_]+\n?$/u;
const head = /^(?:[(<]|&lt;)+/, tail = /(?:[)>.,\n]|&gt;)+$/, uriScheme = /^[\p{L}\p{N}_.+-]{2,}:\/{0,2}$/u;
const given = (v) => v !== undefined && v !== null;
const times = (s, part) => s.split(part).length - 1;
const attribute = (name, v) => ` ${name}="${text(escape(v))}"`;

// urlize makes links of the addresses in a text.
function urlize(t, value, limit, nofollow, target, rel, schemes) {
  const words = new Set(["noopener"]);
  if (given(rel) && truth(rel)) for (const word of need(rel).match(new RegExp(`[^${space}]+`, "g")) ?? []) words.add(word);
  if (nofollow !== undefined && truth(nofollow)) words.add("nofollow");
  let attrs = attribute("rel", [...words].sort((a, b) => (compare("<", a, b) ? -1 : 1)).join(" "));
  if (given(target) && truth(target)) attrs += attribute("target", target);
  const own = given(schemes) ? items(schemes).map((x) => (uriScheme.test(need(x)) ? text(x) : fail("FilterArgumentError", `${repr(x)} is not a valid URI scheme prefix.`))) : [];
  const parts = text(escape(value)).match(new RegExp(`[^${space}]+|[${space}]+`, "g")) ?? [];
  return t.marked(parts.map((p) => bracketed(p, (m) => link(m, attrs, limit, own))).join(""));
}

// bracketed makes a link of a word; brackets and punctuation around it stay outside.
function bracketed(word, make) {
  const [before] = head.exec(word) ?? [""];
  let middle = word.slice(before.length), [after] = tail.exec(middle) ?? [""];
  middle = middle.slice(0, middle.length - after.length);
  for (const [open, close] of [["(", ")"], ["<", ">"], ["&lt;", "&gt;"]]) {
    const starts = times(middle, open);
    if (starts <= times(middle, close)) continue;
    for (let n = Math.min(starts, times(after, close)); n > 0; n--) {
      const end = after.indexOf(close) + close.length;
      middle += after.slice(0, end);
      after = after.slice(end);
    }
  }
  return before + make(middle) + after;
}

function link(m, attrs, limit, schemes) {
  if (httpURL.test(m)) {
    const shown = !given(limit) || !compare(">", points(m).length, limit) ? m : slice(m, null, limit) + "...";
    return `<a href="${/^https?:\/\//.test(m) ? "" : "https://"}${m}"${attrs}>${shown}</a>`;
  }
  if (m.startsWith("mailto:") && mailAddress.test(m.slice(7))) return `<a href="${m}">${m.slice(7)}</a>`;
  if (m.includes("@") && !/^(www\.|@)/.test(m) && !m.includes(":") && mailAddress.test(m)) return `<a href="mailto:${m}">${m}</a>`;
  for (const scheme of schemes) if (m !== scheme && m.startsWith(scheme)) m = `<a href="${m}"${attrs}>${m}</a>`;
  return m;
}

// ordered returns a value whose dictionaries are sorted by their keys; those that do not compare go by their types.
function ordered(v) {
  if (Array.isArray(v)) return v.map(ordered);
  if (v instanceof Tuple) return new Tuple(v.items.map(ordered));
  return v instanceof Dict ? new Dict(v.pairs().sort(([a], [b]) => (less(a, b) ? -1 : less(b, a) ? 1 : 0)).map(([k, x]) => [k, ordered(x)])) : v;
}

function less(a, b) {
  try {
    return compare("<", a, b);
  } catch (e) {
    if (e instanceof PyError && e.name === "TypeError") return typeName(a) < typeName(b);
    throw e;
  }
}

const width = 80;
const fits = (rep, room) => points(rep).length <= room;

// pretty is pprint.pformat(v): lines of 80 characters, keys in order.
function pretty(v, indent = 0, allowance = 0, level = 0) {
  const rep = repr(ordered(v)), rows = (open, list, end, one) => open + list.map((x, i) => one(x, i === list.length - 1)).join(`,\n${" ".repeat(indent + 1)}`) + end;
  if (fits(rep, width - indent - allowance)) return rep;
  if (v instanceof Dict) {
    return rows("{", ordered(v).pairs(), "}", ([k, x], last) => {
      const key = repr(ordered(k)) + ": ";
      return key + pretty(x, indent + 1 + points(key).length, last ? allowance + 1 : 1, level + 1);
    });
  }
  if (Array.isArray(v) || v instanceof Tuple) {
    const [open, end] = Array.isArray(v) ? ["[", "]"] : ["(", v.items.length === 1 ? ",)" : ")"];
    return rows(open, v.items ?? v, end, (x, last) => pretty(x, indent + 1, last ? allowance + end.length : 1, level + 1));
  }
  return typeof v === "string" ? literals(v, indent, allowance, level + 1) : rep;
}

// literals breaks a long text into several.
function literals(v, indent, allowance, level) {
  if (level === 1) {
    indent++;
    allowance++;
  }
  const lines = splitLines(v, true), room = width - indent;
  const chunks = lines.flatMap((line, i) => {
    const leave = i === lines.length - 1 ? allowance : 0;
    return fits(repr(line), room - leave) ? [repr(line)] : broken(line, room, leave);
  });
  if (chunks.length === 1) return repr(lines.at(-1));
  const all = chunks.join(`\n${" ".repeat(indent)}`);
  return level === 1 ? `(${all})` : all;
}

// broken breaks a line after white space, so that literals fit the room; the last one leaves some of it.
function broken(line, room, leave) {
  const parts = line.match(new RegExp(`[^${space}]*[${space}]*`, "g")).filter((p) => p !== ""), chunks = [];
  let current = "";
  parts.forEach((part, i) => {
    if (fits(repr(current + part), i === parts.length - 1 ? room - leave : room)) {
      current += part;
      return;
    }
    if (current !== "") chunks.push(repr(current));
    current = part;
  });
  return current === "" ? chunks : [...chunks, repr(current)];
}

const words = ("a ac accumsan ad adipiscing aenean aliquam amet ante aptent arcu at auctor augue bibendum blandit commodo congue consequat cras cubilia cum "
  + "curabitur dapibus diam dictum dignissim dolor donec dui egestas eget elit enim erat eros est et etiam eu facilisi fames faucibus felis fermentum "
  + "feugiat fringilla fusce gravida habitasse hendrerit iaculis id imperdiet in integer ipsum justo lacus lectus leo libero ligula lobortis lorem "
  + "luctus maecenas magna massa mattis mauris metus mi mollis morbi nam nec neque nibh nisi non nulla nunc odio orci ornare parturient pede phasellus "
  + "porta primis proin pulvinar quam quis rhoncus risus rutrum sagittis sapien sed sem semper sit sociis sodales suscipit tellus tempor tincidunt "
  + "tortor tristique turpis ultrices urna ut varius vel velit vestibulum vitae vivamus volutpat vulputate").split(" ");
const below = (n) => Math.floor(Math.random() * n);

// lipsum is random filler text in paragraphs.
function lipsum(pos, kw) {
  const [n, html = true, min, max] = signature("generate_lorem_ipsum", "n? html? min? max?")(pos, kw), low = index(min, 20), high = index(max, 100);
  if (high <= low || low < 0) fail("ValueError", `empty range for randrange() (${low}, ${high})`);
  const count = index(n, 5), marked = truth(html);
  if (count * high > 1e7) fail("MemoryError", "the result is too large");
  const paragraphs = Array.from({ length: Math.max(0, count) }, () => {
    const list = Array.from({ length: low + below(high - low) }, () => words[below(words.length)]).join(" ");
    const sentence = list.slice(0, 1).toUpperCase() + list.slice(1) + ".";
    return marked ? `<p>${sentence}</p>` : sentence;
  });
  return marked ? new Markup(paragraphs.join("\n")) : paragraphs.join("\n\n");
}

filters.urlize = fn("value trim_url_limit? nofollow? target? rel? extra_schemes?", urlize);
filters.pprint = fn("value", (t, v) => pretty(v));
globals.lipsum = new Func("lipsum", lipsum, "<function generate_lorem_ipsum>");
