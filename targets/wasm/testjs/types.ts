// Uses the types of a package as people do; tsc --strict accepts it.
import { load, clearCache, type Model, type Stats, type GenerateOptions, type Message, type Session, type Progress } from "gocode";
const controller = new AbortController();
const model: Model = await load(undefined, { progress: ({ loaded, total }: Progress) => console.log(loaded / total), signal: controller.signal, threads: 2 });
const options: GenerateOptions = { ...model.info.generation, maxTokens: 16, temperature: 0.5, topK: 3, signal: controller.signal };
for await (const piece of model.generate("package ", options)) console.log(piece);
const g = model.generate("x", { maxTokens: 2, defaults: false });
const text: string = await g.text();
const stats: Stats | null = g.stats;
const s: Session = await model.createSession({ context: 64 });
const logits: Float32Array = await s.prefill([1, 2, 3]);
const messages: Message[] = [{ role: "user", content: "Hello" }];
const prompt: string = await model.applyChatTemplate(messages, { thinking: false, signal: controller.signal });
for await (const piece of s.chat(messages, { maxTokens: 4 })) console.log(piece);
console.log(text.length, stats?.reason, logits.length, prompt.length, await clearCache(), model.info.lacks.length);
// @ts-expect-error a typo
model.generate("x", { maxToken: 3 });
model.close();
