import { load } from "./models/gocode/index.js";
import { megabytes, prepare, show, showProblem } from "./page.js";

const $ = (id) => document.getElementById(id);
let model = null, running = null;

const endings = { "end of text": "the model ended the text", "context full": "the context of the model is full" };

// complete continues the prompt; the first time it loads the model.
async function complete() {
  running?.abort();
  const own = (running = new AbortController());
  const clicked = performance.now();
  const prompt = $("prompt").value;
  $("stop").disabled = false;
  $("output").replaceChildren(Object.assign(document.createElement("span"), { className: "prompt", textContent: prompt }));
  busy(true);
  try {
    model ??= await prepare(load, new URL("models/gocode/", location.href), own.signal);
    show("status", "Writing …");
    await write(prompt, own.signal, clicked);
  } catch (e) {
    if (running === own) showProblem(e, own.signal);
  } finally {
    if (running === own) {
      running = null;
      $("stop").disabled = true;
      busy(false);
    }
  }
}

function busy(is) {
  $("output").classList.toggle("busy", is);
  $("output").setAttribute("aria-busy", is);
}

// write streams the completion and measures it.
async function write(prompt, signal, clicked) {
  const generation = model.generate(prompt, {
    maxTokens: $("tokens").valueAsNumber || 160, temperature: $("temperature").valueAsNumber || 0, seed: $("seed").valueAsNumber || 0, signal,
  });
  let first = true;
  for await (const piece of generation) {
    if (first) show("first", `${Math.round(performance.now() - clicked)} ms`);
    first = false;
    $("output").append(piece);
    const { tokens, decode } = generation.stats;
    show("count", String(tokens));
    if (tokens > 1) show("speed", `${Math.round(((tokens - 1) / decode) * 1000)} tokens/s`);
  }
  show("memory", megabytes(await model.memory()));
  const { reason, tokens } = generation.stats;
  show("status", `Done: ${endings[reason] ?? `${tokens} tokens are written`}.`);
}

$("form").addEventListener("submit", (e) => { e.preventDefault(); complete(); });
$("stop").addEventListener("click", () => running?.abort());
addEventListener("keydown", (e) => {
  if (e.key === "Escape") running?.abort();
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); complete(); }
});
