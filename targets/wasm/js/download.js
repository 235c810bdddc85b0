// Downloads with progress, digests, resumption and a cache. A file is known by the SHA-256 digests of its pieces; nothing is
// used or stored that does not have its digest, so that the cache can never be poisoned: an interrupted download goes on behind
// the last whole piece, also after a reload, and two tabs store the same bytes under the same names.

import { isNode, openFile } from "./env.js";

const cacheName = "tfgen";
const retries = 2; // without a whole piece in between

// TransferError is a download that failed: the network, the server, or bytes that are not the expected ones.
export class TransferError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "TransferError";
  }
}

async function digest(bytes) {
  if (!globalThis.crypto?.subtle) throw new TransferError("digests need a secure context: serve the page over https, or from localhost");
  const own = bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", own));
  return Array.from(hash, (b) => b.toString(16).padStart(2, "0")).join("");
}

// Store is the Cache API under the names of digests. Where there is none, or it is full, everything goes on without.
class Store {
  constructor(enabled, warn) {
    this.warn = warn;
    this.writing = []; // what is being stored meanwhile
    this.open = enabled && !isNode && globalThis.caches ? caches.open(cacheName).catch((e) => this.fail(e)) : Promise.resolve(null);
  }

  fail(error) {
    if (this.failed) return null; // one warning is enough
    this.failed = true;
    const full = error?.name === "QuotaExceededError";
    this.warn(full ? "the browser's storage is full: the model is not kept for the next visit" : `the browser's cache cannot be used: ${error?.message ?? error}`);
    this.open = Promise.resolve(null);
    return null;
  }

  key(sha256) {
    return new URL(`/.tfgen/sha256-${sha256}`, globalThis.location?.origin ?? "http://localhost");
  }

  async get(sha256) {
    try {
      const cache = await this.open;
      const found = await cache?.match(this.key(sha256));
      if (!found) return null;
      const bytes = new Uint8Array(await found.arrayBuffer());
      if ((await digest(bytes)) === sha256) return bytes;
      await cache.delete(this.key(sha256));
    } catch (e) {
      this.fail(e);
    }
    return null;
  }

  // put begins to store bytes that do not change any more, and waits if many are not yet stored; written waits for all.
  async put(sha256, bytes) {
    const put = async () => (await this.open)?.put(this.key(sha256), new Response(bytes, { headers: { "content-type": "application/octet-stream" } }));
    this.writing.push(put().catch((e) => this.fail(e)));
    if (this.writing.length > 4) await this.writing.shift();
  }

  async written() {
    await Promise.all(this.writing);
    this.writing = [];
  }
}

// clearCache deletes everything that downloads have stored.
export async function clearCache({ signal } = {}) {
  signal?.throwIfAborted();
  return globalThis.caches ? caches.delete(cacheName) : false;
}

// chunks yields the bytes of a resource from a byte on.
async function* chunks(url, from, signal) {
  if (isNode && url.protocol === "file:") {
    yield* openFile(url, from);
    return;
  }
  const response = await fetch(url, { signal, headers: from > 0 ? { range: `bytes=${from}-` } : {} });
  if (!response.ok) throw wrong(`${url}: the server answers ${response.status} ${response.statusText}`, response.status < 500 ? 0 : retries);
  let skip = from > 0 && response.status !== 206 ? from : 0; // the server does not know ranges
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (skip >= value.length) {
        skip -= value.length;
      } else {
        yield skip > 0 ? value.subarray(skip) : value;
        skip = 0;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

const pause = (ms, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

// Downloader downloads the files of one model.
export class Downloader {
  constructor(base, { signal, progress, cache = true, warn = () => {} } = {}) {
    Object.assign(this, { base, signal, progress: progress ?? (() => {}) });
    this.store = new Store(cache, warn);
    this.loaded = 0;
    this.total = 0;
    this.cached = 0;
  }

  // expect adds to the total of the progress.
  expect(bytes) {
    this.total += bytes;
  }

  report(bytes, cached = false) {
    this.loaded += bytes;
    if (cached) this.cached += bytes;
    this.progress({ loaded: this.loaded, total: this.total, cached: this.cached });
  }

  // json reads a small file that names what follows; it is never cached here.
  async json(name) {
    const url = new URL(name, this.base);
    const parts = [];
    try {
      for await (const chunk of chunks(url, 0, this.signal)) parts.push(chunk.slice());
      return JSON.parse(await new Blob(parts).text());
    } catch (e) {
      this.signal?.throwIfAborted();
      throw e instanceof TransferError ? e : new TransferError(`${url}: ${e.message}`, { cause: e });
    }
  }

  // bytes returns a whole file: {file, bytes, sha256}.
  async bytes(entry) {
    const out = new Uint8Array(entry.bytes);
    await this.pieces({ ...entry, piece: entry.bytes, sha256: [entry.sha256] }, (offset, bytes) => out.set(bytes, offset));
    return out;
  }

  // pieces hands the pieces of a file to sink(offset, bytes) in order: {file, bytes, piece, sha256: [one a piece]}.
  async pieces(entry, sink) {
    const url = new URL(entry.file, this.base), count = entry.sha256.length;
    let next = 0;
    for (let failures = 0; next < count; ) {
      next = await this.fromCache(entry, next, sink);
      if (next === count) return;
      const before = next;
      try {
        await this.transfer(url, entry, next, sink, () => next++);
      } catch (e) {
        this.signal?.throwIfAborted();
        failures = next > before ? 0 : failures + 1;
        if (e.retries === 0 || failures > (e.retries ?? retries)) {
          const where = `after ${Math.min(next * entry.piece, entry.bytes)} of ${entry.bytes} bytes`;
          throw e instanceof TransferError ? e : new TransferError(`${url}: the download broke off ${where}: ${e.message}`, { cause: e });
        }
        await pause(100 * 2 ** failures, this.signal);
      }
    }
  }

  async fromCache(entry, next, sink) {
    for (; next < entry.sha256.length; next++) {
      this.signal?.throwIfAborted();
      const bytes = await this.store.get(entry.sha256[next]);
      if (!bytes) break;
      await sink(next * entry.piece, bytes);
      this.report(bytes.length, true);
    }
    return next;
  }

  // transfer reads pieces from the network until the file ends.
  async transfer(url, entry, from, sink, passed) {
    let index = from, filled = 0, piece = new Uint8Array(pieceBytes(entry, index)), reported = 0;
    const { length } = entry.sha256;
    try {
      for await (let chunk of chunks(url, from * entry.piece, this.signal)) {
        this.signal?.throwIfAborted();
        while (chunk.length > 0) {
          if (index === length) throw wrong(`${url} is longer than ${entry.bytes} bytes: it does not belong to this model`, 0);
          const n = Math.min(chunk.length, piece.length - filled);
          piece.set(chunk.subarray(0, n), filled);
          filled += n;
          reported += n;
          this.report(n);
          chunk = chunk.subarray(n);
          if (filled < piece.length) continue;
          if ((await digest(piece)) !== entry.sha256[index]) {
            throw wrong(`${url}: bytes ${index * entry.piece} to ${index * entry.piece + filled - 1} do not have the expected digest: the file is damaged or belongs to another model`, 1);
          }
          await this.store.put(entry.sha256[index], piece);
          await sink(index * entry.piece, piece);
          reported = filled = 0;
          passed();
          if (++index < length) piece = new Uint8Array(pieceBytes(entry, index));
        }
      }
    } finally {
      this.loaded -= reported; // of a piece that is not whole
    }
    if (index < length) throw wrong(`${url} ends after ${index * entry.piece + filled} of ${entry.bytes} bytes`, 1);
  }
}

// wrong is an error of a file that does not belong to the model: another try hardly helps.
function wrong(message, retries) {
  return Object.assign(new TransferError(message), { retries });
}

const pieceBytes = (entry, i) => Math.min(entry.piece, entry.bytes - i * entry.piece);
