// The token loop: prefill, then sample and decode until something ends it, as runtime/generate does. Work is cut into steps, so
// that the worker can listen in between.

import { Sampler } from "./sample.js";
import { ContextError } from "./engine.js";

// Stopper looks for stop texts in text that comes in pieces.
class Stopper {
  constructor(stop) {
    this.stop = stop.filter((s) => s !== "");
    this.held = ""; // the beginning of a stop text, perhaps
  }

  // next takes the next piece and returns what may be shown, and whether a stop text has been found behind it.
  next(piece) {
    if (this.stop.length === 0 || piece === "") return [piece, false];
    const text = this.held + piece;
    const found = this.stop.map((s) => text.indexOf(s)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.held = "";
      return [text.slice(0, Math.min(...found)), true];
    }
    let keep = 0;
    for (const s of this.stop) {
      for (let n = Math.min(s.length - 1, text.length); n > keep; n--) if (text.endsWith(s.slice(0, n))) keep = n;
    }
    this.held = text.slice(text.length - keep);
    return [text.slice(0, text.length - keep), false];
  }

  rest() {
    const rest = this.held;
    this.held = "";
    return rest;
  }
}

// Generation is one generation over a sequence of the engine.
export class Generation {
  constructor(engine, sequence, prompt, tokenizer, options) {
    const { maxTokens = 0, maxLength = 0, maxTime = 0, stop = [], eos, start, before = [] } = options; // before are the tokens that the sequence holds of the prompt
    for (const [name, n] of Object.entries({ maxTokens, maxLength })) {
      if (!Number.isInteger(n) || n < 0) throw new RangeError(`${name} ${n}: must be 0 (no limit) or a positive integer`);
    }
    if (!(maxTime >= 0)) throw new RangeError(`maxTime ${maxTime}: must be 0 (no limit) or positive`);
    if (prompt.length === 0) throw new RangeError("the prompt is empty: there is nothing to continue");
    if (engine.description.encodes) { // the prompt is the source
      engine.encode(sequence, prompt);
      prompt = start;
    }
    const free = sequence.context - sequence.length;
    if (prompt.length > free) {
      throw new ContextError(`the context is full: the prompt has ${prompt.length} tokens, the session holds ${sequence.length} of ${sequence.context}: shorten the prompt or open a session with a larger context`);
    }
    engine.checkTokens(prompt);
    this.promptLength = before.length + prompt.length;
    const most = Math.min(maxTokens || Infinity, maxLength ? maxLength - this.promptLength : Infinity); // tokens to generate
    if (most <= 0) throw new RangeError(`maxLength ${maxLength}: the prompt alone has ${this.promptLength} tokens`);
    Object.assign(this, { engine, sequence, prompt, most, maxTime, fed: 0, done: false, id: -1 });
    this.eos = new Set(eos);
    this.sampler = new Sampler({ ends: eos, length: most < Infinity ? this.promptLength + most : 0, ...options });
    this.history = this.sampler.needsHistory ? [...before, ...prompt] : null;
    this.stream = tokenizer?.stream({ skipSpecial: true });
    this.stopper = new Stopper(stop);
    this.begin = performance.now();
    this.stats = { promptTokens: prompt.length, tokens: 0, prefill: 0, first: 0, decode: 0, reason: "" };
  }

  // step works for about budget milliseconds and returns the ids and the text that are new, and the statistics.
  step(budget) {
    const end = performance.now() + budget, ids = [];
    let text = "";
    do {
      const piece = this.next(ids);
      text += piece;
    } while (!this.done && performance.now() < end);
    return { ids, text, done: this.done, length: this.sequence.length, stats: this.stats };
  }

  // next does one pass, or what follows the last, and returns the text that it adds.
  next(ids) {
    const { engine, sequence, stats } = this;
    if (this.fed < this.prompt.length) {
      this.fed += engine.feed(sequence, this.prompt, this.fed);
      if (this.fed < this.prompt.length) return "";
      stats.prefill = performance.now() - this.begin;
      this.decodeBegin = performance.now();
    } else {
      engine.feed(sequence, [this.id], 0);
    }
    return this.choose(ids);
  }

  // choose samples the next token.
  choose(ids) {
    const { engine, sampler, stats } = this;
    this.id = sampler.isGreedy ? engine.argMax() : sampler.next(engine.logits(), this.history, this.promptLength);
    if (this.id < 0 || (sampler.isGreedy && engine.logits()[this.id] === Infinity)) throw new Error("sample: logits are not finite");
    if (stats.tokens === 0) stats.first = performance.now() - this.begin;
    if (this.eos.has(this.id)) return this.finish("end of text");
    stats.tokens++;
    stats.decode = performance.now() - this.decodeBegin;
    ids.push(this.id);
    this.history?.push(this.id);
    const [shown, found] = this.stopper.next(this.stream?.next(this.id) ?? "");
    if (found) {
      this.done = true;
      stats.reason = "stop text";
      return shown;
    }
    if (stats.tokens >= this.most) return shown + this.finish("max tokens");
    if (this.sequence.length >= this.sequence.context) return shown + this.finish("context full");
    if (this.maxTime > 0 && performance.now() - this.begin >= this.maxTime) return shown + this.finish("deadline");
    return shown;
  }

  finish(reason) {
    this.done = true;
    this.stats.reason = reason;
    return this.stopper.rest();
  }
}
