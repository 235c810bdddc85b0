// The engine: one instance of a generated module with its memory. It knows where the module's description says that things
// lie, and allocates the state of sequences. All calls are synchronous.

const page = 65536;
const maxPages = 65536, maxWidePages = 262144; // of 32-bit and of 64-bit memories
const addressUnit = 64; // what addresses in state tables and segments count where they have 64 bits
const stateEntry = 12; // bytes of an entry of a state table: addresses of keys and values, number of positions

// ContextError is a sequence that does not fit.
export class ContextError extends RangeError {
  constructor(message) {
    super(message);
    this.name = "ContextError";
  }
}

// MemoryError is a memory that does not grow any more.
export class MemoryError extends Error {
  constructor(message) {
    super(message);
    this.name = "MemoryError";
  }
}

// newMemory returns the memory of a model, shared for several threads. The declared maximum of a shared memory is reserved by
// some browsers, so that smaller ones are tried.
export function newMemory(description, threads) {
  const { wide } = description, initial = description.pages + Math.ceil((threads * description.memory.scratch) / page);
  if (threads === 1) return allocate({ initial }, wide);
  for (let maximum = wide ? maxWidePages : maxPages; ; maximum = Math.max(initial, maximum >> 1)) {
    try {
      return new WebAssembly.Memory(descriptor({ initial, maximum, shared: true }, wide));
    } catch (e) {
      if (maximum === initial) throw noMemory(initial, e);
    }
  }
}

// descriptor is that of a memory; one with 64-bit addresses has sizes of 64 bits.
function descriptor({ initial, maximum, shared }, wide) {
  if (!wide) return maximum ? { initial, maximum, shared } : { initial };
  return { address: "i64", initial: BigInt(initial), ...(maximum ? { maximum: BigInt(maximum), shared } : {}) };
}

const noMemory = (pages, e) => new MemoryError(`there is no memory for the model: it needs ${pages * page} bytes (${e.message})`);

function allocate(size, wide) {
  try {
    return new WebAssembly.Memory(descriptor(size, wide));
  } catch (e) {
    throw noMemory(size.initial, e);
  }
}

// instantiate returns what the instance of one thread exports. Integers of a module with 64-bit addresses are BigInt.
export async function instantiate(module, memory, description, thread, threads) {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory }, host: { pow: Math.pow } });
  const integer = description.wide ? BigInt : Number;
  exports.init(integer(thread), integer(threads), integer(description.memory.heap + thread * description.memory.scratch));
  return exports;
}

// round is the next multiple of 64; addresses may have more than 31 bits.
const round = (n) => Math.ceil(n / 64) * 64;

// Heap hands out memory behind the model: blocks at multiples of 64 bytes, free ones joined again.
class Heap {
  constructor(memory, from, wide) {
    this.memory = memory;
    this.wide = wide;
    this.free = [{ at: from, size: memory.buffer.byteLength - from }];
  }

  take(bytes) {
    const size = round(bytes);
    let i = this.free.findIndex((f) => f.size >= size);
    if (i < 0) {
      this.grow(size);
      i = this.free.length - 1;
    }
    const f = this.free[i], at = f.at;
    f.at += size;
    f.size -= size;
    if (f.size === 0) this.free.splice(i, 1);
    return at;
  }

  grow(size) {
    const end = this.memory.buffer.byteLength, last = this.free.at(-1);
    const open = last && last.at + last.size === end ? last : null;
    const pages = Math.ceil((size - (open?.size ?? 0)) / page);
    try {
      this.memory.grow(this.wide ? BigInt(pages) : pages);
    } catch {
      throw new MemoryError(`there is no memory for ${size} bytes more; the model has ${end}${this.wide ? "" : " of at most 4 GiB: where there are variants with 64-bit addresses, load it with the context that is needed"}`);
    }
    if (open) open.size += pages * page;
    else this.free.push({ at: end, size: pages * page });
  }

  give(at, bytes) {
    const size = round(bytes);
    let i = this.free.findIndex((f) => f.at > at);
    if (i < 0) i = this.free.length;
    this.free.splice(i, 0, { at, size });
    for (const k of [i, i - 1]) {
      const a = this.free[k], b = this.free[k + 1];
      if (a && b && a.at + a.size === b.at) {
        a.size += b.size;
        this.free.splice(k + 1, 1);
      }
    }
  }
}

// Sequence is the state of one sequence.
class Sequence {
  constructor(context) {
    this.context = context;
    this.length = 0;
    this.tokens = []; // the tokens that it holds
    this.blocks = []; // memory: [address, bytes]
    this.table = 0;
  }
}

export class Engine {
  constructor(exports, memory, description, threads) {
    Object.assign(this, { exports, memory, description, threads });
    this.heap = new Heap(memory, round(description.memory.heap + threads * description.memory.scratch), description.wide);
    this.unit = description.wide ? addressUnit : 1;
    this.sequences = new Set();
  }

  // bytes, ints and floats view the memory at an address; a view is valid until the memory grows.
  bytes(at, length) {
    return new Uint8Array(this.memory.buffer, at, length);
  }

  ints(at, length) {
    return new Int32Array(this.memory.buffer, at, length);
  }

  floats(at, length) {
    return new Float32Array(this.memory.buffer, at, length);
  }

  // fits tells whether a sequence with a context fits a memory with 32-bit addresses, beside the model.
  static fits(description, threads, context) {
    const engine = { description }, bytes = Engine.prototype.stateBytes.call(engine, context);
    return description.memory.heap + threads * description.memory.scratch + bytes <= maxPages * page;
  }

  // stateBytes is the memory of a sequence with a context.
  stateBytes(context) {
    const { states } = this.description;
    return states.reduce((n, s) => n + round(blocks(s, context) * s.key) + round(blocks(s, context) * s.value), round((states.length + 1) * stateEntry));
  }

  // open returns an empty sequence of at most context tokens.
  open(context) {
    const { states, context: most } = this.description;
    if (!Number.isInteger(context) || context < 1 || context > most) throw new ContextError(`a context of ${context} tokens, the model has 1 to ${most}`);
    const s = new Sequence(context);
    const take = (bytes) => {
      const at = this.heap.take(bytes);
      s.blocks.push([at, bytes]);
      return at;
    };
    try {
      s.table = take((states.length + 1) * stateEntry);
      const entries = states.flatMap((state) => {
        const n = blocks(state, context);
        return [take(n * state.key) / this.unit, take(n * state.value) / this.unit, n * 64];
      });
      for (const [at, bytes] of s.blocks) this.bytes(at, bytes).fill(0); // what is not yet written must be finite
      this.ints(s.table, entries.length).set(entries);
    } catch (e) {
      this.close(s);
      throw e;
    }
    this.sequences.add(s);
    return s;
  }

  // close gives a sequence's memory back.
  close(s) {
    for (const [at, bytes] of s.blocks) this.heap.give(at, bytes);
    s.blocks = [];
    this.sequences.delete(s);
  }

  // check reports tokens that do not exist or do not fit.
  check(s, tokens) {
    if (this.description.encodes && !s.source) throw new Error("the session has no source: encode comes first");
    if (tokens.length === 0) throw new RangeError("no tokens");
    if (tokens.length > s.context - s.length) throw new ContextError(`${tokens.length} tokens more do not fit, the session holds ${s.length} of ${s.context}`);
    this.checkTokens(tokens);
  }

  checkTokens(tokens) {
    const { vocabulary } = this.description;
    for (const id of tokens) {
      if (!Number.isInteger(id) || id < 0 || id >= vocabulary) throw new RangeError(`the token id ${id} does not exist, the vocabulary has ${vocabulary}`);
    }
  }

  // layers runs the layers for the next tokens of some sequences: {sequence, tokens, types, global, total}.
  layers(parts) {
    const { memory: m } = this.description;
    const n = parts.reduce((sum, p) => sum + p.tokens.length, 0);
    const tokens = this.ints(m.tokens, n), types = this.ints(m.types, n), positions = this.ints(m.positions, n), totals = this.ints(m.totals, n);
    const global = m.global ? this.ints(m.global, n) : [];
    const segments = this.ints(m.segments, 4 * parts.length);
    let at = 0;
    parts.forEach(({ sequence: s, tokens: ids, types: kinds, global: marks, total }, i) => {
      segments.set([at, ids.length, s.length, s.table / this.unit], 4 * i);
      for (let j = 0; j < ids.length; j++, at++) {
        tokens[at] = ids[j];
        types[at] = kinds ? kinds[j] : 0;
        global[at] = marks ? marks[j] : -1;
        positions[at] = s.length + j;
        totals[at] = total ?? s.length + ids.length;
      }
      s.length += ids.length;
      s.tokens.push(...ids);
    });
    this.ints(m.counts, 4).set([n, 0, parts.length, 0]);
    this.exports.layers();
  }

  // encode lets a sequence of an encoder–decoder read a source and empties it.
  encode(s, source) {
    const { memory: m, states, limits, encodes } = this.description, n = source.length;
    if (!encodes) throw new Error("the model has no encoder: give the tokens to prefill");
    const most = Math.min(limits.source, s.context);
    if (n < 1 || n > most) throw new ContextError(`a source of ${n} tokens, expected 1 to ${most}`);
    this.checkTokens(source);
    this.ints(m.tokens, n).set(source);
    this.ints(m.positions, n).forEach((_, i, positions) => { positions[i] = i; });
    this.ints(m.segments, 4).set([0, n, 0, s.table / this.unit]);
    this.ints(s.table + states.length * stateEntry, 1)[0] = n;
    this.ints(m.counts, 4).set([0, 0, 1, n]);
    this.exports.encode();
    this.truncate(s, 0);
    s.source = n;
  }

  // truncate goes back to the first n tokens.
  truncate(s, n) {
    s.length = s.tokens.length = n;
  }

  // rewind goes back to what a sequence shares with a text, if its state can, else to nothing, and returns the length. The last token
  // of the text is always left to compute.
  rewind(s, text) {
    let n = 0;
    while (n < s.length && n < text.length - 1 && s.tokens[n] === text[n]) n++;
    const whole = this.description.states.every((state) => state.ring === 0 || state.ring * 64 >= s.context); // nothing has been overwritten
    const fixed = this.description.states.some((state) => state.ring === 1 && state.value === 0);
    this.truncate(s, n === s.length || (whole && !fixed) ? n : 0);
    return s.length;
  }

  // head runs the head for some rows of the last pass.
  head(selected) {
    const { memory: m } = this.description;
    this.ints(m.selected, selected.length).set(selected);
    this.ints(m.counts + 4, 1)[0] = selected.length;
    this.exports.head();
  }

  // output views row i of an output of the last pass.
  output(name, i = 0) {
    const o = this.description.outputs.find((o) => o.name === name);
    if (!o) throw new Error(`the model has no output ${name}; it has ${this.description.outputs.map((o) => o.name).join(", ")}`);
    return this.floats(o.at + i * o.stride, o.width);
  }

  // feed appends the next tokens of a prompt, at most one pass, and returns how many; behind the last the logits are ready.
  feed(s, tokens, from) {
    const part = tokens.slice(from, from + this.description.limits.tokens);
    this.layers([{ sequence: s, tokens: part, total: s.length + tokens.length - from }]);
    if (from + part.length === tokens.length) this.head([part.length - 1]);
    return part.length;
  }

  // logits views the logits of the last pass.
  logits() {
    return this.output("logits");
  }

  argMax() {
    return Number(this.exports.argmax(this.description.wide ? 0n : 0));
  }

  // run computes whole sequences of an encoder: {tokens, types, global}. One pass takes several.
  run(batch) {
    const { limits, context, outputs } = this.description, results = [];
    batch.forEach(({ tokens, types, global }, i) => {
      if (tokens.length < 1 || tokens.length > context) throw new ContextError(`sequence ${i} has ${tokens.length} tokens, expected 1 to ${context}`);
      if (types && types.length !== tokens.length) throw new RangeError(`sequence ${i} has ${tokens.length} tokens and ${types.length} token types`);
      if (global && !this.description.memory.global) throw new RangeError(`sequence ${i}: the model has no global attention`);
      if (global && (global.length !== tokens.length || global.some((v) => v !== 0 && v !== 1))) throw new RangeError(`sequence ${i}: global must be 0 or 1 for each of the ${tokens.length} tokens`);
      this.checkTokens(tokens);
    });
    for (let from = 0; from < batch.length; ) {
      let to = from, rows = 0;
      while (to < batch.length && to - from < limits.sequences && rows + batch[to].tokens.length <= limits.tokens) rows += batch[to++].tokens.length;
      const parts = batch.slice(from, to).map((q) => ({ ...q, sequence: this.open(q.tokens.length) }));
      try {
        this.layers(parts);
        this.head([0]);
        let row = 0;
        parts.forEach(({ tokens }, i) => {
          results.push(Object.fromEntries(outputs.map((o) => [o.name, this.collect(o, row, i, tokens.length)])));
          row += tokens.length;
        });
      } finally {
        for (const p of parts) this.close(p.sequence);
      }
      from = to;
    }
    return results;
  }

  // collect copies what an output has for one sequence.
  collect(o, row, i, n) {
    if (o.rows !== "tokens") return this.output(o.name, i).slice();
    const all = new Float32Array(n * o.width);
    for (let j = 0; j < n; j++) all.set(this.output(o.name, row + j), j * o.width);
    return all;
  }

  // warm makes the engine compile what is hot before the first request: passes of one token and of several.
  warm(milliseconds) {
    const { limits, context, causal, encodes } = this.description, end = performance.now() + milliseconds;
    const n = Math.min(8, limits.tokens, context);
    do {
      const s = this.open(n);
      try {
        if (encodes) this.encode(s, [0]);
        if (causal) {
          this.feed(s, new Array(n - 1 || 1).fill(0), 0);
          if (n > 1) this.feed(s, [0], 0);
        } else {
          this.layers([{ sequence: s, tokens: new Array(n).fill(0) }]);
          this.head([0]);
        }
      } finally {
        this.close(s);
      }
    } while (performance.now() < end);
  }
}

function blocks(state, context) {
  const n = Math.ceil(context / 64);
  return state.ring > 0 ? Math.min(n, state.ring) : n;
}
