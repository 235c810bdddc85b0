// The page's side of a model's workers.

import { startWorker } from "./env.js";

// Remote calls methods of the worker.
export class Remote {
  constructor() {
    this.calls = new Map();
    this.last = 0;
    this.ended = null;
    this.onprogress = this.onwarning = () => {};
    this.worker = startWorker(new URL("./worker.js", import.meta.url));
    this.worker.onmessage = (m) => this.receive(m);
    this.worker.onerror = (e) => this.end(new Error(`the worker of the model died: ${e.message}`));
    this.threads = [];
  }

  receive(m) {
    if (m.progress) return this.onprogress(m.progress);
    if (m.warning) return this.onwarning(m.warning);
    const call = this.calls.get(m.call);
    if (!call) return;
    this.calls.delete(m.call);
    if (m.error) call.reject(Object.assign(new Error(m.error.message), { name: m.error.name }));
    else call.resolve(m.result);
  }

  // call waits for the answer, or until a signal ends the wait: the worker finishes what it has begun, and late gets the answer.
  call(method, args = {}, { signal, late = () => {} } = {}) {
    if (this.ended || signal?.aborted) return Promise.reject(this.ended ?? signal.reason);
    return new Promise((resolve, reject) => {
      const call = ++this.last;
      const abort = () => {
        this.calls.set(call, { resolve: late, reject() {} });
        reject(signal.reason);
      };
      const then = (f) => (v) => {
        signal?.removeEventListener("abort", abort);
        f(v);
      };
      signal?.addEventListener("abort", abort);
      this.calls.set(call, { resolve: then(resolve), reject: then(reject) });
      this.worker.post({ call, method, args });
    });
  }

  // addThreads starts the further threads and waits until they are ready.
  async addThreads(count, shared) {
    await Promise.all(Array.from({ length: count - 1 }, (_, i) => new Promise((resolve, reject) => {
      const w = startWorker(new URL("./thread.js", import.meta.url));
      const fail = (message) => {
        const error = new Error(`thread ${i + 1} of the model died: ${message}`);
        reject(error);
        this.end(error);
      };
      w.onmessage = (m) => (m.ready ? resolve() : fail(m.error));
      w.onerror = (e) => fail(e.message);
      w.post({ ...shared, thread: i + 1, threads: count });
      this.threads.push(w);
    })));
  }

  // end stops all workers; calls that wait for an answer fail with the error.
  end(error) {
    if (this.ended) return;
    this.ended = error;
    for (const w of [this.worker, ...this.threads]) {
      w.onerror = w.onmessage = null;
      w.stop();
    }
    for (const call of this.calls.values()) call.reject(error);
    this.calls.clear();
  }
}
