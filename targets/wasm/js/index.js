// A model in a worker: load returns it, and everything about it is asynchronous. See index.d.ts.

import { processors } from "./env.js";
import { Remote } from "./remote.js";

export { clearCache } from "./download.js";

const budget = 8; // milliseconds of one step of a generation: how soon an abort is heard
const warmup = 60; // milliseconds

// load downloads a model and starts it. Without an address it is the one that this package came with.
export async function load(url = new URL("./", import.meta.url), { progress, signal, threads: most, variant, context, cache = true, warn } = {}) {
  signal?.throwIfAborted();
  const base = new URL(url, globalThis.location?.href);
  const directory = base.href.endsWith("/") || base.pathname.endsWith(".json") ? base : new URL(base.href + "/");
  const remote = new Remote();
  const notes = [];
  remote.onprogress = (p) => progress?.(p);
  remote.onwarning = (message) => {
    notes.push(message);
    warn?.(message);
  };
  const abort = () => remote.end(signal.reason);
  signal?.addEventListener("abort", abort);
  try {
    const loaded = await remote.call("load", { url: directory.href, threads: most ?? Math.min(processors(), 4), variant, context, cache });
    const threads = loaded.threads && remote.addThreads(loaded.variant.threads, loaded.threads);
    await Promise.all([threads, remote.call("downloaded")]);
    await remote.call("start", { warm: warmup });
    notes.unshift(...loaded.variant.notes);
    return new Model(remote, { ...loaded.info, variant: loaded.variant.name, threads: loaded.variant.threads, notes });
  } catch (e) {
    remote.end(e);
    throw signal?.aborted ? signal.reason : e;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

// Model is a loaded model.
class Model {
  #remote;

  constructor(remote, info) {
    this.#remote = remote;
    this.info = Object.freeze(info);
  }

  // memory is the size of the WebAssembly memory in bytes.
  memory({ signal } = {}) {
    return this.#remote.call("memory", {}, { signal });
  }

  tokenize(text, { signal, ...options } = {}) {
    return this.#remote.call("encode", { text, options }, { signal });
  }

  detokenize(ids, { signal, ...options } = {}) {
    return this.#remote.call("decode", { ids: Array.from(ids), options }, { signal });
  }

  tokenizePair(a, b, { signal } = {}) {
    return this.#remote.call("encodePair", { a, b }, { signal });
  }

  // applyChatTemplate returns a conversation as the text that the model was trained on.
  applyChatTemplate(messages, { signal, ...options } = {}) {
    return this.#remote.call("applyChatTemplate", { messages, options }, { signal });
  }

  // chat answers a conversation in a session of its own.
  chat(messages, options = {}) {
    return this.generate({ messages }, options);
  }

  async createSession({ context, signal } = {}) {
    return new Session(this.#remote, await openSession(this.#remote, context, signal));
  }

  // generate continues a prompt in a session of its own.
  generate(prompt, options = {}) {
    return new Generation(this.#remote, prompt, options, async () => {
      const s = await openSession(this.#remote, options.context, options.signal);
      return { id: s.id, close: () => this.#remote.call("closeSession", { id: s.id }) };
    });
  }

  // run computes a batch of an encoder: texts, or {tokens, types}. It returns the outputs of each by name.
  async run(batch, { signal } = {}) {
    const results = [];
    for (let i = 0; i < batch.length; i += 16) {
      signal?.throwIfAborted();
      results.push(...(await this.#remote.call("run", { batch: batch.slice(i, i + 16).map(plain) }, { signal })));
    }
    return results;
  }

  // embed returns the embedding of each text.
  async embed(texts, options) {
    const list = typeof texts === "string" ? [texts] : texts;
    if (!this.info.outputs.includes("embedding")) throw new Error(`the model makes no embeddings: its outputs are ${this.info.outputs.join(", ")}`);
    return (await this.run(list, options)).map((r) => r.embedding);
  }

  // close ends the workers and frees the memory. What is still running fails.
  close() {
    this.#remote.end(new Error("the model is closed"));
  }

  [Symbol.dispose ?? Symbol.for("dispose")]() {
    this.close();
  }
}

// openSession opens a session; one that comes when nobody waits any more is closed.
const openSession = (remote, context, signal) => remote.call("openSession", { context }, { signal, late: ({ id }) => remote.call("closeSession", { id }).catch(() => {}) });

const plain = (q) => (typeof q === "string" ? q : { tokens: Array.from(q.tokens), types: q.types && Array.from(q.types), global: q.global && Array.from(q.global) });

// Session is the state of one sequence.
class Session {
  #remote;
  #id;

  constructor(remote, { id, context, bytes }) {
    this.#remote = remote;
    this.#id = id;
    Object.assign(this, { context, bytes, length: 0 });
  }

  // encode lets a session of an encoder-decoder read a source, text or tokens, and empties it.
  async encode(source, { signal } = {}) {
    const late = () => (this.length = 0);
    await this.#remote.call("encodeSource", { id: this.#id, source: typeof source === "string" ? source : Array.from(source) }, { signal, late });
    this.length = 0;
  }

  // prefill appends tokens and returns the logits behind the last.
  async prefill(tokens, { signal } = {}) {
    const list = Array.from(tokens);
    for (let from = 0; ; ) {
      signal?.throwIfAborted();
      const r = await this.#remote.call("prefill", { id: this.#id, tokens: list, from }, { signal, late: (r) => (this.length = r.length) });
      from = r.from;
      this.length = r.length;
      if (r.logits) return r.logits;
    }
  }

  decode(token, options) {
    return this.prefill([token], options);
  }

  // generate continues the session with a prompt.
  generate(prompt, options = {}) {
    return new Generation(this.#remote, prompt, options, async () => ({ id: this.#id, close: async () => {} }), (n) => (this.length = n));
  }

  // chat answers a conversation: only what the session does not hold of it is computed.
  chat(messages, options = {}) {
    return this.generate({ messages }, options);
  }

  async reset({ signal } = {}) {
    await this.#remote.call("resetSession", { id: this.#id }, { signal, late: () => (this.length = 0) });
    this.length = 0;
  }

  async close() {
    await this.#remote.call("closeSession", { id: this.#id });
  }
}

// Generation yields text piece by piece; ids and stats are up to date after each.
class Generation {
  #remote;
  #prompt;
  #options;
  #open;
  #count;

  constructor(remote, prompt, options, open, count = () => {}) {
    this.#remote = remote;
    this.#prompt = typeof prompt === "string" || prompt.messages ? prompt : Array.from(prompt);
    this.#options = options;
    this.#open = open;
    this.#count = count;
    this.ids = [];
    this.stats = null;
  }

  async *[Symbol.asyncIterator]() {
    const { signal, context, ...options } = this.#options;
    signal?.throwIfAborted();
    const session = await this.#open();
    let id = 0, done = false;
    try {
      id = await this.#remote.call("generate", { id: session.id, prompt: this.#prompt, options }, { signal, late: (id) => this.#remote.call("endGeneration", { id }).catch(() => {}) });
      while (!done) {
        signal?.throwIfAborted();
        const step = await this.#remote.call("next", { id, budget }, { signal, late: (step) => this.#count(step.length) });
        done = step.done;
        this.ids.push(...step.ids);
        this.stats = step.stats;
        this.#count(step.length);
        if (step.text !== "") yield step.text;
      }
    } finally {
      if (!this.#remote.ended) {
        if (id && !done) await this.#remote.call("endGeneration", { id });
        await session.close();
      }
    }
  }

  // text waits for the end and returns all text.
  async text() {
    let all = "";
    for await (const piece of this) all += piece;
    return all;
  }
}
