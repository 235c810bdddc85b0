// Uses the package of an encoder-decoder: node source.mjs DIRECTORY. The tokens are those that transformers makes of the first
// input of the golden case t5.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";

const { load } = await import(pathToFileURL(join(process.argv[2], "index.js")));
const source = [97, 42, 140, 196, 86, 149, 1], greedy = [157, 80, 74, 61, 59, 157, 139, 58, 59, 157, 0, 165, 90, 194];

for (const threads of [1, 2]) {
  const model = await load(undefined, { threads });
  assert.equal(model.info.encodes, true);
  const g = model.generate(source, { maxTokens: greedy.length });
  await g.text();
  assert.deepEqual(g.ids, greedy);
  const s = await model.createSession();
  await assert.rejects(s.prefill(model.info.start), /no source: encode comes first/);
  await assert.rejects(s.encode([]), { name: "ContextError", message: /a source of 0 tokens/ });
  await assert.rejects(s.encode([1e6]), /does not exist/);
  await assert.rejects(s.encode("text"), /no tokenizer/);
  for (let round = 0; round < 2; round++) {
    await s.encode(source);
    let logits = await s.prefill(model.info.start);
    for (const id of greedy) {
      assert.equal(logits.indexOf(Math.max(...logits)), id);
      logits = await s.decode(id);
    }
  }
  assert.equal(s.length, 1 + greedy.length);
  model.close();
}
console.log("ok");
process.exit(0);
