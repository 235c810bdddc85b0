"""Golden cases of Jina Embeddings 2 (Günther et al. 2023, arXiv:2310.19923) by its formula, in numpy; see papers.py.

    python jina.py        writes jina-bert-v2*/ beside this file
"""
import math

import numpy as np

import papers
from papers import affine, gelu, layernorm, softmax


def rows(prefix, c, extra, heads):
    d, ff, normed = c["hidden_size"], c["intermediate_size"], extra["normed"]
    table = {}

    def linear(name, out, inp, gain=1.0, bias=True):
        table[name + ".weight"] = [[out, inp], 0.0, round(gain / math.sqrt(inp), 4)]
        if bias:
            table[name + ".bias"] = [[out], 0.0, 0.1]

    def norm(name):
        table[name + ".weight"] = [[d], 1.0, 0.25]
        table[name + ".bias"] = [[d], 0.0, 0.2]

    for name, n in (("word", c["vocab_size"]), ("token_type", c["type_vocab_size"])):
        table[f"{prefix}.embeddings.{name}_embeddings.weight"] = [[n, d], 0.0, 0.8]
    norm(prefix + ".embeddings.LayerNorm")
    for i in range(c["num_hidden_layers"]):
        at = f"{prefix}.encoder.layer.{i}."
        for name in ("query", "key", "value"):
            linear(f"{at}attention.self.{name}", d, d, 1.5 if name != "value" else 1.0)
        linear(at + "attention.output.dense", d, d)
        norm(at + "attention.output.LayerNorm")
        for name in ("attention.self.layer_norm_q", "attention.self.layer_norm_k", "layer_norm_1") if normed else ():
            norm(at + name)
        linear(at + ("mlp.up_gated_layer" if normed else "mlp.gated_layers"), 2 * ff, d, 1.3, False)
        linear(at + ("mlp.down_layer" if normed else "mlp.wo"), d, ff)
        norm(at + ("layer_norm_2" if normed else "mlp.layernorm"))
    heads(linear, norm, table)
    return table


def slopes(n):
    power = 2 ** math.floor(math.log2(n))
    first = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    return first if power == n else first + slopes(2 * power)[0::2][: n - power]


def run(base, c, w, ids, types, attention, head, dtype):
    w = {name: a.astype(dtype) for name, a in w.items()}
    eps, heads, ff = c["layer_norm_eps"], c["num_attention_heads"], c["intermediate_size"]
    e = base + ".embeddings."
    x = layernorm(w[e + "word_embeddings.weight"][ids] + w[e + "token_type_embeddings.weight"][types], w, e + "LayerNorm", eps)
    out, n = {"hidden/0": x}, len(ids)
    far = np.abs(np.arange(n)[:, None] - np.arange(n)[None]).astype(dtype)
    for i in range(c["num_hidden_layers"]):
        at = f"{base}.encoder.layer.{i}."
        normed = at + "layer_norm_1.weight" in w
        q, k, v = (affine(x, w, f"{at}attention.self.{m}") for m in ("query", "key", "value"))
        if normed:
            q, k = (layernorm(m, w, f"{at}attention.self.layer_norm_{s}", eps) for m, s in ((q, "q"), (k, "k")))
        d, parts = q.shape[1] // heads, []
        for h in range(heads):
            s = slice(h * d, (h + 1) * d)
            scores = q[:, s] @ k[:, s].T / np.sqrt(dtype(d)) - dtype(slopes(heads)[h]) * far
            parts.append(np.stack([softmax(row) @ v[:, s] for row in scores]))
        y = layernorm(x + affine(np.concatenate(parts, 1), w, at + "attention.output.dense"), w, at + "attention.output.LayerNorm", eps)
        if normed:
            y = layernorm(x + y, w, at + "layer_norm_1", eps)
            both = y @ w[at + "mlp.up_gated_layer.weight"].T
            x = layernorm(y + affine(both[:, :ff] * gelu(both[:, ff:]), w, at + "mlp.down_layer"), w, at + "layer_norm_2", eps)
        else:
            both = y @ w[at + "mlp.gated_layers.weight"].T
            x = layernorm(y + affine(gelu(both[:, :ff]) * both[:, ff:], w, at + "mlp.wo"), w, at + "mlp.layernorm", eps)
        out[f"hidden/{i + 1}"] = x
    out["final"] = x
    return {**out, **head(x, w)}


papers.rows, papers.run = rows, run
SIZES = papers.sizes(position_embedding_type="alibi", feed_forward_type="geglu", max_position_embeddings=70)
papers.make("jina-bert-v2", "bert", "JinaBertForMaskedLM", "masked-lm", SIZES, {"normed": False}, None, 21)
papers.make("jina-bert-v2-code", "bert", "JinaBertForSequenceClassification", "text-classification",
            dict(SIZES, num_attention_heads=4, hidden_size=32), {"normed": True}, None, 22, labels=3)
