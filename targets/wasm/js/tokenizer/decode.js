// Decoders: functions from a list of texts (bytes) to a list of texts.

import { Buffer, decodeRune, equal, rune, startsWith, text, utf8 } from "./bytes.js";
import { byteChars, replaced } from "./normalize.js";
import { replacedMatches } from "./program.js";

const PrependNever = 1;
const empty = new Uint8Array(0);
const blank = utf8(" ");

const perToken = (f) => (list) => list.map((b, i) => f(b, i, list.length));

export function concat(list) {
  const out = new Buffer(256);
  for (const b of list) out.bytes(b);
  return out.view();
}

const charBytes = new Int16Array(324).fill(-1);
byteChars.forEach((r, b) => (charBytes[r] = b));

// decodeBytes maps GPT-2's characters back to bytes. A token with any other character stands for itself.
function decodeBytes(list) {
  const out = new Buffer(256);
  for (const b of list) {
    const at = out.length;
    for (let i = 0; i < b.length; i += rune.size) {
      const r = decodeRune(b, i, b.length);
      if (r >= charBytes.length || charBytes[r] < 0) {
        out.length = at;
        out.bytes(b);
        break;
      }
      out.byte(charBytes[r]);
    }
  }
  return [utf8(text(out.view()))]; // bytes that are no UTF-8 become U+FFFD
}

// byteToken reads <0x..>, -1 if it is none. The reference parses the digits as an unsigned number and so takes "+A" as well.
function byteToken(b) {
  if (b.length !== 6 || b[0] !== 0x3c || b[1] !== 0x30 || b[2] !== 0x78 || b[5] !== 0x3e) return -1;
  const digits = String.fromCharCode(b[3], b[4]);
  return /^[0-9a-fA-F+][0-9a-fA-F]$/.test(digits) ? parseInt(digits, 16) : -1;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isUTF8(b) {
  try {
    strict.decode(b);
    return true;
  } catch {
    return false;
  }
}

// decodeFallback turns runs of <0x..> into the bytes they name, or U+FFFD for each where those are no UTF-8.
function decodeFallback(list) {
  const out = [];
  let run = [];
  const flush = () => {
    if (run.length === 0) return;
    const b = Uint8Array.from(run);
    if (isUTF8(b)) out.push(b);
    else for (let i = 0; i < run.length; i++) out.push(utf8("\ufffd"));
    run = [];
  };
  for (const b of list) {
    const c = byteToken(b);
    if (c >= 0) {
      run.push(c);
    } else {
      flush();
      out.push(b);
    }
  }
  flush();
  return out;
}

const artifacts = [[" .", "."], [" ?", "?"], [" !", "!"], [" ,", ","], [" ' ", "'"], [" n't", "n't"], [" 'm", "'m"], [" do not", " don't"],
  [" 's", "'s"], [" 've", "'ve"], [" 're", "'re"]].map((pair) => pair.map(utf8));

// clean takes tokenisation artifacts out of a text.
const clean = (b) => artifacts.reduce((s, [from, to]) => replaced(s, from, to), b);

// decodeWordPiece joins the tokens that continue a word and puts a space before the others.
const wordPiece = (cleans, prefix) => perToken((b, i) => {
  let out = b;
  if (i > 0) out = startsWith(b, prefix, 0, b.length) ? b.subarray(prefix.length) : concat([blank, b]);
  return cleans ? clean(out) : out;
});

// ctc drops repetitions and padding (Graves et al. 2006).
const ctc = (cleans, pad, delimiter) => (list) => list.filter((b, i) => i === 0 || !equal(b, list[i - 1])).map((b) => {
  const out = pad.length ? replaced(b, pad, empty) : b;
  if (!cleans) return out;
  return delimiter.length ? replaced(clean(out), delimiter, blank) : clean(out);
}).filter((b) => b.length > 0);

function strip(start, stop, what) {
  return perToken((b) => {
    for (let n = 0; n < start && startsWith(b, what, 0, b.length); n++) b = b.subarray(what.length);
    for (let n = 0; n < stop && b.length >= what.length && startsWith(b, what, b.length - what.length, b.length); n++) b = b.subarray(0, b.length - what.length);
    return b;
  });
}

// decoders makes the decoder of a step from its arguments, by kind.
export const decoders = {
  128: () => decodeBytes,
  129: (a) => wordPiece(a.flag(), a.str()),
  130: (a) => {
    const scheme = a.num(), replacement = a.str();
    return perToken((b, i) => replaced(b, replacement, i === 0 && scheme !== PrependNever ? empty : blank));
  },
  131: () => decodeFallback,
  132: () => (list) => [concat(list)],
  133: (a) => strip(a.num(), a.num(), a.str()),
  134: (a) => {
    const suffix = a.str();
    return perToken((b, i, n) => (suffix.length ? replaced(b, suffix, i === n - 1 ? empty : blank) : b));
  },
  135: (a) => { const from = a.str(), to = a.str(); return perToken((b) => replaced(b, from, to)); },
  137: (a) => { const program = a.program(), to = a.str(); return perToken((b) => replacedMatches(program, b, to)); },
  136: (a) => ctc(a.flag(), a.str(), a.str()),
};
