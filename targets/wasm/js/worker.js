// The worker of a model: loads it, and answers one request after the other.

import { ownPort } from "./env.js";
import { Downloader } from "./download.js";
import { Engine, instantiate, newMemory } from "./engine.js";
import { Generation } from "./generate.js";
import { Tokenizer } from "./tokenizer/index.js";
import { choose } from "./variant.js";

const port = ownPort();
const loading = new AbortController();
let engine, tokenizer, manifest, downloads;
const sequences = new Map(), generations = new Map();
let lastHandle = 0;

function handle(map, value) {
  map.set(++lastHandle, value);
  return lastHandle;
}

// chat loads the model's chat templates, which most uses of a model do not need.
async function chat() {
  if (!manifest.chat) throw new Error("the model has no chat template: write the prompt yourself, or build it with --chat-template");
  const [templates, engine] = await Promise.all([import("./chat.js"), import("./template/chat.js")]);
  if (templates.digest !== manifest.chat) throw new Error("the chat templates of this package are those of another model: load the model with the package that was made for it");
  return { templates, ...engine };
}

// chatTokens are the tokens of a conversation.
async function chatTokens(messages, options) {
  const { templates, apply } = await chat();
  return need(tokenizer, "tokenizer").encode(apply(templates, messages, options), { special: false });
}

// answerEnds is the token with which the chat template ends an answer, if it is a special one.
async function answerEnds() {
  const { templates, turnEnd } = await chat(), [id] = tokenizer.encode(turnEnd(templates), { special: false });
  return id !== undefined && tokenizer.isSpecial(id) ? [id] : [];
}

// settings are the options of a generation: what is given, and else what the model's generation_config.json says.
function settings({ defaults = true, ...options }) {
  const { generation, lacks } = defaults ? manifest : {};
  if (lacks) throw new Error(`the model's generation_config.json asks for ${lacks.join(", ")}, which only the Go package has: generate with defaults: false to go without what that file says`);
  const given = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined));
  return { eos: manifest.eos, start: manifest.start, ...generation, ...given };
}

function find(map, id, what) {
  const value = map.get(id);
  if (!value) throw new Error(`the ${what} is closed`);
  return value;
}

// methods are what the page may call.
const methods = {
  // load begins all downloads and instantiates the first thread; start follows when the weights and the other threads are there.
  async load({ url, threads, variant, cache, context }) {
    const warn = (message) => port.post({ warning: message });
    const d = new Downloader(new URL(url), { signal: loading.signal, cache, warn, progress: (p) => port.post({ progress: p }) });
    manifest = await d.json("model.json");
    if (manifest.format !== 1) throw new Error(`model.json has the format ${manifest.format}, this package reads 1: update the package or build the model again`);
    const far = !!context && manifest.model.causal && !Engine.fits(manifest.model, threads, context);
    const chosen = choose(threads, variant, Object.keys(manifest.variants), far);
    manifest.model.wide = chosen.name.endsWith("-64");
    const entry = manifest.variants[chosen.name];
    const pieces = await d.json(manifest.pieces);
    const weights = { ...manifest.weights, ...pieces };
    const files = [entry, manifest.tokenizer, manifest.unicode].filter(Boolean);
    for (const f of [...files, weights]) d.expect(f.bytes);
    const memory = newMemory(manifest.model, chosen.threads), at = manifest.model.memory.weights;
    const compiling = d.bytes(entry).then((code) => WebAssembly.compile(code));
    downloads = Promise.all([
      d.pieces(weights, (offset, bytes) => new Uint8Array(memory.buffer, at + offset, bytes.length).set(bytes)),
      Promise.all([manifest.tokenizer, manifest.unicode].map((f) => f && d.bytes(f))).then(([packed, classes]) => {
        if (packed) tokenizer = new Tokenizer(packed, classes);
      }),
    ]).finally(() => d.store.written());
    downloads.catch(() => {}); // downloaded tells what is wrong
    const module = await compiling;
    const exports = await instantiate(module, memory, manifest.model, 0, chosen.threads);
    engine = new Engine(exports, memory, manifest.model, chosen.threads);
    const { model, ...info } = manifest;
    info.context = model.context;
    info.vocabulary = model.vocabulary;
    info.causal = model.causal;
    info.encodes = model.encodes ?? false;
    info.generation ??= {};
    info.lacks ??= [];
    info.outputs = model.outputs.map((o) => o.name);
    return { info, variant: chosen, threads: chosen.threads > 1 ? { module, memory, description: model } : null };
  },

  downloaded: () => downloads,

  start({ warm }) {
    engine.warm(warm);
  },

  memory: () => engine.memory.buffer.byteLength,

  encode({ text, options }) {
    return Int32Array.from(need(tokenizer, "tokenizer").encode(text, options));
  },

  encodePair({ a, b }) {
    return need(tokenizer, "tokenizer").encodePair(a, b);
  },

  decode({ ids, options }) {
    return need(tokenizer, "tokenizer").decode(ids, options);
  },

  openSession: ({ context }) => {
    decoder();
    const c = context || manifest.model.context;
    return { id: handle(sequences, engine.open(c)), context: c, bytes: engine.stateBytes(c) };
  },

  closeSession({ id }) {
    const s = sequences.get(id);
    if (s) engine.close(s);
    sequences.delete(id);
  },

  // encodeSource lets a session of an encoder-decoder read a source.
  encodeSource({ id, source }) {
    const s = find(sequences, id, "session");
    engine.encode(s, typeof source === "string" ? need(tokenizer, "tokenizer").encode(source) : source);
  },

  resetSession({ id }) {
    engine.truncate(find(sequences, id, "session"), 0);
  },

  async applyChatTemplate({ messages, options }) {
    const { templates, apply } = await chat();
    return apply(templates, messages, options);
  },

  // prefill appends a part of the tokens and returns the logits behind the last.
  prefill({ id, tokens, from }) {
    const s = find(sequences, id, "session");
    if (from === 0) engine.check(s, tokens);
    const n = engine.feed(s, tokens, from);
    return { from: from + n, length: s.length, logits: from + n === tokens.length ? engine.logits().slice() : null };
  },

  // generate begins a generation; next continues it. Of a conversation only what the session does not hold is computed.
  async generate({ id, prompt, options }) {
    const s = find(sequences, id, "session");
    if (prompt.messages) {
      const text = await chatTokens(prompt.messages, options), all = settings(options), eos = [...all.eos, ...(await answerEnds())];
      const n = engine.rewind(s, text);
      return handle(generations, new Generation(engine, s, text.slice(n), tokenizer, { ...all, eos, before: text.slice(0, n) }));
    }
    const tokens = typeof prompt === "string" ? need(tokenizer, "tokenizer").encode(prompt) : Array.from(prompt);
    return handle(generations, new Generation(engine, s, tokens, tokenizer, settings(options)));
  },

  next({ id, budget }) {
    const g = find(generations, id, "generation");
    try {
      const result = g.step(budget);
      if (result.done) generations.delete(id);
      return result;
    } catch (e) {
      generations.delete(id);
      throw e;
    }
  },

  endGeneration({ id }) {
    generations.delete(id);
  },

  // run computes sequences of an encoder: texts or {tokens, types}.
  run({ batch }) {
    if (manifest.model.causal) throw new Error("the model is a decoder: it generates; run is for encoders");
    return engine.run(batch.map((q) => (typeof q === "string" ? { tokens: truncate(need(tokenizer, "tokenizer").encode(q)) } : q)));
  },
};

// truncate shortens a sequence to the model's length; its last token, a separator, stays the last.
function truncate(tokens) {
  const most = manifest.maxTokens;
  return tokens.length > most ? [...tokens.slice(0, most - 1), tokens.at(-1)] : tokens;
}

function need(value, what) {
  if (!value) throw new Error(`the model has no ${what}`);
  return value;
}

function decoder() {
  if (!manifest.model.causal) throw new Error("the model is an encoder: it has no sessions; use run or embed");
}

port.listen(async ({ call, method, args, abort }) => {
  if (abort) return loading.abort(new DOMException("loading was aborted", "AbortError"));
  try {
    port.post({ call, result: await methods[method](args) });
  } catch (e) {
    port.post({ call, error: { name: e?.name ?? "Error", message: String(e?.message ?? e) } });
  }
});
port.post({ ready: true });
