// Which module this engine can run. Small modules tell: they hold one function each that uses a proposal.

import { isNode } from "./env.js";

const module = (...code) => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, code.length + 4, 1, code.length + 2, 0, ...code, 0x0b]);
const zero = [0xfd, 12, ...new Array(16).fill(0)];

const simd = module(...zero);
const relaxed = module(...zero, ...zero, ...zero, 0xfd, 0x85, 0x02);
// A shared memory of one page and an atomic fence.
const threads = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 7, 1, 5, 0, 0xfe, 3, 0, 0x0b]);

// A memory with 64-bit addresses.
const wide = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 4, 1]);

const names = ["simd", "relaxed", "simd-threads", "relaxed-threads"].flatMap((name) => [name, name + "-64"]);

// hasRelaxed tells whether the engine has relaxed SIMD.
export const hasRelaxed = () => WebAssembly.validate(relaxed);

// hasWide tells whether the engine has memories with 64-bit addresses.
export const hasWide = () => WebAssembly.validate(wide);

// choose returns {name, threads, notes}: the best variant for the wanted number of threads, and why it is not a better one. The
// variants that the model has are given, and whether 64-bit addresses are needed.
export function choose(wanted, forced, have = names, far = false) {
  const notes = [], narrow = have.some((name) => !name.endsWith("-64"));
  if (!WebAssembly.validate(simd)) {
    throw new Error("this browser has no WebAssembly SIMD: Chrome 91, Firefox 89, Safari 16.4 and Node 16 or later have it");
  }
  let count = Math.max(1, Math.floor(wanted));
  const isolated = isNode || globalThis.crossOriginIsolated === true;
  if (count > 1 && !isolated) {
    notes.push("one thread: the page is not cross-origin isolated (serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)");
    count = 1;
  } else if (count > 1 && !WebAssembly.validate(threads)) {
    notes.push("one thread: this engine has no WebAssembly threads");
    count = 1;
  }
  let fused = hasRelaxed();
  if (!fused) notes.push("no relaxed SIMD: products and sums are rounded one by one");
  if (forced) {
    if (!names.includes(forced)) throw new Error(`there is no variant ${forced}; there are ${names.join(", ")}`);
    if (!have.includes(forced)) throw new Error(`the model has no variant ${forced}; it has ${have.join(", ")}`);
    if (forced.startsWith("relaxed") && !fused) throw new Error(`this engine cannot run the variant ${forced}: it has no relaxed SIMD`);
    if (forced.includes("threads") && !isolated) throw new Error(`this page cannot run the variant ${forced}: it is not cross-origin isolated`);
    if (forced.endsWith("-64") && !hasWide()) throw new Error(`this engine cannot run the variant ${forced}: it has no 64-bit memory`);
    if (!forced.includes("threads")) count = 1;
    return { name: forced, threads: count, notes };
  }
  const name = (fused ? "relaxed" : "simd") + (count > 1 ? "-threads" : "");
  if ((narrow && !far) || !have.includes(name + "-64")) return { name, threads: count, notes };
  if (hasWide()) return { name: name + "-64", threads: count, notes };
  if (!narrow) throw new Error("the model needs more than 4 GiB, and this engine has no 64-bit WebAssembly memory: Chrome 133, Firefox 134 and Node 24 or later have it");
  notes.push("at most 4 GiB of memory: this engine has no 64-bit WebAssembly memory");
  return { name, threads: count, notes };
}
