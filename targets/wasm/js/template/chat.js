// Conversations through a model's chat template, as apply_chat_template of transformers does it; runtime/chat is the same in Go.

import { Dict, fromJS, isText, text } from "./values.js";
import { isSpace, render } from "./runtime.js";

const tag = "CONTINUE_FINAL_MESSAGE_TAG ";
const reasoning = ["reasoning_content", "thinking", "reasoning"];

const trimEnd = (s) => {
  while (s !== "" && isSpace(s.at(-1))) s = s.slice(0, -1);
  return s;
};

// choose returns the template of a name; without one "tool_use" if there are tools, else the usual one.
function choose({ templates }, name, tools) {
  const found = templates.find((t) => t.name === name || (!name && tools && t.name === "tool_use"));
  if (name && !found) throw new RangeError(`the model has no chat template ${name}; it has ${templates.map((t) => t.name).join(", ")}`);
  return found ?? templates[0];
}

// prepare copies messages without keys whose value is None, reasoning under all its names.
function prepare(messages) {
  if (!Array.isArray(messages) || messages.length === 0) throw new RangeError("the conversation is empty: a chat template needs at least one message");
  return messages.map((m, i) => {
    const d = m instanceof Dict ? m : fromJS(m);
    if (!(d instanceof Dict)) throw new TypeError(`message ${i} is no object`);
    const thought = reasoning.map((name) => d.get(name)).find((v) => v !== undefined && v !== null);
    const c = new Dict(thought === undefined ? [] : [["thinking", thought]]);
    for (const [k, v] of d.pairs()) if (v !== null) c.set(k, v);
    if (thought !== undefined) c.set("reasoning_content", thought);
    return c;
  });
}

// openFinal puts the tag at the end of the last message's text and returns that text without it.
function openFinal(messages, { content: uses }) {
  const last = messages.at(-1), content = last.get("content");
  if (content === undefined) throw new RangeError("the last message has no content to continue");
  if (!uses) throw new RangeError("the chat template does not use the content of messages, so that the last one cannot be continued");
  if (isText(content)) {
    last.set("content", text(content) + tag);
    return text(content);
  }
  const at = Array.isArray(content) ? content.findLastIndex((p) => p instanceof Dict && isText(p.get("text"))) : -1;
  if (at < 0) throw new RangeError("the last message has no text to continue");
  const part = new Dict(content[at].pairs()), before = text(part.get("text"));
  part.set("text", before + tag);
  last.set("content", content.with(at, part));
  return before;
}

// cutFinal ends the rendered text where the continued message ends.
function cutFinal(out, final) {
  const at = out.lastIndexOf(tag.trim()), strip = (s) => trimEnd([...s].slice([...s].findIndex((c) => !isSpace(c))).join(""));
  if (at < 0 || !out.includes([...final].every(isSpace) ? "" : strip(final))) throw new RangeError("the last message cannot be continued: the chat template does not print it whole");
  return out.startsWith(tag, at) ? out.slice(0, at) : trimEnd(out.slice(0, at));
}

// apply returns a conversation as the model reads it; chat holds the model's compiled templates and the texts of its special tokens.
export function apply(chat, messages, { tools, documents, addGenerationPrompt, continueFinalMessage = false, thinking, template: name, variables = {}, now } = {}) {
  const template = choose(chat, name, tools), list = prepare(messages);
  if (template.error) throw new Error(`the chat template cannot run in JavaScript: ${template.error}`);
  if (continueFinalMessage && addGenerationPrompt) throw new RangeError("continueFinalMessage and addGenerationPrompt exclude each other");
  const final = continueFinalMessage ? openFinal(list, template) : "";
  const vars = new Dict(Object.entries({ ...chat.tokens, messages: list, tools: fromJS(tools), documents: fromJS(documents), add_generation_prompt: addGenerationPrompt ?? !continueFinalMessage }));
  if (thinking !== undefined) for (const key of ["enable_thinking", "thinking"]) vars.set(key, thinking);
  for (const [k, v] of variables instanceof Dict ? variables.pairs() : Object.entries(variables)) vars.set(k, fromJS(v));
  const out = render(template.render, vars, now ? new Date(now) : undefined);
  return continueFinalMessage ? cutFinal(out, final) : out;
}

// turnEnd returns what the template writes behind an answer, "" if that cannot be told.
export function turnEnd(chat) {
  const mark = "Zq7mark";
  try {
    const out = apply(chat, [{ role: "user", content: "Hello" }, { role: "assistant", content: mark }], { addGenerationPrompt: false });
    return out.includes(mark) ? out.slice(out.indexOf(mark) + mark.length) : "";
  } catch {
    return "";
  }
}
