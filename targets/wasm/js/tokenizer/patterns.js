// The regular expressions that published tokenizers split by, as scanners: (bytes, i, end) → bytes that match at i, 0 for none.
// They are those of runtime/tokenizer/patterns.go.

import { decodeRune, decodeLastRune, rune, utf8, startsWith } from "./bytes.js";
import { C, classAt, classOf, run } from "./classes.js";

const tail = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const plain = "'s|'t|'re|'ve|'m|'ll|'d";
const lowerWords = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+";
const upperWords = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*";
const signs = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n";

const isDigit = (c) => c >= 0x30 && c <= 0x39;
const isLineEnd = (c) => c === 10 || c === 13;

// runOf returns the bytes of the longest run of characters at i that f holds for.
function runOf(b, i, end, f) {
  let n = i;
  while (n < end && f(decodeRune(b, n, end))) n += rune.size;
  return n - i;
}

// contraction matches 's 't 're 've 'm 'll 'd. Folding case, s has a third form, the long s.
function contraction(b, i, end, fold) {
  if (i + 1 >= end || b[i] !== 0x27) return 0;
  const at = (k) => (k >= end ? 0 : fold && b[k] >= 0x41 && b[k] <= 0x5a ? b[k] | 0x20 : b[k]);
  const c = at(i + 1), d = at(i + 2);
  if (c === 0x73 || c === 0x74 || c === 0x6d || c === 0x64) return 2;
  if (((c === 0x72 || c === 0x76) && d === 0x65) || (c === 0x6c && d === 0x6c)) return 3;
  return fold && c === 0xc5 && d === 0xbf ? 3 : 0;
}

// spaces matches \s+(?!\S)|\s+: a run of white space, less its last character if something follows.
function spaces(b, i, end) {
  const n = run(b, i, end, C.Space);
  if (n === 0 || i + n === end) return n;
  decodeLastRune(b, i, i + n);
  return rune.size < n ? n - rune.size : n;
}

// lines matches \s*[\r\n]+: white space up to the last line end in it.
function lines(b, i, end) {
  let n = run(b, i, end, C.Space);
  while (n > 0 && !isLineEnd(b[i + n - 1])) n--;
  return n;
}

// punctuation matches a space or none, then what body matches, then any of the trailing characters.
function punctuation(b, i, end, body, slash) {
  let k = i;
  if (b[k] === 0x20) k++;
  const n = body(b, k, end);
  if (n === 0) return 0;
  for (k += n; k < end && (isLineEnd(b[k]) || (slash && b[k] === 0x2f)); k++);
  return k - i;
}

const notWordOrSpace = (b, i, end) => run(b, i, end, C.Space | C.L | C.N, -1, false);
const marksOrSigns = (b, i, end) => run(b, i, end, C.P | C.S);

export function scanGPT2(b, i, end) {
  const n = contraction(b, i, end, false);
  if (n > 0) return n;
  const k = b[i] === 0x20 ? i + 1 : i;
  if (k < end) {
    const c = classAt(b, k, end);
    if (c & C.L) return k - i + run(b, k, end, C.L);
    if (c & C.N) return k - i + run(b, k, end, C.N);
    if (!(c & C.Space)) return k - i + notWordOrSpace(b, k, end);
  }
  return spaces(b, i, end);
}

// words is the pattern of cl100k (GPT-4, Llama 3) and of Qwen, which differ in the length of numbers.
const words = (digits) => (b, i, end) => {
  let n = contraction(b, i, end, true);
  if (n > 0) return n;
  const c = classAt(b, i, end), size = rune.size;
  if (c & C.L) return run(b, i, end, C.L);
  if (c & C.N) return run(b, i, end, C.N, digits);
  if (!isLineEnd(b[i])) {
    n = run(b, i + size, end, C.L);
    if (n > 0) return size + n;
  }
  return punctuation(b, i, end, notWordOrSpace, false) || lines(b, i, end) || spaces(b, i, end);
};

const upper = C.Lu | C.Lt | C.Lm | C.Lo | C.M;
const lower = C.Ll | C.Lm | C.Lo | C.M;

// lowerWord matches [upper]*[lower]+, where marks and letters without case are both.
function lowerWord(b, i, end) {
  let n = run(b, i, end, upper);
  const rest = run(b, i + n, end, lower);
  if (rest > 0) return n + rest;
  while (n > 0) {
    if (classOf(decodeLastRune(b, i, i + n)) & lower) return n;
    n -= rune.size;
  }
  return 0;
}

// upperWord matches [upper]+[lower]*.
function upperWord(b, i, end) {
  const n = run(b, i, end, upper);
  return n === 0 ? 0 : n + run(b, i + n, end, lower);
}

// cased is the pattern of o200k (GPT-4o) and of Mistral's Tekken: words also end before a capital.
const cased = (digits, withContractions) => (b, i, end) => {
  const c = classAt(b, i, end);
  const prefix = !(c & (C.L | C.N)) && !isLineEnd(b[i]) ? rune.size : 0;
  for (const word of [lowerWord, upperWord]) {
    let n = word(b, i + prefix, end);
    if (n > 0) n += prefix;
    else if (prefix > 0) n = word(b, i, end);
    if (n > 0) return n + (withContractions ? contraction(b, i + n, end, true) : 0);
  }
  if (c & C.N) return run(b, i, end, C.N, digits);
  return punctuation(b, i, end, notWordOrSpace, true) || lines(b, i, end) || spaces(b, i, end);
};

// scanDeepSeek is the last pattern of DeepSeek V3. It leaves numbers and control characters unmatched.
function scanDeepSeek(b, i, end) {
  const c = classAt(b, i, end), size = rune.size;
  if (c & C.Punct && b[i] < 0x80) {
    let n = 1;
    while (i + n < end && (b[i + n] | 0x20) >= 0x61 && (b[i + n] | 0x20) <= 0x7a) n++;
    if (n > 1) return n;
  }
  if (!(c & (C.L | C.P | C.S)) && !isLineEnd(b[i])) {
    const n = run(b, i + size, end, C.L | C.M);
    if (n > 0) return size + n;
  }
  return run(b, i, end, C.L | C.M) || punctuation(b, i, end, marksOrSigns, false) || lines(b, i, end) || spaces(b, i, end);
}

const clipMarks = ["<|startoftext|>", "<|endoftext|>"].map(utf8);

// scanCLIP is the pattern of CLIP, which matches no white space.
function scanCLIP(b, i, end) {
  for (const s of clipMarks) if (startsWith(b, s, i, end)) return s.length;
  return contraction(b, i, end, false) || run(b, i, end, C.L) || run(b, i, end, C.N, 1) || notWordOrSpace(b, i, end);
}

// scanWords matches \w+|[^\w\s]+.
export const scanWords = (b, i, end) => run(b, i, end, C.Word) || run(b, i, end, C.Word | C.Space, -1, false);

const isHan = (r) => (r >= 0x4e00 && r <= 0x9fa5) || (r >= 0x3040 && r <= 0x30ff);

// patterns is the table.
export const patterns = new Map([
  [plain + "| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", scanGPT2],
  [contractions + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}" + signs + "]*" + tail, words(3)],
  [contractions + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" + signs + "]*" + tail, words(1)],
  [lowerWords + contractions + "?|" + upperWords + contractions + "?|\\p{N}{1,3}" + signs + "/]*" + tail, cased(3, true)],
  [lowerWords + "|" + upperWords + "|\\p{N}" + signs + "/]*" + tail, cased(1, false)],
  ["[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+", scanDeepSeek],
  ["<\\|startoftext\\|>|<\\|endoftext\\|>|" + plain + "|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+", scanCLIP],
  ["[一-龥぀-ゟ゠-ヿ]+", (b, i, end) => runOf(b, i, end, isHan)],
  ["\\p{N}{1,3}", (b, i, end) => run(b, i, end, C.N, 3)],
  ["[0-9][0-9][0-9]", (b, i, end) => (end - i >= 3 && isDigit(b[i]) && isDigit(b[i + 1]) && isDigit(b[i + 2]) ? 3 : 0)],
  ["\\s+", (b, i, end) => run(b, i, end, C.Space)],
  [" {2,}", (b, i, end) => { const n = runOf(b, i, end, (r) => r === 0x20); return n >= 2 ? n : 0; }],
  ["[\\s\\S]", (b, i, end) => { decodeRune(b, i, end); return rune.size; }],
  ["\\p{N}{1,3}|\\s+", (b, i, end) => run(b, i, end, C.N, 3) || run(b, i, end, C.Space)],
  ["\\w+|[^\\w\\s]+", scanWords],
  ["\\p{P}+", (b, i, end) => run(b, i, end, C.P)],
]);
