import { megabytes, prepare, show, showProblem } from "./page.js";

const $ = (id) => document.getElementById(id);
const home = new URL("models/minilm/", location.href);
let model = null, running = null;
let index = { text: null, passages: [], vectors: [] };

// passagesOf cuts a text into paragraphs, and long ones into runs of sentences of about 300 characters.
function passagesOf(text) {
  const passages = [];
  for (const paragraph of text.split(/\n\s*\n/)) {
    let run = "";
    for (const sentence of paragraph.replace(/\s+/g, " ").trim().match(/[^.!?]+[.!?]*\s*/g) ?? []) {
      if (run && run.length + sentence.length > 300) {
        passages.push(run.trim());
        run = "";
      }
      run += sentence;
    }
    if (run.trim()) passages.push(run.trim());
  }
  return passages;
}

// embedAll computes the vectors of the text's passages, some at a time so that progress can be shown.
async function embedAll(text, signal) {
  if (index.text === text) return;
  const passages = passagesOf(text), vectors = [], begin = performance.now();
  for (let i = 0; i < passages.length; i += 8) {
    vectors.push(...(await model.embed(passages.slice(i, i + 8), { signal })));
    show("status", `Reading: ${vectors.length} of ${passages.length} passages`);
  }
  show("count", String(passages.length));
  if (passages.length) show("speed", `${((passages.length / (performance.now() - begin)) * 1000).toFixed(1)} passages/s`);
  index = { text, passages, vectors };
}

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

// search finds the passages nearest to the question; the first time it loads the model.
async function search() {
  running?.abort();
  const own = (running = new AbortController());
  $("stop").disabled = false;
  try {
    if (!model) {
      const { load } = await import(new URL("index.js", home).href).catch(() => {
        throw new Error("MiniLM is not here: `make demo-web MINILM=directory` builds the page with it.");
      });
      model = await prepare(load, home, own.signal);
    }
    await embedAll($("text").value, own.signal);
    const begin = performance.now();
    const [question] = await model.embed([$("query").value], { signal: own.signal });
    const ranked = index.vectors.map((v, i) => ({ score: dot(v, question), text: index.passages[i] })).sort((a, b) => b.score - a.score);
    show("first", `${(performance.now() - begin).toFixed(1)} ms`);
    list(ranked.slice(0, 5));
    show("memory", megabytes(await model.memory()));
    show("status", ranked.length ? "Done." : "There is no text to search in.");
    $("status").classList.remove("error");
  } catch (e) {
    if (running === own) showProblem(e, own.signal);
  } finally {
    if (running === own) {
      running = null;
      $("stop").disabled = true;
    }
  }
}

function list(ranked) {
  $("hits").replaceChildren(...ranked.map(({ score, text }) => {
    const li = document.createElement("li");
    li.append(Object.assign(document.createElement("span"), { className: "score", textContent: `similarity ${score.toFixed(3)}` }), text);
    return li;
  }));
}

const sample = `The kettle was left on the stove until all the water had boiled away.

Migrating geese can fly for more than a thousand kilometres without landing, taking turns at the front of the flock.

A barrier is a point where every worker waits until all of them have arrived. Spinning is faster than sleeping when the wait is shorter than a context switch.

The museum opens at nine, except on Mondays, when it is closed all day. Children under twelve do not pay.

Sourdough rises slowly because wild yeast is less vigorous than the yeast that bakers buy. Patience is the only ingredient that cannot be replaced.

After the storm the power failed in half of the town, and neighbours shared candles and soup.

Interest on the loan is calculated daily and added to the balance at the end of each month.`;

$("sample").addEventListener("click", () => {
  $("text").value = sample;
  $("query").value = "When can I visit with my kids for free?";
  $("query").focus();
});
$("form").addEventListener("submit", (e) => { e.preventDefault(); search(); });
$("stop").addEventListener("click", () => running?.abort());
addEventListener("keydown", (e) => { if (e.key === "Escape") running?.abort(); });
