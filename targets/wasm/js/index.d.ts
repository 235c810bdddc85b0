/** A model compiled to WebAssembly by tfgen, in a worker. */

export interface Progress {
  /** Bytes that are there and have their digest, or are on their way. */
  loaded: number;
  total: number;
  /** Bytes that came from the browser's cache. */
  cached: number;
}

/** Those with "-64" have 64-bit addresses; only models have them that may need more than 4 GiB. */
export type Variant = "simd" | "relaxed" | "simd-threads" | "relaxed-threads" | "simd-64" | "relaxed-64" | "simd-threads-64" | "relaxed-threads-64";

/** What every function takes that returns a promise. A signal ends the wait with its reason; what a session or the worker has begun is
 * finished meanwhile. */
export interface Abortable {
  signal?: AbortSignal;
}

export interface LoadOptions {
  progress?(progress: Progress): void;
  /** Ends the download and the workers. */
  signal?: AbortSignal;
  /** Threads to use; the default is the number of processors, at most 4. More than one needs a cross-origin isolated page. */
  threads?: number;
  /** Forces a variant of the module; by default the best that runs here is chosen. */
  variant?: Variant;
  /** The longest session that will be opened, in tokens: if its state does not fit 4 GiB, a variant with 64-bit addresses is taken. */
  context?: number;
  /** Whether downloads are kept in the browser (Cache API); true by default. */
  cache?: boolean;
  /** Is told what does not work as well as it could, for example that the cache is full. */
  warn?(message: string): void;
}

/** What a loaded model is and how it runs. */
export interface Info {
  readonly title: string;
  readonly architecture: string;
  readonly task: string;
  readonly parameters: number;
  readonly weightsFormat: string;
  /** Longest sequence in tokens. */
  readonly context: number;
  readonly vocabulary: number;
  /** A decoder, which generates; otherwise an encoder. */
  readonly causal: boolean;
  /** An encoder-decoder: a session reads a source first, and the prompt of a generation is its source. */
  readonly encodes: boolean;
  /** Tokens that every text of an encoder-decoder's decoder begins with. */
  readonly start: readonly number[];
  readonly outputs: readonly string[];
  /** Tokens that end generation. */
  readonly eos: readonly number[];
  /** What generation begins with: the settings of the model's generation_config.json. */
  readonly generation: Readonly<GenerateOptions>;
  /** Settings of that file that only the Go package has; generate refuses them unless defaults is false. */
  readonly lacks: readonly string[];
  readonly variant: Variant;
  readonly threads: number;
  /** Why it is not a better variant, and warnings while loading. */
  readonly notes: readonly string[];
}

export interface EncodeOptions {
  /** Adds the tokens that the model expects around a text; true by default. */
  special?: boolean;
  /** Encodes names of special tokens in the text as any other text. */
  literal?: boolean;
}

/** How tokens are chosen. The processors run in the order of runtime/sample, with the same arithmetic: same logits, options and seed,
 * same tokens. Those marked * count when sampling only. */
export interface SampleOptions {
  /** Logits are divided by it; 0 takes the most likely token, and is the default unless the model's generation_config.json says
   * do_sample. */
  temperature?: number;
  /** The same logits, options and seed give the same tokens. */
  seed?: number | bigint;
  /** The second half of the seed: samples that differ in it are independent. */
  sequence?: number | bigint;
  /** * Keeps the k largest logits; 0 keeps all. */
  topK?: number;
  /** * Keeps the most probable tokens until their sum reaches p; 0 or 1 keeps all. */
  topP?: number;
  /** * Keeps tokens with at least this share of the largest probability. */
  minP?: number;
  /** * Keeps the most probable tokens until their share of the entropy reaches it. */
  topH?: number;
  /** * Keeps the tokens whose information is closest to the entropy until their sum reaches it. */
  typicalP?: number;
  /** * Drops tokens with a probability below it. */
  epsilonCutoff?: number;
  /** * Drops tokens with a probability below min(eta, sqrt(eta)·exp(-entropy)). */
  etaCutoff?: number;
  /** * Keeps logits within so many standard deviations of the largest. */
  topNSigma?: number;
  /** * How often XTC drops all tokens of at least the threshold except the least probable of them. */
  xtcProbability?: number;
  xtcThreshold?: number;
  /** * 1 or 2: keeps the surprise near mirostatTau (5), in place of the options that drop tokens. */
  mirostat?: number;
  mirostatTau?: number;
  mirostatEta?: number;
  /** * Tokens that those options keep at least. */
  keep?: number;
  /** Divides the positive and multiplies the negative logits of tokens that occurred; above 1 makes them less probable. */
  repetitionPenalty?: number;
  /** The same for the prompt alone, inverted: above 1 makes its tokens more probable. */
  encoderRepetitionPenalty?: number;
  /** Subtracted for each time that a token occurred in the last penaltyWindow tokens (0: all), and once. */
  frequencyPenalty?: number;
  presencePenalty?: number;
  penaltyWindow?: number;
  /** Lowers the logits of tokens that would continue a repetition. */
  dry?: { multiplier: number; base?: number; allowedLength?: number; window?: number; breakers?: number[][] };
  /** Forbids sequences of so many tokens that occurred, or that are in the prompt. */
  noRepeatNGram?: number;
  encoderNoRepeatNGram?: number;
  /** Biases of tokens, or of the last of several where the others precede it. */
  sequenceBias?: { tokens: number[]; bias: number }[];
  badWords?: number[][];
  minLength?: number;
  minNewTokens?: number;
  /** The token behind a prompt of one token, the last one at the limit, and tokens by their place in the text. */
  forcedBOS?: number[];
  forcedEOS?: number[];
  forcedTokens?: Record<number, number>;
  /** The ends of text become more probable by decayFactor for each token after decayStart generated ones. */
  decayStart?: number;
  decayFactor?: number;
  /** Tokens that are never chosen, or never as the first. */
  suppress?: number[];
  suppressFirst?: number[];
  /** Replaces NaN and infinities by numbers. */
  removeInvalid?: boolean;
  renormalize?: boolean;
}

export interface GenerateOptions extends SampleOptions {
  /** Tokens to generate at most; 0, the default, is until the context is full. */
  maxTokens?: number;
  /** Tokens of prompt and text together at most. */
  maxLength?: number;
  /** Milliseconds after which a text ends; the token that is being computed is the last. */
  maxTime?: number;
  /** Whether options that are not given are those of the model's generation_config.json, as in the Go package; true by default. */
  defaults?: boolean;
  /** Texts that end the text; they are not yielded. */
  stop?: string[];
  /** Tokens that end the text, in place of the model's own. */
  eos?: number[];
  signal?: AbortSignal;
}

/** A message of a conversation, with what else the chat template knows: tool_calls, name, reasoning_content, … */
export interface Message {
  role: string;
  content?: string | { type: string; text?: string; [key: string]: unknown }[] | null;
  [key: string]: unknown;
}

/** As of apply_chat_template of transformers. */
export interface ChatOptions {
  /** Functions that the model may call, as {type: "function", function: {name, description, parameters}}. */
  tools?: object[];
  documents?: object[];
  /** Whether the model's answer is begun; true by default. */
  addGenerationPrompt?: boolean;
  /** Leaves the last message open, for the model to go on with. */
  continueFinalMessage?: boolean;
  /** Switches reasoning on or off in templates that know enable_thinking or thinking. */
  thinking?: boolean;
  /** The name of one of several templates. */
  template?: string;
  /** Further variables of the template. */
  variables?: Record<string, unknown>;
  /** The time that strftime_now tells; the default is now. */
  now?: Date | string | number;
}

/** Times are milliseconds. */
export interface Stats {
  promptTokens: number;
  tokens: number;
  prefill: number;
  first: number;
  decode: number;
  reason: "" | "end of text" | "stop text" | "max tokens" | "context full" | "deadline";
}

/** Yields text piece by piece. Leaving the loop ends the generation. */
export interface Generation extends AsyncIterable<string> {
  /** Tokens so far. */
  readonly ids: number[];
  readonly stats: Stats | null;
  /** Waits for the end and returns all text. */
  text(): Promise<string>;
}

export interface Session {
  /** Tokens in the session. */
  readonly length: number;
  /** Largest number of tokens that it holds. */
  readonly context: number;
  /** Its memory. */
  readonly bytes: number;
  /** Lets a session of an encoder-decoder read a source, text or tokens with their special tokens, and empties it. */
  encode(source: string | Iterable<number>, options?: Abortable): Promise<void>;
  /** Appends tokens and returns the logits behind the last. */
  prefill(tokens: Iterable<number>, options?: Abortable): Promise<Float32Array>;
  /** Appends one token and returns the logits behind it. */
  decode(token: number, options?: Abortable): Promise<Float32Array>;
  /** Continues with a prompt, text or tokens. */
  generate(prompt: string | Iterable<number>, options?: GenerateOptions): Generation;
  /** Answers a conversation. Only what the session does not hold of it is computed, so that a conversation goes on where it was. */
  chat(messages: Message[], options?: GenerateOptions & ChatOptions): Generation;
  reset(options?: Abortable): Promise<void>;
  close(): Promise<void>;
}

/** One input of an encoder: a text, or tokens with their special tokens, their types, and which of them attend to all (1, else 0; by
 * default as the model has it). */
export type Sequence = string | { tokens: Iterable<number>; types?: Iterable<number>; global?: Iterable<number> };

export interface Model {
  readonly info: Info;
  /** Size of the WebAssembly memory in bytes. */
  memory(options?: Abortable): Promise<number>;
  tokenize(text: string, options?: EncodeOptions & Abortable): Promise<Int32Array>;
  detokenize(ids: Iterable<number>, options?: { skipSpecial?: boolean } & Abortable): Promise<string>;
  tokenizePair(a: string, b: string, options?: Abortable): Promise<{ ids: number[]; types: number[] }>;
  createSession(options?: { context?: number } & Abortable): Promise<Session>;
  /** Continues a prompt in a session of its own. */
  generate(prompt: string | Iterable<number>, options?: GenerateOptions & { context?: number }): Generation;
  /** A conversation as the text that the model was trained on, by its chat template. */
  applyChatTemplate(messages: Message[], options?: ChatOptions & Abortable): Promise<string>;
  /** Answers a conversation in a session of its own. */
  chat(messages: Message[], options?: GenerateOptions & ChatOptions & { context?: number }): Generation;
  /** Computes a batch of an encoder and returns the outputs of each sequence by name. */
  run(batch: Sequence[], options?: Abortable): Promise<Record<string, Float32Array>[]>;
  /** The embedding of each text. */
  embed(texts: string | string[], options?: Abortable): Promise<Float32Array[]>;
  /** Ends the workers and frees the memory; what is still running fails. */
  close(): void;
}

/** Downloads a model and starts it. Without an address it is the one that this package came with. */
export function load(url?: string | URL, options?: LoadOptions): Promise<Model>;

/** Deletes everything that downloads have stored in this browser. */
export function clearCache(options?: Abortable): Promise<boolean>;
