// Runs in the page: both sides on the same weights and threads, alternately. Each function returns rates of one round.
import { load } from "/tfgen/decoder/index.js";
import { load as loadEncoder } from "/tfgen/encoder/index.js";

const now = () => performance.now();

// decoders measures prefill and decoding in tokens a second: [{side, prefill, decode}].
export async function decoders({ threads, rounds, prompt, tokens }) {
  const { Wllama } = await import("/npm/@wllama/wllama/esm/index.js");
  const ours = await load("/tfgen/decoder/", { threads, cache: false });
  const theirs = new Wllama({ default: "/npm/@wllama/wllama/esm/wasm/wllama.wasm" }, { suppressNativeLog: true });
  await theirs.loadModel([await (await fetch("/model.gguf")).blob()], { n_ctx: 1024, n_threads: threads, n_batch: 512, n_gpu_layers: 0 });
  const ids = await ours.tokenize(prompt), rows = [];
  for (let round = -1; round < rounds; round++) { // the first warms both up
    const g = ours.generate(ids, { maxTokens: tokens, eos: [], temperature: 0, context: 1024 });
    await g.text();
    const own = { side: "tfgen", prefill: (1000 * ids.length) / g.stats.prefill, decode: (1000 * (g.stats.tokens - 1)) / g.stats.decode };
    const { timings: t } = await theirs.createCompletion({ prompt, max_tokens: tokens, temperature: 0, cache_prompt: false, ignore_eos: true });
    if (round < 0) continue;
    rows.push(own, { side: "wllama", prefill: (1000 * t.prompt_n) / t.prompt_ms, decode: (1000 * (t.predicted_n - 1)) / t.predicted_ms, tokens: [t.prompt_n, t.predicted_n] });
  }
  const info = { variant: ours.info.variant, threads: ours.info.threads, theirs: theirs.getNumThreads(), promptTokens: ids.length };
  ours.close();
  await theirs.exit();
  return { rows, info };
}

// mean is mean pooling of [texts, tokens, width] where the mask says so, normalised.
function mean(states, mask) {
  const [n, tokens, width] = states.dims, data = new Float32Array(n * width);
  for (let i = 0; i < n; i++) {
    const row = data.subarray(i * width, (i + 1) * width);
    for (let t = 0; t < tokens; t++) {
      if (Number(mask.data[i * tokens + t])) for (let j = 0; j < width; j++) row[j] += states.data[(i * tokens + t) * width + j];
    }
    const norm = Math.hypot(...row);
    row.forEach((v, j) => { row[j] = v / norm; });
  }
  return { data };
}

// encoders measures texts a second: [{side, texts}], and the largest difference of the vectors.
export async function encoders({ threads, rounds, texts }) {
  const { AutoTokenizer, AutoModel, env } = await import("/npm/@huggingface/transformers/dist/transformers.min.js");
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "/models/";
  env.backends.onnx.wasm.wasmPaths = "/npm/onnxruntime-web/dist/";
  env.backends.onnx.wasm.numThreads = threads;
  const tokenizer = await AutoTokenizer.from_pretrained("minilm"), model = await AutoModel.from_pretrained("minilm", { dtype: "fp32", device: "wasm" });
  const ours = await loadEncoder("/tfgen/encoder/", { threads, cache: false });
  const rows = [];
  let difference = 0;
  for (let round = -1; round < rounds; round++) {
    let begin = now();
    const vectors = await ours.embed(texts);
    const own = now() - begin;
    begin = now();
    const inputs = await tokenizer(texts, { padding: true, truncation: true });
    const outputs = await model(inputs);
    const tensor = outputs.embedding ?? outputs.sentence_embedding ?? mean(Object.values(outputs)[0], inputs.attention_mask);
    const other = now() - begin;
    vectors.forEach((v, i) => v.forEach((x, j) => { difference = Math.max(difference, Math.abs(x - tensor.data[i * v.length + j])); }));
    if (round >= 0) rows.push({ side: "tfgen", texts: (1000 * texts.length) / own }, { side: "transformers.js", texts: (1000 * texts.length) / other });
  }
  const info = { variant: ours.info.variant, threads: ours.info.threads, difference };
  ours.close();
  await model.dispose();
  return { rows, info };
}
