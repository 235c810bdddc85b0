#!/usr/bin/env python3
"""Says as JSON what a GGUF file made by convert_gguf.py has of its Hugging Face directory: metadata, and for every tensor which rows
of which stored tensors it consists of. The project's tests rebuild the file from that and a golden case's weights.
  gguf_case.py DIRECTORY FILE.gguf CASE > CASE.json"""
import json, sys
import numpy as np
from gguf import GGUFReader
from safetensors.numpy import load_file

stored = load_file(sys.argv[1] + "/model.safetensors")
reader = GGUFReader(sys.argv[2])


def matrix(x):
    return x.reshape(-1, x.shape[-1]) if x.ndim > 1 else x.reshape(-1, 1)


def source(name, data):
    """the rows of one or several stored tensors that are these"""
    shapes = [(n, matrix(t)) for n, t in stored.items()] + [(n, t.reshape(-1, 1)) for n, t in stored.items()] + [(n, t.squeeze()) for n, t in stored.items() if t.squeeze().ndim == 2]
    for n, t in stored.items():
        if n.endswith("A_log") and t.size == data.size and np.allclose(-np.exp(t).ravel(), data.ravel(), rtol=1e-6):
            return {"shape": list(data.shape), "from": [n], "negexp": True}
    for n, t in stored.items():  # matrices one below another, each of them transposed
        if t.ndim == 3 and data.ndim == 3 and t.shape[1] == data.shape[2]:
            turned = matrix(np.ascontiguousarray(t.transpose(0, 2, 1)))
            index = {r.tobytes(): i for i, r in enumerate(turned)}
            order = [index.get(r.tobytes()) for r in np.ascontiguousarray(matrix(data))]
            if None not in order:
                return {"shape": list(data.shape), "from": [n], "turn": t.shape[1], **({} if order == list(range(len(turned))) else {"rows": order})}
    for change, f in (({}, lambda t: t), ({"transpose": True}, lambda t: t.T)):
        for rows in (matrix(data), data.reshape(-1, 1)):
            found = [(n, f(t)) for n, t in shapes if f(t).shape[1] == rows.shape[1] and len(t) > 0]
            index = {}
            for n, t in found:
                for i, r in enumerate(np.ascontiguousarray(t)):
                    index.setdefault(r.tobytes(), (n, i, len(t)))
            hits = [index.get(r.tobytes()) for r in np.ascontiguousarray(rows)]
            if None in hits:
                continue
            sizes = {n: size for n, _, size in hits}
            base, at = {}, 0
            for n, size in sizes.items():
                base[n], at = at, at + size
            order = [base[n] + i for n, i, _ in hits]
            return {"shape": list(data.shape), "from": list(sizes), **change, **({} if order == list(range(at)) else {"rows": order})}
    sys.exit(f"{name} {data.shape} is made of no stored tensor")


metadata = {}
for key, field in reader.fields.items():
    if key.startswith("GGUF.") or key.startswith("general.") and key != "general.architecture":
        continue
    metadata[key] = field.contents()
    if key == "tokenizer.ggml.tokens":
        metadata[key] = len(metadata[key])
tensors = {t.name: source(t.name, np.array(t.data).reshape([int(d) for d in reversed(t.shape)])) for t in reader.tensors}
print(json.dumps({"case": sys.argv[3], "metadata": metadata, "tensors": tensors}, separators=(",", ":")))
