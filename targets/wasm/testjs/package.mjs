// Uses a package as people do, and as they should not: node package.mjs DIRECTORY GOLDEN.JSON SAMPLES.JSON [CYCLES]
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";

const [dir, goldenFile, samplesFile, cycles = "3"] = process.argv.slice(2);
const own = (name) => import(pathToFileURL(join(dir, name)));
const { load, clearCache } = await own("index.js");
const { Sampler } = await own("sample.js");
const { choose } = await own("variant.js");
const { Engine, newMemory } = await own("engine.js");
const { Remote } = await own("remote.js");
const golden = JSON.parse(readFileSync(goldenFile));
const { samples, talks, sampled } = JSON.parse(readFileSync(samplesFile));
const weightsFile = JSON.parse(readFileSync(join(dir, "model.json"))).weights.file;

// serve serves the package; fault(name, request, response, bytes) may answer in its own way.
async function serve(fault = () => false) {
  const server = createServer((request, response) => {
    const name = request.url.slice(1);
    let bytes;
    try {
      bytes = readFileSync(join(dir, name));
    } catch {
      response.writeHead(404).end();
      return;
    }
    if (fault(name, request, response, bytes)) return;
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
    response.writeHead(range ? 206 : 200);
    response.end(range ? bytes.subarray(Number(range[1])) : bytes);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => { server.closeAllConnections(); server.close(); } };
}

const tests = {
  async "greedy tokens are the recorded ones, with one thread and with two"() {
    for (const threads of [1, 2]) {
      const model = await load(undefined, { threads });
      assert.equal(model.info.threads, threads);
      for (const g of golden) {
        assert.deepEqual([...(await model.tokenize(g.prompt))], g.input_ids);
        const generation = model.generate(g.prompt, { maxTokens: g.greedy.length, eos: [], temperature: 0 });
        const text = await generation.text();
        assert.deepEqual(generation.ids, g.greedy);
        if (g.text) assert.equal(text, g.text);
        assert.equal(generation.stats.reason, "max tokens");
      }
      model.close();
    }
  },

  async "sampling makes the choices of the Go package"() {
    for (const { options, logits, history, tokens } of samples) {
      const s = new Sampler({ ...options, seed: BigInt(options.seed) });
      const text = [...history];
      const got = tokens.map(() => {
        try {
          text.push(s.next(Float32Array.from(logits), text, history.length));
          return text.at(-1);
        } catch {
          return -1;
        }
      });
      assert.deepEqual(got, tokens, JSON.stringify(options));
    }
  },

  async "a generation begins with the settings of generation_config.json"() {
    const model = await load(undefined, { threads: 1 });
    assert.deepEqual(model.info.generation, { temperature: 0.7, topK: 50, topP: 0.9 });
    const ids = async (options) => {
      const g = model.generate(golden[0].prompt, { maxTokens: 24, eos: [], ...options });
      await g.text();
      return g.ids;
    };
    for (const { seed, tokens } of sampled) assert.deepEqual(await ids({ seed }), tokens); // of the Go package
    const own = await ids({ seed: 7 });
    assert.deepEqual(await ids({ seed: 7, defaults: false, temperature: 0.7, topK: 50, topP: 0.9 }), own);
    assert.notDeepEqual(await ids({ seed: 7, topK: 1 }), own); // one setting is replaced, the others stay
    assert.deepEqual(await ids({ defaults: false }), golden[0].greedy.slice(0, 24)); // greedy
    assert.deepEqual(await ids({ temperature: undefined, seed: 7 }), own);
    model.close();
    const other = await serve((name, _, response, bytes) => name === "model.json" && response.end(JSON.stringify({ ...JSON.parse(bytes), lacks: ["guidance_scale"], eos: [golden[0].greedy[2]] })));
    const strange = await load(other.url, { threads: 1 });
    await assert.rejects(strange.generate("x").text(), /asks for guidance_scale, which only the Go package has/);
    const ended = strange.generate(golden[0].prompt, { defaults: false });
    await ended.text();
    assert.deepEqual(ended.ids, golden[0].greedy.slice(0, 2));
    assert.equal(ended.stats.reason, "end of text");
    strange.close();
    other.close();
  },

  async "lengths and times end a generation"() {
    const model = await load(undefined, { threads: 1 }), n = golden[0].input_ids.length;
    const ends = async (options) => {
      const g = model.generate(golden[0].prompt, { eos: [], ...options });
      await g.text();
      return [g.ids.length, g.stats.reason];
    };
    assert.deepEqual(await ends({ maxLength: n + 5 }), [5, "max tokens"]);
    assert.deepEqual(await ends({ maxLength: n + 5, maxTokens: 3 }), [3, "max tokens"]);
    assert.deepEqual(await ends({ maxTime: 1e-6 }), [1, "deadline"]);
    await assert.rejects(ends({ maxLength: n }), { name: "RangeError", message: /the prompt alone has/ });
    await assert.rejects(ends({ maxTime: -1 }), /maxTime -1/);
    model.close();
  },

  async "a prompt at once and token by token give the same bits"() {
    const model = await load(undefined, { threads: 1 });
    const ids = await model.tokenize(golden[0].prompt.repeat(20));
    const a = await model.createSession({ context: ids.length }), b = await model.createSession();
    const at = await a.prefill(ids);
    let step;
    for (const id of ids) step = await b.decode(id);
    assert.deepEqual(at, step);
    assert.equal(a.length, ids.length);
    await assert.rejects(a.decode(1), { name: "ContextError", message: /do not fit/ });
    await a.reset();
    assert.deepEqual(await a.prefill(ids), at);
    await a.close();
    await assert.rejects(a.decode(1), /session is closed/);
    await (await model.createSession()).close();
    const before = await model.memory();
    for (let i = 0; i < 50; i++) await (await model.createSession()).close();
    assert.equal(await model.memory(), before);
    model.close();
    await assert.rejects(model.memory(), /the model is closed/);
  },

  async "bad arguments are errors that say what is expected"() {
    const model = await load(undefined, { threads: 1 });
    const bad = (prompt, options, message) => assert.rejects(model.generate(prompt, options).text(), message);
    await bad([], {}, /prompt is empty/);
    await bad([1e6], {}, /does not exist, the vocabulary has/);
    await bad([-1], {}, /does not exist/);
    await bad([1.5], {}, /does not exist/);
    await bad(new Array(600).fill(5), {}, /context is full/);
    await bad("x", { temperature: -1 }, /temperature -1: must be/);
    await bad("x", { topK: 0.5 }, /topK 0.5/);
    await bad("x", { topP: 2 }, /topP 2/);
    await bad("x", { maxTokens: -1 }, /maxTokens -1/);
    await bad("x", { dry: { multiplier: -1 } }, /dry.multiplier -1/);
    await bad("x", { badWords: [[]] }, /a word without tokens/);
    await bad("x", { suppress: 3 }, /suppress: must be a list/);
    await bad("x", { context: 0.5 }, /a context of 0.5 tokens/);
    await assert.rejects(model.createSession({ context: 1e6 }), /a context of 1000000 tokens/);
    await assert.rejects(model.embed(["x"]), /makes no embeddings/);
    await assert.rejects(model.run(["x"]), /is a decoder/);
    model.close();
  },

  async "stop texts, seeds and sessions"() {
    const model = await load(undefined, { threads: 1 });
    const prompt = golden[0].prompt;
    const text = await model.generate(prompt, { maxTokens: 64, temperature: 0, stop: ["err error"] }).text();
    assert.ok(!text.includes("err error") && text.length > 0, text);
    const write = (seed) => model.generate(prompt, { maxTokens: 30, temperature: 1.2, topK: 50, seed }).text();
    const [a, b, c] = [await write(7), await write(7), await write(8)];
    assert.equal(a, b);
    assert.notEqual(a, c);
    const s = await model.createSession();
    const g = s.generate(prompt, { maxTokens: 5, eos: [] });
    await g.text();
    assert.equal(s.length, g.stats.promptTokens + 4);
    model.close();
  },

  async "conversations go through the chat template of the model"() {
    const model = await load(undefined, { threads: 1 });
    for (const { messages, options, text } of talks) assert.equal(await model.applyChatTemplate(messages, options), text);
    const [{ messages, text }] = talks, set = { maxTokens: 12 };
    const answer = model.chat(messages, set), plain = model.generate([...(await model.tokenize(text, { special: false }))], set);
    assert.equal(await answer.text(), await plain.text());
    assert.deepEqual(answer.ids, plain.ids);
    const session = await model.createSession(), more = [...messages, { role: "assistant", content: "x := 1" }, { role: "user", content: "Go on." }];
    await session.chat(messages, set).text();
    const held = session.chat(more, set), anew = model.chat(more, { ...set, repetitionPenalty: 1.2 });
    await held.text();
    const fresh = model.chat(more, set);
    await fresh.text();
    assert.deepEqual(held.ids, fresh.ids);
    assert.ok(held.stats.promptTokens < fresh.stats.promptTokens, `${held.stats.promptTokens} of ${fresh.stats.promptTokens} tokens are computed`);
    await session.reset();
    await session.chat(messages, set).text();
    const penalised = session.chat(more, { ...set, repetitionPenalty: 1.2 }); // the penalty sees what the session holds
    await penalised.text();
    await anew.text();
    assert.deepEqual(penalised.ids, anew.ids);
    await assert.rejects(model.applyChatTemplate([]), /conversation is empty/);
    await assert.rejects(model.applyChatTemplate(messages, { template: "rag" }), /no chat template rag/);
    await assert.rejects(model.chat("hello").text(), /conversation is empty/);
    model.close();
    const other = await serve((name, _, response, bytes) => name === "model.json" && response.end(JSON.stringify({ ...JSON.parse(bytes), chat: "0" })));
    const strange = await load(other.url, { threads: 1 });
    await assert.rejects(strange.applyChatTemplate(messages), /those of another model/);
    strange.close();
    other.close();
  },

  async "every function that waits takes a signal, and leaves nothing behind"() {
    const model = await load(undefined, { threads: 1 }), s = await model.createSession(), ids = golden[0].input_ids, aborted = { name: "AbortError" };
    const functions = {
      memory: (o) => model.memory(o), tokenize: (o) => model.tokenize("x", o), detokenize: (o) => model.detokenize(ids, o), tokenizePair: (o) => model.tokenizePair("a", "b", o),
      applyChatTemplate: (o) => model.applyChatTemplate(talks[0].messages, o), createSession: (o) => model.createSession(o), generate: (o) => model.generate("x", { maxTokens: 2, ...o }).text(),
      chat: (o) => model.chat(talks[0].messages, { maxTokens: 2, ...o }).text(), prefill: (o) => s.prefill(ids, o), decode: (o) => s.decode(1, o), reset: (o) => s.reset(o),
    };
    await (await model.createSession()).close();
    const before = await model.memory();
    for (const [name, f] of Object.entries(functions)) {
      await assert.rejects(f({ signal: AbortSignal.abort() }), aborted, name);
      const c = new AbortController(), waiting = f({ signal: c.signal });
      c.abort();
      await assert.rejects(waiting, aborted, name);
      await model.memory(); // what came too late is closed now
    }
    await assert.rejects(model.run(["x"], { signal: AbortSignal.abort() }), aborted);
    await assert.rejects(s.encode("x", { signal: AbortSignal.abort() }), aborted);
    await assert.rejects(clearCache({ signal: AbortSignal.abort() }), aborted);
    for (let i = 0; i < 30; i++) { // a session that comes too late is closed
      const c = new AbortController(), waiting = model.createSession({ signal: c.signal });
      c.abort();
      await assert.rejects(waiting, aborted);
      await model.memory();
    }
    assert.equal(await model.memory(), before);
    await s.reset();
    const kept = new AbortController();
    await s.prefill(ids, { signal: kept.signal });
    kept.abort(); // comes too late and disturbs nothing
    assert.equal(s.length, ids.length);
    const g = s.generate(ids, { maxTokens: 2, eos: [] });
    await g.text();
    assert.equal(s.length, 2 * ids.length + 1);
    model.close();
  },

  async "an abort ends generation, prefill and loading"() {
    const model = await load(undefined, { threads: 1 });
    const c = new AbortController();
    let pieces = 0;
    await assert.rejects(async () => {
      for await (const _ of model.generate(golden[0].prompt, { signal: c.signal, eos: [] })) if (++pieces === 3) c.abort();
    }, { name: "AbortError" });
    for await (const _ of model.generate(golden[0].prompt, { eos: [] })) break; // leaving the loop frees the session
    await assert.rejects(model.generate("x", { signal: AbortSignal.abort() }).text(), { name: "AbortError" });
    const s = await model.createSession();
    await assert.rejects(s.prefill([1, 2], { signal: AbortSignal.abort() }), { name: "AbortError" });
    assert.equal((await model.generate(golden[0].prompt, { maxTokens: 3 }).text()).length > 0, true);
    model.close();
    const server = await serve((name, _, response) => name === weightsFile && response.writeHead(200)); // never sends a byte
    const l = new AbortController();
    const loading = load(server.url, { signal: l.signal });
    setTimeout(() => l.abort(), 100);
    await assert.rejects(loading, { name: "AbortError" });
    await assert.rejects(load(server.url, { signal: AbortSignal.abort() }), { name: "AbortError" });
    server.close();
  },

  async "a download that breaks off goes on behind the last whole piece"() {
    for (const ranges of [true, false]) {
      let cuts = 0, from = [];
      const server = await serve((name, request, response, bytes) => {
        if (name !== weightsFile) return false;
        const at = Number(/\d+/.exec(request.headers.range ?? "")?.[0] ?? 0);
        from.push(at);
        if (cuts++ < 2) { // some of the bytes, then the line is cut
          const start = ranges ? at : 0;
          response.writeHead(ranges && at ? 206 : 200, { "content-length": bytes.length - start });
          response.write(bytes.subarray(start, Math.min(bytes.length, start + (5 << 20))), () => setTimeout(() => response.destroy(), 20));
          return true;
        }
        if (ranges) return false;
        response.writeHead(200).end(bytes);
        return true;
      });
      const seen = [];
      const model = await load(server.url, { threads: 1, progress: (p) => seen.push(p) });
      assert.ok(cuts >= 2 && from.some((at) => at > 0), `${cuts} requests from ${from}`);
      assert.equal(seen.at(-1).loaded, seen.at(-1).total);
      assert.ok((await model.generate(golden[0].prompt, { maxTokens: 2 }).text()).length > 0);
      model.close();
      server.close();
    }
  },

  async "truncated, damaged, swapped and missing files are errors with their cause"() {
    const answers = (file, make) => serve((name, _, response, bytes) => name === file && response.writeHead(200).end(make(Buffer.from(bytes))));
    const fails = async (server, message) => {
      await assert.rejects(load(server.url, { threads: 1 }), message);
      server.close();
    };
    await fails(await answers(weightsFile, (b) => b.subarray(0, 100000)), /ends after|broke off/);
    await fails(await answers(weightsFile, (b) => Buffer.concat([b, Buffer.alloc(10)])), /longer than/);
    await fails(await answers(weightsFile, (b) => { b[5000] ^= 1; return b; }), /expected digest/);
    await fails(await answers(weightsFile, (b) => Buffer.concat([b.subarray(b.length >> 1), b.subarray(0, b.length >> 1)])), /expected digest/); // halves swapped
    await fails(await answers(weightsFile, (b) => Buffer.alloc(b.length, 7)), /expected digest/); // another file of the same length
    await fails(await answers("simd.wasm", (b) => { b[50] ^= 1; return b; }), /expected digest/);
    await fails(await answers("tokenizer.bin", (b) => { b[50] ^= 1; return b; }), /expected digest/);
    await fails(await answers("model.json", () => "{"), /model\.json/);
    await fails(await answers("model.json", (b) => JSON.stringify({ ...JSON.parse(b), format: 2 })), /format 2/);
    await fails(await serve((name, _, response) => name === "pieces.json" && response.writeHead(500).end()), /500/);
    await assert.rejects(load("http://127.0.0.1:9/", { threads: 1 }), /model\.json/);
    await assert.rejects(load(pathToFileURL("/nowhere/"), { threads: 1 }), /model\.json/);
  },

  async "a worker that dies fails what waits for it"() {
    const remote = new Remote();
    const call = remote.call("load", { url: "http://127.0.0.1:9/", threads: 1 });
    remote.worker.stop();
    await assert.rejects(call, /worker of the model died|model\.json/);
    await assert.rejects(remote.call("memory"), /died/);
  },

  async "a generation ends where the context does, and a prompt that is longer is an error"() {
    const model = await load(undefined, { threads: 1 });
    const g = model.generate(golden[0].input_ids, { context: golden[0].input_ids.length + 3, eos: [] });
    await g.text();
    assert.equal(g.stats.reason, "context full");
    assert.equal(g.ids.length, 4); // the last one is not fed any more
    await assert.rejects(model.generate(golden[0].input_ids, { context: 2 }).text(), { name: "ContextError", message: /context is full: the prompt has/ });
    const s = await model.createSession({ context: 4 });
    await s.prefill([1, 2, 3]);
    await assert.rejects(s.prefill([4, 5]), { name: "ContextError", message: /2 tokens more do not fit, the session holds 3 of 4/ });
    await assert.rejects(s.prefill([1e6]), { name: "RangeError", message: /the token id 1000000 does not exist/ });
    assert.equal(s.length, 3);
    model.close();
  },

  async "a memory that does not grow is an error, and what was there goes on"() {
    const description = JSON.parse(readFileSync(join(dir, "model.json"))).model, { pages } = description;
    const memory = new WebAssembly.Memory({ initial: pages + 200, maximum: pages + 200 });
    const engine = new Engine({}, memory, description, 1), open = [];
    assert.throws(() => { for (;;) open.push(engine.open(description.context)); }, { name: "MemoryError", message: /there is no memory for \d+ bytes more/ });
    assert.ok(open.length > 0);
    engine.close(open.pop());
    open.push(engine.open(description.context));
    for (const s of open) engine.close(s);
    assert.deepEqual(engine.heap.free.length, 1);
  },

  async "what the engine lacks is said"() {
    const { validate } = WebAssembly;
    try {
      WebAssembly.validate = () => false;
      assert.throws(() => choose(1), /no WebAssembly SIMD/);
      WebAssembly.validate = (b) => b.includes(0x7b) && !b.includes(0x85);
      assert.deepEqual(choose(4).notes.length, 2);
      assert.equal(choose(4).name, "simd");
      assert.throws(() => choose(1, "relaxed"), /no relaxed SIMD/);
      const far = ["simd-64", "simd-threads-64"], both = ["simd", ...far];
      assert.throws(() => choose(1, undefined, far), /needs more than 4 GiB, and this engine has no 64-bit/);
      assert.equal(choose(1, undefined, both).name, "simd");
      assert.match(choose(1, undefined, both, true).notes.at(-1), /at most 4 GiB/);
      assert.throws(() => choose(1, "simd-64", both), /has no 64-bit memory/);
      assert.throws(() => choose(1, "simd-64", ["simd"]), /the model has no variant simd-64; it has simd/);
      WebAssembly.validate = (b) => !b.includes(0x85);
      assert.equal(choose(1, undefined, both, true).name, "simd-64");
      assert.equal(choose(1, undefined, both, false).name, "simd");
      assert.equal(choose(2, undefined, far, false).name, "simd-threads-64");
    } finally {
      WebAssembly.validate = validate;
    }
    assert.throws(() => newMemory({ pages: 70000, memory: { scratch: 0 } }, 1), { name: "MemoryError" });
    await assert.rejects(load(undefined, { variant: "fast" }), /there is no variant fast/);
  },

  async [`${cycles} times load and close leave nothing behind`]() {
    const resident = [];
    for (let i = 0; i < Number(cycles); i++) {
      const model = await load(undefined, { threads: 1 + (i % 2) });
      assert.ok((await model.generate(golden[0].prompt, { maxTokens: 2 }).text()).length > 0);
      model.close();
      await new Promise((resolve) => setTimeout(resolve, 5));
      resident.push(process.memoryUsage().rss / 1e6);
    }
    const third = Math.floor(resident.length / 3), early = Math.max(...resident.slice(0, third || 1)), late = Math.min(...resident.slice(-(third || 1)));
    assert.ok(late < early + 60, `resident memory grows: ${resident.map((v) => v.toFixed(0))}`);
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  const begin = performance.now();
  try {
    await test();
    console.log(`ok    ${name} (${Math.round(performance.now() - begin)} ms)`);
  } catch (e) {
    failed++;
    console.log(`FAIL  ${name}: ${e.stack}`);
  }
}
process.exit(failed ? 1 : 0);
