// What both pages share: loading with progress, facts, problems.

export const show = (id, text) => { document.getElementById(id).textContent = text; };
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

// prepare loads a model and shows its progress and how it runs.
export async function prepare(load, url, signal) {
  const bar = document.getElementById("progress"), begin = performance.now();
  let last = { loaded: 0, total: 0, cached: 0 };
  bar.hidden = false;
  show("status", "Loading the model …");
  document.getElementById("status").classList.remove("error");
  try {
    const model = await load(url, {
      signal,
      threads: Number(new URLSearchParams(location.search).get("threads")) || undefined,
      variant: new URLSearchParams(location.search).get("variant") ?? undefined,
      progress: (p) => {
        last = p;
        bar.value = p.total ? p.loaded / p.total : 0;
        show("status", `Loading the model: ${megabytes(p.loaded)} of ${megabytes(p.total)}`);
      },
    });
    const { variant, threads, notes } = model.info;
    show("variant", `${variant.startsWith("relaxed") ? "relaxed SIMD" : "SIMD"}, ${threads} thread${threads > 1 ? "s" : ""}`);
    show("download", `${megabytes(last.total)} in ${Math.round(performance.now() - begin)} ms${last.cached > last.total / 2 ? ", cached" : ""}`);
    show("memory", megabytes(await model.memory()));
    document.getElementById("notes").replaceChildren(...notes.map((n) => Object.assign(document.createElement("li"), { textContent: n })));
    document.documentElement.dataset.model = "ready";
    return model;
  } finally {
    bar.hidden = true;
  }
}

// showProblem tells why something ended early.
export function showProblem(error, signal) {
  const status = document.getElementById("status");
  status.classList.toggle("error", !signal?.aborted);
  status.textContent = signal?.aborted ? "Stopped." : error.message;
}
