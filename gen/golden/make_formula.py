#!/usr/bin/env python3
"""Golden cases of recurrent models that transformers does not have, computed from the published formulas in float64.

    make_formula.py DIRECTORY [NAME…]      needs numpy and safetensors

Every model is written down token by token, as its paper or reference code defines it, from the tensors of a checkpoint. Weights
are regenerated from golden.json: value i of tensor NAME is mean + std·√12·(u − 1/2), u made by splitmix64 of FNV-1a("SEED/NAME")."""
import json, os, sys
import numpy as np
from safetensors.numpy import save_file

import formula_spaces, formula_xlstm

MASK, GOLDEN = (1 << 64) - 1, 0x9E3779B97F4A7C15


def tensor(seed, name, shape, mean, std):
    h = 0xCBF29CE484222325
    for byte in f"{seed}/{name}".encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * np.uint64(GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) / 2**24
    return (mean + std * 12.0**0.5 * (u - 0.5)).astype(np.float32).reshape(shape)


sigmoid = lambda x: 1 / (1 + np.exp(-x))
silu = lambda x: x * sigmoid(x)
rms = lambda x, w, eps: x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w


def layer_norm(x, w, b, eps):
    d = x - x.mean(-1, keepdims=True)
    return d / np.sqrt((d * d).mean(-1, keepdims=True) + eps) * w + b


def shifted(x):
    return np.concatenate([np.zeros_like(x[:1]), x[:-1]])


def matrices(r, k, v, decay, bonus):
    """linear attention: decay[t, h, i] and bonus[h, i]; None: the token counts like the ones before it"""
    T, H, D = r.shape
    y, S = np.zeros((T, H, v.shape[2])), np.zeros((H, D, v.shape[2]))
    for t in range(T):
        kv = k[t][:, :, None] * v[t][:, None, :]
        before, S = S, S * decay[t][:, :, None] + kv
        seen = S if bonus is None else before + bonus[:, :, None] * kv
        y[t] = np.einsum("hi,hij->hj", r[t], seen)
    return y


# --- RetNet: Sun et al. 2023, equations 5 to 8; names and order of flash-linear-attention ----------------------------------------


def retnet_shapes(c):
    d, H, G = c["hidden_size"], c["num_heads"], c["num_kv_heads"]
    k, v, f = int(d * c["expand_k"]), int(d * c["expand_v"]), c["intermediate_size"]
    t = {"model.embeddings.weight": ([c["vocab_size"], d], 0, 0.5), "model.norm.weight": ([d], 1, 0.2), "lm_head.weight": ([c["vocab_size"], d], 0, 2 / d**0.5)}
    for i in range(c["num_hidden_layers"]):
        a = f"model.layers.{i}.attn."
        t |= {f"model.layers.{i}.attn_norm.weight": ([d], 1, 0.2), f"model.layers.{i}.mlp_norm.weight": ([d], 1, 0.2)}
        t |= {a + "q_proj.weight": ([k, d], 0, 1.5 / d**0.5), a + "k_proj.weight": ([k // H * G, d], 0, 1.5 / d**0.5),
              a + "v_proj.weight": ([v // H * G, d], 0, 1.3 / d**0.5), a + "g_proj.weight": ([v, d], 0, 1.3 / d**0.5),
              a + "g_norm_swish_gate.weight": ([v // H], 1, 0.2), a + "o_proj.weight": ([d, v], 0, 1.3 / v**0.5)}
        m = f"model.layers.{i}.mlp."
        t |= {m + "gate_proj.weight": ([f, d], 0, 1.3 / d**0.5), m + "up_proj.weight": ([f, d], 0, 1.3 / d**0.5), m + "down_proj.weight": ([d, f], 0, 1.3 / f**0.5)}
    return t


def retnet(c, w, ids):
    H, G, eps = c["num_heads"], c["num_kv_heads"], c["norm_eps"]
    x = w["model.embeddings.weight"][ids]
    hidden, T = [x], len(ids)

    def rotate(q):
        D = q.shape[2]
        angles = np.arange(T)[:, None] / 10000 ** (np.arange(0, D, 2) / D)
        cos, sin, a, b = np.cos(angles)[:, None], np.sin(angles)[:, None], q[..., : D // 2], q[..., D // 2 :]
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

    for i in range(c["num_hidden_layers"]):
        W = lambda name: w[f"model.layers.{i}.{name}.weight"]
        h = rms(x, W("attn_norm"), eps)
        q, k, v = (h @ W(f"attn.{n}_proj").T for n in "qkv")
        q, k, v = rotate(q.reshape(T, H, -1)), rotate(k.reshape(T, G, -1)), v.reshape(T, G, -1)
        k, v = np.repeat(k, H // G, 1), np.repeat(v, H // G, 1)
        gamma = np.broadcast_to((1 - 2.0 ** (-5 - np.arange(H)))[None, :, None], q.shape)
        y = matrices(q * q.shape[2] ** -0.5, k, v, gamma, None)
        y = rms(y, W("attn.g_norm_swish_gate"), eps).reshape(T, -1) * silu(h @ W("attn.g_proj").T)
        x = x + y @ W("attn.o_proj").T
        h = rms(x, W("mlp_norm"), eps)
        x = x + (silu(h @ W("mlp.gate_proj").T) * (h @ W("mlp.up_proj").T)) @ W("mlp.down_proj").T
        hidden.append(x)
    final = rms(x, w["model.norm.weight"], eps)
    return hidden, final, final @ w["lm_head.weight"].T


# --- RWKV-5 and RWKV-6: Peng et al. 2024; names of modeling_rwkv5.py and modeling_rwkv6.py of RWKV/rwkv-{5,6}-world ---------------


def rwkv_shapes(c):
    d, f, S = c["hidden_size"], c["intermediate_size"], c["head_size"]
    t = {"rwkv.embeddings.weight": ([c["vocab_size"], d], 0, 0.5), "head.weight": ([c["vocab_size"], d], 0, 2 / d**0.5)}
    norms = ["rwkv.ln_out", "rwkv.blocks.0.pre_ln"]
    for i in range(c["num_hidden_layers"]):
        b, a, m = f"rwkv.blocks.{i}.", f"rwkv.blocks.{i}.attention.", f"rwkv.blocks.{i}.feed_forward."
        norms += [b + "ln1", b + "ln2", a + "ln_x"]
        for n in ["receptance", "key", "value", "gate", "output"]:
            t[a + n + ".weight"] = ([d, d], 0, 1.3 / d**0.5)
        t |= {m + "key.weight": ([f, d], 0, 1.3 / d**0.5), m + "value.weight": ([d, f], 0, 1 / f**0.5), m + "receptance.weight": ([d, d], 0, 1.3 / d**0.5)}
        t[a + "time_faaaa"] = ([d // S, S], 0, 0.8)
        if c["model_type"] == "rwkv5":
            t[a + "time_decay"] = ([d // S, S], -1.5, 1)
            t |= {a + "time_mix_" + n: ([1, 1, d], 0.5, 0.22) for n in ["key", "value", "receptance", "gate"]}
            t |= {m + "time_mix_" + n: ([1, 1, d], 0.5, 0.22) for n in ["key", "receptance"]}
            continue
        t[a + "time_decay"] = ([1, 1, d], -1.5, 1)
        t |= {a + "time_maa_" + n: ([1, 1, d], 0.5, 0.22) for n in "xwkvrg"} | {m + "time_maa_" + n: ([1, 1, d], 0.5, 0.22) for n in "kr"}
        t |= {a + "time_maa_w1": ([d, 160], 0, 1 / d**0.5), a + "time_maa_w2": ([5, 32, d], 0, 0.1)}
        t |= {a + "time_decay_w1": ([d, 64], 0, 1 / d**0.5), a + "time_decay_w2": ([64, d], 0, 0.15)}
    for n in norms:
        t |= {n + ".weight": ([d], 1, 0.25), n + ".bias": ([d], 0, 0.2)}
    return t


def rwkv(c, w, ids):
    eps, S = c["layer_norm_epsilon"], c["head_size"]
    norm = lambda x, name: layer_norm(x, w[name + ".weight"], w[name + ".bias"], eps)
    x = w["rwkv.embeddings.weight"][ids]
    hidden, T = [x], len(ids)
    for i in range(c["num_hidden_layers"]):
        b = f"rwkv.blocks.{i}."
        W = lambda name: w[b + name]
        if i == 0:
            x = norm(x, b + "pre_ln")
        h = norm(x, b + "ln1")
        inputs, decay = (mixes5 if c["model_type"] == "rwkv5" else mixes6)(W, h)
        r, k, v = ((inputs[n[0]] @ W(f"attention.{n}.weight").T).reshape(T, -1, S) for n in ("receptance", "key", "value"))
        decay = np.broadcast_to(np.exp(-np.exp(decay)).reshape(-1, r.shape[1], S), r.shape)
        y = matrices(r, k, v, decay, W("attention.time_faaaa")) / c["head_size_divisor"]
        y = layer_norm(y, 1, 0, 1e-5).reshape(T, -1) * W("attention.ln_x.weight") + W("attention.ln_x.bias")
        x = x + (y * silu(inputs["g"] @ W("attention.gate.weight").T)) @ W("attention.output.weight").T
        h = norm(x, b + "ln2")
        f, before = "feed_forward.", shifted(h)
        if c["model_type"] == "rwkv5":
            k, r = (W(f + "time_mix_" + n)[0] * h + (1 - W(f + "time_mix_" + n)[0]) * before for n in ("key", "receptance"))
        else:
            k, r = (h + (before - h) * W(f + "time_maa_" + n)[0] for n in "kr")
        k = np.maximum(k @ W(f + "key.weight").T, 0) ** 2
        x = x + sigmoid(r @ W(f + "receptance.weight").T) * (k @ W(f + "value.weight").T)
        hidden.append(x)
    final = layer_norm(x, w["rwkv.ln_out.weight"], w["rwkv.ln_out.bias"], 1e-5)
    return hidden, final, final @ w["head.weight"].T


def mixes5(W, h):
    before, a = shifted(h), "attention.time_mix_"
    return {n[0]: W(a + n)[0] * h + (1 - W(a + n)[0]) * before for n in ("key", "value", "receptance", "gate")}, W("attention.time_decay")[None]


def mixes6(W, h):
    a, xx = "attention.time_", shifted(h) - h
    narrow = np.tanh((h + xx * W(a + "maa_x")[0]) @ W(a + "maa_w1")).reshape(len(h), 5, -1)
    m = {n: h + xx * (W(a + "maa_" + n)[0] + narrow[:, j] @ W(a + "maa_w2")[j]) for j, n in enumerate("wkvrg")}
    return m, W(a + "decay")[0] + np.tanh(m["w"] @ W(a + "decay_w1")) @ W(a + "decay_w2")


RWKV = dict(hidden_size=32, head_size=8, head_size_divisor=8, intermediate_size=56, num_hidden_layers=2, vocab_size=97, layer_norm_epsilon=1e-5,
            tie_word_embeddings=False, bos_token_id=0, eos_token_id=0)
CASES = {
    "retnet": (retnet, retnet_shapes, 451, "RetNetForCausalLM", dict(model_type="retnet", hidden_size=32, num_hidden_layers=2, num_heads=4, num_kv_heads=2,
               expand_k=1.0, expand_v=2.0, intermediate_size=48, norm_eps=1e-6, vocab_size=97, tie_word_embeddings=False)),
    "rwkv5": (rwkv, rwkv_shapes, 452, "Rwkv5ForCausalLM", dict(model_type="rwkv5", **RWKV)),
    "rwkv6": (rwkv, rwkv_shapes, 453, "Rwkv6ForCausalLM", dict(model_type="rwkv6", **RWKV)),
    **formula_xlstm.CASES,
    **formula_spaces.CASES,
}


def make(name, out):
    model, shapes, seed, cls, config = CASES[name]
    rows = dict(sorted(shapes(config).items()))
    run = lambda ids, t: model(config, {k: tensor(seed, k, *r).astype(t) for k, r in rows.items()}, np.array(ids))
    ids = [5 + i * i * 7 % 89 for i in range(12)]
    hidden, final, logits = run(ids, np.float64)
    rough = run(ids, np.float32)
    text = list(ids)
    for _ in range(24):
        text.append(int(run(text, np.float64)[2][-1].argmax()))
    expected = {"logits": logits, "final": final, "decode/logits": logits[5:], **{f"hidden/{i}": h for i, h in enumerate(hidden)}}
    tensors = {f"short/{k}": v[None].astype(np.float32) for k, v in expected.items()}
    tensors["short/greedy"] = np.array([text[12:]], np.int64)
    gap = lambda a, b: float(f"{np.abs(a - b).max():.3g}")
    golden = {"case": name, "architecture": cls, "task": "causal-lm", "seed": seed, "note": "made by make_formula.py", "hidden_count": len(hidden),
              "noise": {"logits": gap(logits, rough[2]), "final": gap(final, rough[1]), "hidden": max(gap(a, b) for a, b in zip(hidden, rough[0]))},
              "inputs": [{"name": "short", "input_ids": [ids], "prefill": 5, "greedy": True}],
              "weights": {"seed": seed, "tensors": {k: list(r) for k, r in rows.items()}}}
    os.makedirs(os.path.join(out, name), exist_ok=True)
    save_file(tensors, os.path.join(out, name, "golden.safetensors"))
    for file, content in (("golden.json", golden), ("config.json", dict(architectures=[cls], **config))):
        with open(os.path.join(out, name, file), "w") as f:
            f.write(json.dumps(content, indent=1) + "\n")


for name in sys.argv[2:] or CASES:
    make(name, sys.argv[1])
