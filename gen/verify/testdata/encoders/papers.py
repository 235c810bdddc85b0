"""Golden cases of encoders without published checkpoints, by the formulas of their papers, in numpy.

    python papers.py        writes linformer*/ and performer*/ beside this file

Linformer: Wang et al. 2020, arXiv:2006.04768, eq. 7. Performer: Choromanski et al. 2021, arXiv:2009.14794, with the
stabilisers and constants of the authors' code (google-research/performer/fast_attention). Nothing here knows of tfgen's
operations: attention is written out query by query. Weights are those of the golden format (float32, by name and seed).
"""
import json
import math
import pathlib
import struct

import numpy as np

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1


def tensor(seed, name, shape, mean, std):
    """Uniform numbers by splitmix64 from the FNV-1a hash of seed and name."""
    h = 0xCBF29CE484222325
    for byte in f"{seed}/{name}".encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.arange(1, math.prod(shape) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) / 2**24
    return (mean + std * 12.0**0.5 * (u - 0.5)).astype(np.float32).reshape(shape)


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, a in sorted(tensors.items()):
        raw = np.ascontiguousarray(a, dtype=np.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(a.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def rows(prefix, c, extra, heads):
    """Shape, mean and deviation of every tensor: BERT's names, then those of the attention and of the head."""
    d, ff = c["hidden_size"], c["intermediate_size"]
    table = {}

    def linear(name, out, inp, gain=1.0):
        table[name + ".weight"] = [[out, inp], 0.0, round(gain / math.sqrt(inp), 4)]
        table[name + ".bias"] = [[out], 0.0, 0.1]

    def norm(name, n=d):
        table[name + ".weight"] = [[n], 1.0, 0.25]
        table[name + ".bias"] = [[n], 0.0, 0.2]

    e = prefix + ".embeddings."
    for name, n, std in (("word", c["vocab_size"], 1.0), ("position", c["max_position_embeddings"], 0.6), ("token_type", c["type_vocab_size"], 0.6)):
        table[f"{e}{name}_embeddings.weight"] = [[n, d], 0.0, std]
    norm(e + "LayerNorm")
    for i in range(c["num_hidden_layers"]):
        at = f"{prefix}.encoder.layer.{i}."
        for name in ("query", "key", "value"):
            linear(f"{at}attention.self.{name}", d, d, 1.5 if name != "value" else 1.0)
        linear(at + "attention.output.dense", d, d)
        norm(at + "attention.output.LayerNorm")
        linear(at + "intermediate.dense", ff, d)
        linear(at + "output.dense", d, ff)
        norm(at + "output.LayerNorm")
        for name, (shape, std) in extra.items():
            if "/" not in name:
                table[f"{at}attention.self.{name}"] = [shape, 0.0, std]
    for name, (shape, std) in extra.items():
        if "/" in name:
            table[f"{prefix}.{name[1:]}"] = [shape, 0.0, std]
    heads(linear, norm, table)
    return table


def layernorm(x, w, name, eps):
    mean = x.mean(-1, keepdims=True)
    var = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(var + eps) * w[name + ".weight"] + w[name + ".bias"]


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)).astype(x.dtype))


def affine(x, w, name):
    return x @ w[name + ".weight"].T + w[name + ".bias"]


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def linformer(q, k, v, w, at, c, head, base):
    """softmax(q (E k)ᵀ / √d) (F v); a text of n tokens uses the first n columns."""
    sharing = c["projection_sharing"]
    e = w[f"{base}.encoder.projection.weight"] if sharing == "layerwise" else w[at + "key_projection.weight"]
    f = w[at + "value_projection.weight"] if sharing in ("none", "headwise") else e
    if sharing == "none":
        e, f = e[head], f[head]
    n = len(k)
    keys, values = e[:, :n] @ k, f[:, :n] @ v
    return np.stack([softmax(keys @ row / np.sqrt(q.dtype.type(len(row)))) @ values for row in q])


def performer(q, k, v, w, at, c, head, base):
    """(φ(q) Σ φ(k) vᵀ) / (φ(q) Σ φ(k)); constant factors of φ are left out of both."""
    omega, d, eps = w[at + "projection_matrix"], q.shape[1], c["kernel_epsilon"]
    scale = q.dtype.type(d) ** -0.25
    product = {"q": (q * scale) @ omega.T, "k": (k * scale) @ omega.T}
    if c["kernel"] == "relu":
        phi = {name: np.maximum(p, 0) + eps for name, p in product.items()}
    else:
        phi = {}
        for name, x, top in (("q", q, product["q"].max(1, keepdims=True)), ("k", k, product["k"].max())):
            half = ((x * scale) ** 2).sum(1, keepdims=True) / 2
            phi[name] = np.exp(product[name] - half - top) + eps
    out = []
    for row in phi["q"]:
        weights = phi["k"] @ row
        out.append(weights @ v / weights.sum())
    return np.stack(out)


def run(base, c, w, ids, types, attention, head, dtype):
    """All hidden states and outputs of one text."""
    w = {name: a.astype(dtype) for name, a in w.items()}
    e, eps, heads = base + ".embeddings.", c["layer_norm_eps"], c["num_attention_heads"]
    x = w[e + "word_embeddings.weight"][ids] + w[e + "position_embeddings.weight"][: len(ids)] + w[e + "token_type_embeddings.weight"][types]
    x = layernorm(x, w, e + "LayerNorm", eps)
    out = {"hidden/0": x}
    for i in range(c["num_hidden_layers"]):
        at = f"{base}.encoder.layer.{i}."
        q, k, v = (affine(x, w, f"{at}attention.self.{n}") for n in ("query", "key", "value"))
        d = q.shape[1] // heads
        parts = [attention(*(m[:, h * d:(h + 1) * d] for m in (q, k, v)), w, at + "attention.self.", c, h, base) for h in range(heads)]
        x = layernorm(x + affine(np.concatenate(parts, 1), w, at + "attention.output.dense"), w, at + "attention.output.LayerNorm", eps)
        x = layernorm(x + affine(gelu(affine(x, w, at + "intermediate.dense")), w, at + "output.dense"), w, at + "output.LayerNorm", eps)
        out[f"hidden/{i + 1}"] = x
    out["final"] = x
    return {**out, **head(x, w)}


def make(name, base, cls, task, c, extra, attention, seed, labels=0):
    d = c["hidden_size"]

    def tensors(linear, norm, table):
        if labels:
            linear(base + ".pooler.dense", d, d)
            linear("classifier", labels, d)
        else:
            linear("cls.predictions.transform.dense", d, d)
            norm("cls.predictions.transform.LayerNorm")
            table["cls.predictions.bias"] = [[c["vocab_size"]], 0.0, 0.3]

    def head(x, w):
        if labels:
            return {"logits": affine(np.tanh(affine(x[:1], w, base + ".pooler.dense")), w, "classifier")[0]}
        h = layernorm(gelu(affine(x, w, "cls.predictions.transform.dense")), w, "cls.predictions.transform.LayerNorm", c["layer_norm_eps"])
        return {"logits": h @ w[base + ".embeddings.word_embeddings.weight"].T + w["cls.predictions.bias"]}

    table = rows(base, c, extra, tensors)
    w = {n: tensor(seed, n, *row) for n, row in table.items()}
    rng, longest = np.random.default_rng(seed), c["max_position_embeddings"]
    inputs, golden, noise = [], {}, {}
    for label, lengths in (("short", [7]), ("long", [longest]), ("batch", [9, 12, 3])):
        width = max(lengths)
        ids = [[*rng.integers(1, c["vocab_size"], n).tolist(), *[0] * (width - n)] for n in lengths]
        kinds = [[int(n // 2 <= t < n) for t in range(width)] for n in lengths]
        entry = {"name": label, "input_ids": ids, "token_type_ids": kinds}
        if len(lengths) > 1:
            entry["attention_mask"] = [[int(t < n) for t in range(width)] for n in lengths]
        inputs.append(entry)
        results = []
        for i, n in enumerate(lengths):
            exact, rough = (run(base, c, w, ids[i][:n], kinds[i][:n], attention, head, t) for t in (np.float64, np.float32))
            for key in exact:
                kind = key.split("/")[0]
                noise[kind] = max(noise.get(kind, 0.0), float(f"{np.abs(exact[key] - rough[key]).max():.3g}"))
            results.append(exact)
        for key in results[0]:
            if key.startswith("hidden") and label != "short":
                continue
            pad = [np.concatenate([r[key], np.zeros((width - len(r[key]), *r[key].shape[1:]))]) if r[key].ndim > 1 else r[key] for r in results]
            golden[f"{label}/{key}"] = np.stack(pad)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    config = {"architectures": [cls], "model_type": base, **c, "pad_token_id": 0}
    if labels:
        config["id2label"] = {str(i): f"LABEL_{i}" for i in range(labels)}
    meta = {"case": name, "architecture": cls, "task": task, "seed": seed, "params": sum(a.size for a in w.values()), "covers": [],
            "note": "made by papers.py from the paper's formula", "hidden_count": c["num_hidden_layers"] + 1, "noise": noise,
            "inputs": inputs, "weights": {"seed": seed, "tensors": table}}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "golden.json").write_text(json.dumps(meta, indent=None, separators=(",", ":")) + "\n")
    write_safetensors(folder / "golden.safetensors", golden)


def sizes(**more):
    return {"hidden_size": 24, "num_attention_heads": 3, "intermediate_size": 37, "num_hidden_layers": 2, "vocab_size": 41,
            "max_position_embeddings": 21, "type_vocab_size": 2, "layer_norm_eps": 1e-12, **more}


def linformer_case(name, sharing, seed, length=5, labels=0, **more):
    c = sizes(projected_length=length, projection_sharing=sharing, **more)
    n, heads = c["max_position_embeddings"], c["num_attention_heads"]
    shape = [heads, length, n] if sharing == "none" else [length, n]
    std = round(1.5 / math.sqrt(n), 4)
    extra = {"key_projection.weight": (shape, std), "value_projection.weight": (shape, std)}
    if sharing == "key_value":
        del extra["value_projection.weight"]
    if sharing == "layerwise":
        extra = {"/encoder.projection.weight": (shape, std)}
    cls, task = ("LinformerForSequenceClassification", "text-classification") if labels else ("LinformerForMaskedLM", "masked-lm")
    make(name, "linformer", cls, task, c, extra, linformer, seed, labels)


def performer_case(name, kernel, seed, features=13, eps=1e-4, labels=0, **more):
    c = sizes(nb_features=features, kernel=kernel, kernel_epsilon=eps, **more)
    extra = {"projection_matrix": ([features, c["hidden_size"] // c["num_attention_heads"]], 1.0)}
    cls, task = ("PerformerForSequenceClassification", "text-classification") if labels else ("PerformerForMaskedLM", "masked-lm")
    make(name, "performer", cls, task, c, extra, performer, seed, labels)


if __name__ == "__main__":
    linformer_case("linformer", "headwise", 1)
    linformer_case("linformer-none", "none", 2, length=7)
    linformer_case("linformer-kv", "key_value", 3, labels=3)
    linformer_case("linformer-layerwise", "layerwise", 4, length=67, max_position_embeddings=73)
    performer_case("performer", "softmax", 5)
    performer_case("performer-relu", "relu", 6, features=20, eps=1e-3)
    performer_case("performer-classes", "softmax", 7, features=16, labels=2, hidden_size=32, num_attention_heads=2)
