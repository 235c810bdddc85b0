// Compares a generated npm package with wllama and with transformers.js in headless Chromium, on the same weights and threads,
// alternately in one page:
//
//   node compare.mjs --npm NODE_MODULES --decoder DIR --gguf FILE --encoder DIR --minilm DIR [--onnx FILE] [--threads 1,2] [--rounds 3]
//
// DIR are packages of `tfgen build --target wasm`; --minilm is the directory of all-MiniLM-L6-v2, --onnx its graph. NODE_MODULES has
// @wllama/wllama, @huggingface/transformers, onnxruntime-web and playwright-core (npm install --ignore-scripts). It prints medians.
import { createReadStream, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join, normalize } from "node:path";
import { parseArgs } from "node:util";

const { values: o } = parseArgs({ options: Object.fromEntries(["npm", "decoder", "gguf", "encoder", "minilm", "onnx", "threads", "rounds", "chromium"].map((n) => [n, { type: "string" }])) });
const rounds = Number(o.rounds ?? 3), here = import.meta.dirname;
const { chromium } = createRequire(join(o.npm, "x.js"))("playwright-core");

// places are the files that the page may fetch, by the beginning of their path.
const places = [
  ["/npm/", o.npm], ["/tfgen/decoder/", o.decoder], ["/tfgen/encoder/", o.encoder], ["/model.gguf", o.gguf],
  ["/models/minilm/onnx/model.onnx", o.onnx], ["/models/minilm/", o.minilm], ["/page.js", join(here, "page.js")],
];
const types = { js: "text/javascript", mjs: "text/javascript", wasm: "application/wasm", json: "application/json" };

const server = createServer((request, response) => {
  response.setHeader("cross-origin-opener-policy", "same-origin");
  response.setHeader("cross-origin-embedder-policy", "require-corp");
  const path = normalize(new URL(request.url, "http://localhost").pathname);
  const place = places.find(([p, to]) => to && path.startsWith(p));
  try {
    if (path === "/") return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>compare</title>");
    const file = join(place[1], path.slice(place[0].length));
    response.writeHead(200, { "content-type": types[path.split(".").pop()] ?? "application/octet-stream", "content-length": statSync(file).size });
    createReadStream(file).pipe(response);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

// report prints the medians of one figure and their ratio.
function report(what, rows, figure) {
  const sides = [...new Set(rows.map((r) => r.side))];
  const [a, b] = sides.map((s) => median(rows.filter((r) => r.side === s).map((r) => r[figure])));
  console.log(`| ${sides[1]} | ${what} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${(a / b).toFixed(2)}× |`);
}

const prompt = "the model reads a text of some length and goes on from where it ends, one token after the other. ".repeat(6);
const texts = Array.from({ length: 16 }, (_, i) => `sentence ${i}: ` + "a text that is long enough to be worth the while of an encoder of sentences, with some words more. ".repeat(1 + (i % 3)));

const own = await chromium.launchServer({ executablePath: o.chromium ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const browser = await chromium.connect(own.wsEndpoint());
try { // a scheduling group of its own, so that other work disturbs less; only root may
  writeFileSync(`/proc/${own.process().pid}/autogroup`, "-19");
} catch (e) {
  console.error(`without priority: ${e.message}`);
}
try {
  console.log("| against | figure | tfgen | other | ratio |\n| --- | --- | --- | --- | --- |");
  for (const threads of (o.threads ?? "1,2").split(",").map(Number)) {
    for (const [name, args, figures] of [["decoders", { prompt, tokens: 33 }, ["prefill", "decode"]], ["encoders", { texts }, ["texts"]]]) {
      if (!(name === "decoders" ? o.gguf : o.minilm)) continue;
      const page = await browser.newPage();
      page.on("console", (m) => process.env.VERBOSE && console.error(m.text()));
      page.on("pageerror", (e) => console.error(e.message));
      await page.goto(`http://127.0.0.1:${server.address().port}/`);
      const { rows, info } = await page.evaluate(async ([name, args]) => (await import("/page.js"))[name](args), [name, { threads, rounds, ...args }]);
      for (const f of figures) report(`${f === "texts" ? "texts/s" : f + " tokens/s"}, ${threads} thread${threads > 1 ? "s" : ""}`, rows, f);
      console.error(JSON.stringify({ ...info, rows }));
      await page.close();
    }
  }
} finally {
  await browser.close();
  await own.close();
  server.close();
}
