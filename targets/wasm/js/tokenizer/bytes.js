// UTF-8 and growing byte buffers. Text under change is bytes everywhere, so that positions mean what they mean in Go.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export const utf8 = (s) => encoder.encode(s);
export const text = (b) => decoder.decode(b);

// Rune is what decodeRune found: a code point and its number of bytes, U+FFFD and 1 for a byte that is not UTF-8.
export const rune = { code: 0, size: 0 };

// decodeRune reads the character at i of b, which ends at end.
export function decodeRune(b, i, end) {
  const c = b[i];
  rune.size = 1;
  if (i >= end) {
    rune.code = 0xfffd;
    rune.size = 0;
  } else if (c < 0x80) {
    rune.code = c;
  } else if (c < 0xe0) {
    rune.code = ((c & 0x1f) << 6) | (b[i + 1] & 0x3f);
    rune.size = 2;
  } else if (c < 0xf0) {
    rune.code = ((c & 0x0f) << 12) | ((b[i + 1] & 0x3f) << 6) | (b[i + 2] & 0x3f);
    rune.size = 3;
  } else {
    rune.code = ((c & 0x07) << 18) | ((b[i + 1] & 0x3f) << 12) | ((b[i + 2] & 0x3f) << 6) | (b[i + 3] & 0x3f);
    rune.size = 4;
  }
  return rune.code;
}

// decodeLastRune reads the character that ends at i of b, not before start.
export function decodeLastRune(b, start, i) {
  let k = i - 1;
  while (k > start && (b[k] & 0xc0) === 0x80) k--;
  if (k < start) {
    rune.size = 0;
    return (rune.code = 0xfffd);
  }
  return decodeRune(b, k, i);
}

// Buffer is a growing array of bytes.
export class Buffer {
  constructor(size = 256) {
    this.b = new Uint8Array(size);
    this.length = 0;
  }

  reserve(n) {
    if (this.length + n > this.b.length) {
      const grown = new Uint8Array(Math.max(this.b.length * 2, this.length + n));
      grown.set(this.b.subarray(0, this.length));
      this.b = grown;
    }
  }

  byte(c) {
    this.reserve(1);
    this.b[this.length++] = c;
  }

  // bytes appends b[lo:hi].
  bytes(b, lo = 0, hi = b.length) {
    this.reserve(hi - lo);
    if (hi - lo < 32) {
      for (let i = lo, at = this.length; i < hi; i++) this.b[at++] = b[i];
    } else {
      this.b.set(b.subarray(lo, hi), this.length);
    }
    this.length += hi - lo;
  }

  rune(r) {
    this.reserve(4);
    if (r < 0x80) {
      this.b[this.length++] = r;
    } else if (r < 0x800) {
      this.b[this.length++] = 0xc0 | (r >> 6);
      this.b[this.length++] = 0x80 | (r & 0x3f);
    } else if (r < 0x10000) {
      this.b[this.length++] = 0xe0 | (r >> 12);
      this.b[this.length++] = 0x80 | ((r >> 6) & 0x3f);
      this.b[this.length++] = 0x80 | (r & 0x3f);
    } else {
      this.b[this.length++] = 0xf0 | (r >> 18);
      this.b[this.length++] = 0x80 | ((r >> 12) & 0x3f);
      this.b[this.length++] = 0x80 | ((r >> 6) & 0x3f);
      this.b[this.length++] = 0x80 | (r & 0x3f);
    }
  }

  view() {
    return this.b.subarray(0, this.length);
  }

  take() {
    return this.b.slice(0, this.length);
  }
}

// indexOf returns where needle begins in b[lo:hi], -1 if nowhere.
export function indexOf(b, needle, lo, hi) {
  const first = needle[0];
  for (let i = lo; i + needle.length <= hi; i++) {
    if (b[i] === first && startsWith(b, needle, i, hi)) return i;
  }
  return -1;
}

// startsWith reports whether b[i:hi] begins with prefix.
export function startsWith(b, prefix, i, hi) {
  if (i + prefix.length > hi) return false;
  for (let k = 0; k < prefix.length; k++) if (b[i + k] !== prefix[k]) return false;
  return true;
}

export function equal(a, b) {
  return a.length === b.length && startsWith(a, b, 0, a.length);
}
