#!/usr/bin/env python3
"""Encodes one text with tfgen and with the PyPI package tokenizers, each on one thread and in turns, and prints MB/s.

    python bench_tokenizers.py TFGEN TEXT… -- TOKENIZER…

TFGEN is the command; a TOKENIZER is a tokenizer.json, or a GGUF file with a byte-level vocabulary (needs package gguf). The
reference's figure is the better of encode_batch_fast, which gives no offsets, and encode. Every document is encoded as a
whole; both sides read them from the same files."""
import json, os, re, statistics, subprocess, sys, time

os.environ.update(TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1", GOMAXPROCS="1")
import tokenizers  # noqa: E402  reads the environment

ROUNDS, INNER = 5, 3


def reference(path):
    if not path.endswith(".gguf"):
        t = tokenizers.Tokenizer.from_file(path)
        t.no_truncation()
        t.no_padding()
        return t
    from gguf import GGUFReader
    fields = GGUFReader(path).fields
    texts = lambda key: [bytes(fields[key].parts[i]).decode() for i in fields[key].data]
    tokens, merges = texts("tokenizer.ggml.tokens"), texts("tokenizer.ggml.merges")
    t = tokenizers.Tokenizer(tokenizers.models.BPE({s: i for i, s in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges]))
    t.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return t


def rate(f, texts, size):
    times = []
    for _ in range(INNER):
        begin = time.perf_counter()
        f(texts)
        times.append(time.perf_counter() - begin)
    return size / 1e6 / statistics.median(times)


def peer(t, texts, size):
    fast = lambda list: t.encode_batch_fast(list, add_special_tokens=False)
    one = lambda list: [t.encode(s, add_special_tokens=False) for s in list]
    return max(rate(fast, texts, size), rate(one, texts, size))


def own(tfgen, path, files):
    out = subprocess.run([tfgen, "tokenizer", "bench", path, *files, "--rounds", str(INNER), "--threads", "1"], check=True, capture_output=True, text=True).stdout
    tokens = re.search(r"(\d+) tokens", out).group(1)
    return float(re.search(r"^encode  .*?([\d.]+) MB/s", out, re.M).group(1)), int(tokens)


def main():
    args = sys.argv[1:]
    if "--" not in args or args.index("--") < 2:
        sys.exit(__doc__)
    cut = args.index("--")
    tfgen, files, models = args[0], args[1:cut], args[cut + 1:]
    texts = [open(f, encoding="utf-8", newline="").read() for f in files]
    size = sum(len(s.encode()) for s in texts)
    print(f"tokenizers {tokenizers.__version__}, {len(files)} files, {size} bytes, one thread, median of {ROUNDS} turns")
    for path in models:
        t = reference(path)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            theirs.append(peer(t, texts, size))
            mine, tokens = own(tfgen, path, files)
            ours.append(mine)
        a, b = statistics.median(ours), statistics.median(theirs)
        expected = sum(len(t.encode(s, add_special_tokens=False).ids) for s in texts)
        same = "same number of tokens" if tokens == expected else f"{tokens} tokens, the reference {expected}"
        name = os.path.basename(path) if path.endswith(".gguf") else os.path.basename(os.path.dirname(path))
        print(f"{name:28} tfgen {a:7.1f} MB/s  tokenizers {b:7.1f} MB/s  ratio {a / b:5.2f}  ({same})", flush=True)


main()
