// What differs between browsers and Node: workers, message ports and files.

export const isNode = typeof process !== "undefined" && !!process.versions?.node && typeof WorkerGlobalScope === "undefined" && typeof window === "undefined";

const nodeWorkers = isNode ? await import("node:worker_threads") : null;

// startWorker runs a module in a worker. The result posts messages, and calls onmessage and onerror.
export function startWorker(url) {
  if (!nodeWorkers) {
    const w = new Worker(url, { type: "module" });
    const port = { post: (m, transfer = []) => w.postMessage(m, transfer), stop: () => w.terminate(), onmessage: null, onerror: null };
    w.onmessage = (e) => port.onmessage?.(e.data);
    w.onerror = (e) => port.onerror?.(new Error(e.message || `the worker ${url} could not be started`));
    w.onmessageerror = () => port.onerror?.(new Error("a message of the worker could not be read"));
    return port;
  }
  const w = new nodeWorkers.Worker(url, { execArgv: [] });
  const port = { post: (m, transfer = []) => w.postMessage(m, transfer), stop: () => w.terminate(), onmessage: null, onerror: null };
  w.on("message", (m) => port.onmessage?.(m));
  w.on("error", (e) => port.onerror?.(e));
  w.on("exit", (code) => port.onerror?.(new Error(`the worker ended with code ${code}`)));
  return port;
}

// ownPort is the port of a worker to whoever started it.
export function ownPort() {
  if (nodeWorkers) {
    const p = nodeWorkers.parentPort;
    return { post: (m, transfer = []) => p.postMessage(m, transfer), listen: (f) => p.on("message", f) };
  }
  return { post: (m, transfer = []) => postMessage(m, transfer), listen: (f) => addEventListener("message", (e) => f(e.data)) };
}

// processors is the number of processors that may be used.
export function processors() {
  return globalThis.navigator?.hardwareConcurrency || 1;
}

// openFile reads a file: URL in Node, from a byte on.
export async function* openFile(url, from) {
  const { open } = await import("node:fs/promises");
  const f = await open(url);
  try {
    const buffer = new Uint8Array(1 << 20);
    for (let at = from; ; ) {
      const { bytesRead } = await f.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await f.close();
  }
}
