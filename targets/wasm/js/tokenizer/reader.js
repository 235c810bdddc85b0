// The numbers and texts of packed tokenizers.

// Reader reads signed and unsigned LEB128 numbers and texts; the first thing that is missing is an error.
export class Reader {
  constructor(b) {
    this.b = b;
    this.at = 0;
  }

  unsigned() {
    let v = 0, scale = 1;
    for (;;) {
      if (this.at >= this.b.length || scale > 2 ** 49) throw new Error("tokenizer: a number is cut off");
      const c = this.b[this.at++];
      v += (c & 0x7f) * scale;
      if (c < 0x80) return v;
      scale *= 128;
    }
  }

  signed() {
    const v = this.unsigned();
    return v % 2 === 0 ? v / 2 : -(v + 1) / 2;
  }

  bytes(n) {
    if (n < 0 || this.at + n > this.b.length) throw new Error("tokenizer: a text is cut off");
    this.at += n;
    return this.b.subarray(this.at - n, this.at);
  }

  list(f) {
    const n = this.signed();
    if (n < 0 || n > this.b.length - this.at) throw new Error("tokenizer: a list is cut off");
    return Array.from({ length: n }, () => f());
  }
}
