// Answers requests, one a line of standard input, on standard output.
import { createInterface } from "node:readline";
import { ask } from "./ask.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { method, args } = JSON.parse(line);
  const answer = await ask(method, args).then((result) => `{"result":${result}}`, (e) => JSON.stringify({ error: e.message }));
  process.stdout.write(answer + "\n");
}
process.exit(0);
