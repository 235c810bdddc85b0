"""xLSTM as Beck et al. 2024 (arXiv:2405.04517) define it, token by token; names and settings of NX-AI/xlstm."""
import math
import numpy as np

sigmoid = lambda x: 1 / (1 + np.exp(-x))
silu = lambda x: x * sigmoid(x)
erf = np.vectorize(math.erf)
gelu = lambda x: 0.5 * x * (1 + erf(x / 2**0.5))


def wide(factor, c):
    return math.ceil(factor * c["embedding_dim"] / 64) * 64


def shapes(c):
    d, m, s = c["embedding_dim"], c["mlstm_block"]["mlstm"], c["slstm_block"]["slstm"]
    e, f, H = wide(m.get("proj_factor", 2.0), c), wide(1.3, c), s["num_heads"]
    t = {"token_embedding.weight": ([c["vocab_size"], d], 0, 1.0), "lm_head.weight": ([c["vocab_size"], d], 0, 2 / d**0.5)}
    if c.get("add_post_blocks_norm", True):
        t["xlstm_block_stack.post_blocks_norm.weight"] = ([d], 0, 0.2)
    bias = lambda name, n: {name + ".bias": ([n], 0, 0.3)} if c.get("bias") else {}
    for i in range(c["num_blocks"]):
        b = f"xlstm_block_stack.blocks.{i}."
        x = b + "xlstm."
        t[b + "xlstm_norm.weight"] = ([d], 0, 0.2)
        if i in c["slstm_at"]:
            if s.get("conv1d_kernel_size", 4):
                t |= {x + "conv1d.conv.weight": ([d, 1, s.get("conv1d_kernel_size", 4)], 0, 0.5), x + "conv1d.conv.bias": ([d], 0, 0.2)}
            for n in ["fgate", "igate", "zgate", "ogate"]:
                t[x + n + ".weight"] = ([H, d // H, d // H], 0, 1.5 / (d // H) ** 0.5)
            shape = [H, 4 * d // H, d // H] if s["backend"] == "vanilla" else [H, d // H, 4 * d // H]
            t |= {x + "slstm_cell._recurrent_kernel_": (shape, 0, 1 / (d // H) ** 0.5), x + "slstm_cell._bias_": ([4 * d], 0.5, 1)}
            if s.get("group_norm_weight", True):
                t[x + "group_norm.weight"] = ([d], 0, 0.2)
            if c["slstm_block"].get("feedforward", {}) is not None:
                t |= {b + "ffn_norm.weight": ([d], 0, 0.2), b + "ffn.proj_up.weight": ([2 * f, d], 0, 1.3 / d**0.5), b + "ffn.proj_down.weight": ([d, f], 0, 1.3 / f**0.5)}
            continue
        n = e // m.get("qkv_proj_blocksize", 4)
        t |= {x + "proj_up.weight": ([2 * e, d], 0, 1.3 / d**0.5), **bias(x + "proj_up", 2 * e)}
        t |= {x + "conv1d.conv.weight": ([e, 1, m.get("conv1d_kernel_size", 4)], 0, 0.5), x + "conv1d.conv.bias": ([e], 0, 0.2)}
        for q in "qkv":
            t |= {x + q + "_proj.weight": ([n, e // n, e // n], 0, 1 / (e // n) ** 0.5), **bias(x + q + "_proj", e)}
        for g, mean in [("igate", 0), ("fgate", 3)]:
            t |= {x + f"mlstm_cell.{g}.weight": ([m["num_heads"], 3 * e], 0, 1 / e**0.5), x + f"mlstm_cell.{g}.bias": ([m["num_heads"]], mean, 1)}
        t |= {x + "mlstm_cell.outnorm.weight": ([e], 0, 0.2), x + "learnable_skip": ([e], 1, 0.3)}
        t |= {x + "proj_down.weight": ([d, e], 0, 1.3 / e**0.5), **bias(x + "proj_down", d)}
    return t


def norm(x, w, heads=1):
    g = x.reshape(len(x), heads, -1)
    g = g - g.mean(-1, keepdims=True)
    return (g / np.sqrt((g * g).mean(-1, keepdims=True) + 1e-5)).reshape(x.shape) * (1 + w)


def convolved(x, w, b):
    K = w.shape[2]
    padded = np.concatenate([np.zeros((K - 1, x.shape[1]), x.dtype), x])
    return b + sum(padded[j : j + len(x)] * w[:, 0, j] for j in range(K))


def blocks(x, w, b=0):
    return np.einsum("thd,hod->tho", x.reshape(len(x), w.shape[0], -1), w).reshape(len(x), -1) + b


def mlstm(W, x, m):
    e, H = W("proj_down.weight").shape[1], m["num_heads"]
    both = x @ W("proj_up.weight").T + W("proj_up.bias", 0)
    u, z = both[:, :e], both[:, e:]
    c = silu(convolved(u, W("conv1d.conv.weight"), W("conv1d.conv.bias")))
    q, k, v = (blocks(a, W(n + "_proj.weight"), W(n + "_proj.bias", 0)) for n, a in zip("qkv", (c, c, u)))
    qkv = np.concatenate([q, k, v], 1)
    gi, gf = (qkv @ W(f"mlstm_cell.{g}.weight").T + W(f"mlstm_cell.{g}.bias") for g in ("igate", "fgate"))
    T, D = len(x), e // H
    q, k, v = (a.reshape(T, H, D) for a in (q / D**0.5, k, v))
    C, n, y = np.zeros((H, D, D)), np.zeros((H, D)), np.zeros((T, H, D))
    for t in range(T):  # without the running maximum, which float64 does not need here
        f, i = sigmoid(gf[t]), np.exp(gi[t])
        C = f[:, None, None] * C + i[:, None, None] * k[t][:, :, None] * v[t][:, None, :]
        n = f[:, None] * n + i[:, None] * k[t]
        y[t] = np.einsum("hd,hde->he", q[t], C) / np.maximum(np.abs((n * q[t]).sum(-1)), 1)[:, None]
    y = norm(y.reshape(T, e), W("mlstm_cell.outnorm.weight"), H)
    return ((y + W("learnable_skip") * c) * silu(z)) @ W("proj_down.weight").T + W("proj_down.bias", 0)


def slstm(W, x, s):
    (T, d), H = x.shape, s["num_heads"]
    c = x
    if s.get("conv1d_kernel_size", 4):
        c = silu(convolved(x, W("conv1d.conv.weight"), W("conv1d.conv.bias")))
    gates = np.stack([blocks(a, W(n + ".weight")) for n, a in (("fgate", c), ("igate", c), ("zgate", x), ("ogate", x))], 1)  # T, gates, d
    R, b = W("slstm_cell._recurrent_kernel_"), W("slstm_cell._bias_")
    if s["backend"] == "vanilla":  # heads, gates, outputs, y before; gates, heads, outputs
        R, b = R.reshape(H, 4, d // H, d // H), b.reshape(4, d)
    else:
        R, b = R.reshape(H, d // H, 4, d // H).transpose(0, 2, 3, 1), b.reshape(H, 4, d // H).transpose(1, 0, 2).reshape(4, d)
    C, n, y, out = np.zeros(d), np.zeros(d), np.zeros(d), np.zeros((T, d))
    for t in range(T):
        gi, gf, z, o = gates[t] + np.einsum("hgok,hk->gho", R, y.reshape(H, -1)).reshape(4, d) + b
        f = sigmoid(gf) if t else 0
        C, n = f * C + np.exp(gi) * np.tanh(z), f * n + np.exp(gi)
        y = sigmoid(o) * C / n
        out[t] = y
    return norm(out, W("group_norm.weight", 0), H)


def run(c, w, ids):
    x = w["token_embedding.weight"][ids]
    hidden = [x]
    for i in range(c["num_blocks"]):
        b = f"xlstm_block_stack.blocks.{i}."
        W = lambda name, default=None: w.get(b + "xlstm." + name, default)
        h = norm(x, w[b + "xlstm_norm.weight"])
        x = x + (slstm(W, h, c["slstm_block"]["slstm"]) if i in c["slstm_at"] else mlstm(W, h, c["mlstm_block"]["mlstm"]))
        if b + "ffn_norm.weight" in w:
            both = norm(x, w[b + "ffn_norm.weight"]) @ w[b + "ffn.proj_up.weight"].T
            f = both.shape[1] // 2
            x = x + (gelu(both[:, :f]) * both[:, f:]) @ w[b + "ffn.proj_down.weight"].T
        hidden.append(x)
    final = norm(x, w["xlstm_block_stack.post_blocks_norm.weight"]) if c.get("add_post_blocks_norm", True) else x
    return hidden, final, final @ w["lm_head.weight"].T


COMMON = dict(model_type="xlstm_lm", embedding_dim=32, context_length=192, vocab_size=97, tie_weights=False)
CASES = {
    "xlstm-mixed": (run, shapes, 461, "xLSTMLMModel", dict(num_blocks=3, slstm_at=[1], mlstm_block={"mlstm": {"num_heads": 2}},
                    slstm_block={"slstm": {"num_heads": 4, "backend": "cuda"}}, **COMMON)),
    "xlstm-mixed-plain": (run, shapes, 462, "xLSTMLMModel", dict(num_blocks=2, slstm_at=[0], bias=True, add_post_blocks_norm=False,
                          mlstm_block={"mlstm": {"num_heads": 4, "qkv_proj_blocksize": 8, "conv1d_kernel_size": 3, "proj_factor": 1.5}},
                          slstm_block={"slstm": {"num_heads": 2, "backend": "vanilla", "conv1d_kernel_size": 0, "group_norm_weight": False},
                                       "feedforward": None}, **COMMON)),
}
