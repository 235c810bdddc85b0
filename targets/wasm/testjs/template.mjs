// Renders recorded cases with compiled templates: node template.mjs DIRECTORY, where templates.mjs exports the compiled templates by
// their sources or names (an error instead of a function for what has a mistake), and cases.json has the cases.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Dict, Float, int } from "../js/template/values.js";
import { apply } from "../js/template/chat.js";
import "../js/template/rare.js";
import { render } from "../js/template/runtime.js";

const dir = process.argv[2];
const { templates } = await import(pathToFileURL(join(dir, "templates.mjs")));

// decode reads JSON with the order of keys and the kinds of numbers.
function decode(text) {
  let at = 0;
  const space = () => { while (/\s/.test(text[at] ?? "")) at++; };
  const list = (end, item) => {
    for (at++, space(); text[at] !== end; space()) {
      item();
      space();
      if (text[at] === ",") at++;
      space();
    }
    at++;
  };
  const string = () => {
    const m = /"(?:[^"\\]|\\.)*"/ys;
    m.lastIndex = at;
    const [s] = m.exec(text);
    at += s.length;
    return JSON.parse(s);
  };
  const value = () => {
    space();
    if (text[at] === '"') return string();
    if (text[at] === "[") {
      const out = [];
      list("]", () => out.push(value()));
      return out;
    }
    if (text[at] === "{") {
      const out = new Dict();
      list("}", () => {
        const k = string();
        space();
        at++;
        out.set(k, value());
      });
      return out;
    }
    const m = /[-+.\w]+/y;
    m.lastIndex = at;
    const [word] = m.exec(text);
    at += word.length;
    if (/^(null|true|false)$/.test(word)) return JSON.parse(word);
    return /[.eE]/.test(word) ? new Float(Number(word)) : int(BigInt(word));
  };
  return value();
}

const differ = [];
let same = 0, cases = 0;
for (const c of JSON.parse(readFileSync(join(dir, "cases.json")))) {
  const template = templates[c.template];
  cases++;
  let got, error;
  try {
    if (typeof template === "string") throw new Error(template);
    if (c.context) got = render(template, decode(c.context), new Date(c.now));
    else {
      const variables = c.variables ? decode(c.variables) : undefined, documents = c.documents ? decode(c.documents) : undefined;
      got = apply({ templates: [{ name: "default", content: c.uses, render: template }], tokens: c.tokens }, decode(c.messages),
        { tools: c.tools ? decode(c.tools) : undefined, documents, variables, addGenerationPrompt: c.prompt, continueFinalMessage: c.continue, now: c.now });
    }
  } catch (e) {
    error = e;
  }
  const ok = c.expected !== undefined ? got === c.expected : error && (!c.fails || error.name === c.fails) && (c.raised === undefined || (error.name === "TemplateError" && error.message.startsWith(c.raised)));
  if (ok) same++;
  else differ.push(`${c.name}\n  want ${JSON.stringify(c.expected ?? `error ${c.fails ?? ""} ${c.raised ?? ""}`).slice(0, 300)}\n  got  ${error ? error.stack.slice(0, 300) : JSON.stringify(got).slice(0, 300)}`);
}
for (const d of differ.slice(0, Number(process.env.SHOW ?? 12))) console.error(d);
console.log(`${cases} cases, ${same} equal, ${differ.length} different`);
process.exit(differ.length ? 1 : 0);
