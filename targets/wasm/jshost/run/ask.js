// The page's or Node's side of runner.js: ask(method, args) returns a promise of the result as JSON.
import { startWorker } from "../js/env.js";

const worker = startWorker(new URL("./runner.js", import.meta.url));
const calls = new Map();
let last = 0;

worker.onmessage = ({ call, result, error }) => {
  const { resolve, reject } = calls.get(call);
  calls.delete(call);
  if (error) reject(new Error(error));
  else resolve(result);
};
worker.onerror = (e) => {
  for (const { reject } of calls.values()) reject(e);
};

export function ask(method, args) {
  return new Promise((resolve, reject) => {
    calls.set(++last, { resolve, reject });
    worker.post({ call: last, method, args });
  });
}
