// Which module this engine can run. Three small modules tell: they hold one function each that uses a proposal.

import { isNode } from "./env.js";

const module = (...code) => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, code.length + 4, 1, code.length + 2, 0, ...code, 0x0b]);
const zero = [0xfd, 12, ...new Array(16).fill(0)];

const simd = module(...zero);
const relaxed = module(...zero, ...zero, ...zero, 0xfd, 0x85, 0x02);
// A shared memory of one page and an atomic fence.
const threads = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 7, 1, 5, 0, 0xfe, 3, 0, 0x0b]);

const names = ["simd", "relaxed", "simd-threads", "relaxed-threads"];

// hasRelaxed tells whether the engine has relaxed SIMD.
export const hasRelaxed = () => WebAssembly.validate(relaxed);

// choose returns {name, threads, notes}: the best variant for the wanted number of threads, and why it is not a better one.
export function choose(wanted, forced) {
  const notes = [];
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
    if (forced.startsWith("relaxed") && !fused) throw new Error(`this engine cannot run the variant ${forced}: it has no relaxed SIMD`);
    if (forced.endsWith("threads") && !isolated) throw new Error(`this page cannot run the variant ${forced}: it is not cross-origin isolated`);
    fused = forced.startsWith("relaxed");
    if (!forced.endsWith("threads")) count = 1;
    return { name: forced, threads: count, notes };
  }
  return { name: (fused ? "relaxed" : "simd") + (count > 1 ? "-threads" : ""), threads: count, notes };
}
