// A further thread of a model: it works in the module's own loop until the worker is ended.

import { ownPort } from "./env.js";
import { instantiate } from "./engine.js";

const port = ownPort();

port.listen(async ({ module, memory, description, thread, threads }) => {
  try {
    const exports = await instantiate(module, memory, description, thread, threads);
    port.post({ ready: true });
    exports.work();
  } catch (e) {
    port.post({ error: String(e?.message ?? e) });
  }
});
