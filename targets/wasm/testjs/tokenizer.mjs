// Compares the JavaScript tokenizer with what the Go tokenizer computed: a directory with unicode.bin, NAME.bin and NAME.json.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "../js/tokenizer/index.js";

const dir = process.argv[2];
const classes = readFileSync(join(dir, "unicode.bin"));
let failed = 0, compared = 0;

function check(name, what, text, got, want) {
  compared++;
  if (JSON.stringify(got) === JSON.stringify(want)) return;
  if (++failed > 12) return;
  console.error(`${name} ${what} ${JSON.stringify(text).slice(0, 120)}\n got ${JSON.stringify(got).slice(0, 300)}\nwant ${JSON.stringify(want).slice(0, 300)}`);
}

for (const file of readdirSync(dir).filter((f) => f.endsWith(".json"))) {
  const name = file.slice(0, -5);
  const t = new Tokenizer(new Uint8Array(readFileSync(join(dir, name + ".bin"))), classes);
  for (const line of JSON.parse(readFileSync(join(dir, file)))) {
    const { text } = line;
    check(name, "ids", text, t.encode(text, { special: false }), line.ids);
    check(name, "special", text, t.encode(text), line.special);
    check(name, "literal", text, t.encode(text, { special: false, literal: true }), line.literal);
    check(name, "decode", text, t.decode(line.ids, { skipSpecial: false }), line.decoded);
    check(name, "skip", text, t.decode(line.special), line.skipped);
    const stream = t.stream({ skipSpecial: false });
    check(name, "stream", text, line.ids.map((id) => stream.next(id)), line.stream);
    const pair = t.encodePair(text, "b c");
    check(name, "pair", text, [pair.ids, pair.types], [line.pair, line.types]);
  }
}
console.log(`${compared} comparisons, ${failed} differences`);
process.exit(failed ? 1 : 0);
