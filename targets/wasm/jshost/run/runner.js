// Runs modules for tests and for tfgen parity, in a worker of Node or of a browser. A request is {method, args}; numbers of
// results come as base64 of float32.
import { ownPort, startWorker } from "../js/env.js";
import { Engine, instantiate, newMemory } from "../js/engine.js";
import { hasRelaxed, hasWide } from "../js/variant.js";

const port = ownPort();
let engine, threads = [];

function base64(floats) {
  const b = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  let s = "";
  for (let i = 0; i < b.length; i += 8192) s += String.fromCharCode(...b.subarray(i, i + 8192));
  return btoa(s);
}

const bytes = async (url) => {
  const r = await fetch(url);
  if (!r.ok) throw new Error(`${url}: ${r.status}`);
  return new Uint8Array(await r.arrayBuffer());
};

// matrix collects rows of an output.
class Matrix {
  constructor(width) {
    Object.assign(this, { width, rows: [] });
  }

  toJSON() {
    const all = new Float32Array(this.rows.length * this.width);
    this.rows.forEach((r, i) => all.set(r, i * this.width));
    return { rows: this.rows.length, width: this.width, data: base64(all) };
  }
}

function collect(result, o, n) {
  const m = (result[o.name] ??= new Matrix(o.width));
  for (let i = 0; i < n; i++) m.rows.push(engine.floats(o.at + i * o.stride, o.width).slice());
}

// begin opens a sequence, which reads the source, if there is one.
function begin(source, length) {
  const s = engine.open(Math.max(length, source?.length ?? 0));
  if (source) engine.encode(s, source);
  return s;
}

const methods = {
  async open({ base, description, count }) {
    for (const t of threads) t.stop();
    threads = [];
    const memory = newMemory(description, count);
    const module = await WebAssembly.compile(await bytes(base + "module.wasm"));
    engine = new Engine(await instantiate(module, memory, description, 0, count), memory, description, count);
    const weights = await bytes(base + "weights");
    engine.bytes(description.memory.weights, weights.length).set(weights);
    for (let thread = 1; thread < count; thread++) {
      const w = startWorker(new URL("../js/thread.js", import.meta.url));
      threads.push(w);
      await new Promise((resolve, reject) => {
        w.onmessage = (m) => (m.ready ? resolve() : reject(new Error(m.error)));
        w.onerror = reject;
        w.post({ module, memory, description, thread, threads: count });
      });
    }
  },

  // full computes whole sequences together, and every output of every row.
  full({ segments }) {
    const { limits, outputs, hidden = [] } = engine.description, result = {};
    for (let from = 0; from < segments.length; ) {
      let to = from, n = 0;
      while (to < segments.length && to - from < limits.sequences && n + segments[to].tokens.length <= limits.tokens) n += segments[to++].tokens.length;
      if (to === from) throw new Error(`a sequence of ${segments[from].tokens.length} tokens, one pass has at most ${limits.tokens}`);
      const parts = segments.slice(from, to).map((s) => ({ ...s, sequence: engine.open(Math.max(s.tokens.length, s.source?.length ?? 0)) }));
      for (const { sequence, source } of parts) {
        if (!source) continue;
        engine.encode(sequence, source);
        for (const o of [...hidden, ...outputs]) if (o.rows === "source") collect(result, o, source.length);
      }
      engine.layers(parts);
      for (const o of hidden) if (o.rows === "tokens") collect(result, o, n);
      for (let at = 0; at < n; at += limits.selected) {
        const selected = Array.from({ length: Math.min(limits.selected, n - at) }, (_, i) => at + i);
        engine.head(selected);
        for (const o of outputs) {
          if (o.rows === "selected") collect(result, o, selected.length);
          if (o.rows === "sequences" && at === 0) collect(result, o, parts.length);
        }
      }
      for (const o of outputs) if (o.rows === "tokens") collect(result, o, n);
      for (const p of parts) engine.close(p.sequence);
      from = to;
    }
    return result;
  },

  decode({ source, tokens, prefill }) {
    const s = begin(source, tokens.length), m = new Matrix(engine.description.vocabulary);
    for (let at = 0; at < prefill; ) at += engine.feed(s, tokens.slice(0, prefill), at);
    for (let i = prefill; i < tokens.length; i++) {
      engine.feed(s, [tokens[i]], 0);
      m.rows.push(engine.logits().slice());
    }
    engine.close(s);
    return m;
  },

  // greedy continues tokens; it also says how many milliseconds prefill and decoding took.
  greedy({ source, tokens, n }) {
    const s = begin(source, tokens.length + n), ids = [], started = performance.now();
    for (let at = 0; at < tokens.length; ) at += engine.feed(s, tokens, at);
    const prefilled = performance.now();
    for (;;) {
      ids.push(engine.argMax());
      if (ids.length === n) break;
      engine.feed(s, [ids.at(-1)], 0);
    }
    engine.close(s);
    return { ids, prefill: prefilled - started, decode: performance.now() - prefilled };
  },

  features: () => ({ relaxed: hasRelaxed(), wide: hasWide() }),
};

port.listen(async ({ call, method, args }) => {
  try {
    port.post({ call, result: JSON.stringify((await methods[method](args)) ?? null) });
  } catch (e) {
    port.post({ call, error: String(e?.stack ?? e) });
  }
});
