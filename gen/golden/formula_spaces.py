"""S4, S4D (Gu et al. 2022) as linear systems with whole matrices and their stacks in state-spaces/s4; Hyena (Poli et al. 2023)."""
import math
import numpy as np

erf = np.vectorize(math.erf)
gelu = lambda x: 0.5 * x * (1 + erf(x / 2**0.5))
sigmoid = lambda x: 1 / (1 + np.exp(-x))
TRANSFORMS = {"exp": np.exp, "softplus": lambda x: np.log1p(np.exp(x)), "none": lambda x: x, "relu": lambda x: np.maximum(x, 0) + 1e-4}


def layer_norm(x, w, b):
    d = x - x.mean(-1, keepdims=True)
    return d / np.sqrt((d * d).mean(-1, keepdims=True) + 1e-5) * w + b


def s4_shapes(c):
    d, stack = c["d_model"], c["layer"] * c["n_layers"]
    t = {"encoder.0.0.weight": ([c["vocab_size"], d], 0, 1 / d**0.5), "decoder.0.weight": ([c["vocab_size"], d], 0, 2 / d**0.5), "decoder.0.bias": ([c["vocab_size"]], 0, 0.3)}
    norms = ["model."] if c["prenorm"] else []
    for i, o in enumerate(stack):
        b = f"model.layers.{i}."
        norms.append(b)
        if o["_name_"] == "ffn":
            f = o["expand"] * d
            t |= {b + "layer.ff.0.0.weight": ([f, d], 0, 1.3 / d**0.5), b + "layer.ff.0.0.bias": ([f], 0, 0.2)}
            t |= {b + "layer.ff.2.weight": ([d, f], 0, 1.3 / f**0.5), b + "layer.ff.2.bias": ([d], 0, 0.2)}
            continue
        N, minimal = o["d_state"] // 2, o["_name_"] == "s4d"
        k, S = b + ("layer.kernel." if minimal else "layer.layer.kernel."), o.get("n_ssm", d)
        out = ([2 * d, d, 1] if minimal else [2 * d, d], 0, 1.3 / d**0.5)
        t |= {b + "layer.output_linear.0.weight": out, b + "layer.output_linear.0.bias": ([2 * d], 0, 0.2)}
        if minimal:
            t |= {b + "layer.D": ([d], 0, 1), k + "log_dt": ([d], -2, 0.7), k + "log_A_real": ([d, N], -0.5, 0.4), k + "A_imag": ([d, N], 6, 3.4), k + "C": ([d, N, 2], 0, 0.8)}
            continue
        t |= {b + "layer.layer.D": ([1, d], 0, 1), k + "inv_dt": ([d, 1] if o.get("dt_tie", True) else [d, N], -2, 0.7)}
        t |= {k + "A_real": ([S, N], -0.5, 0.4), k + "A_imag": ([S, N], 6, 3.4), k + "B": ([1, S, N, 2], 0.5, 0.6), k + "C": ([1, d, N, 2], 0, 0.8)}
        if o.get("mode", "dplr") != "diag":
            t |= {k + "P": ([o.get("rank", 1), S, N, 2], 0.2, 0.5), k + "l_kernel": ([1], o["attuned"], 0)}
    for n in norms:
        t |= {n + "norm.norm.weight": ([d], 1, 0.2), n + "norm.norm.bias": ([d], 0, 0.2)}
    return t


def ssm(x, W, o):
    """y[t] = Σ Re(C A^k B) x[t-k] + D x[t], A discrete, with all conjugates written out"""
    T, d = x.shape
    pairs = lambda a: a[..., 0] + 1j * a[..., 1]
    minimal, wide = o["_name_"] == "s4d", lambda a: np.concatenate([a, a.conj()], -1)
    if minimal:
        dt, re, im = np.exp(W("kernel.log_dt"))[:, None], np.exp(W("kernel.log_A_real")), W("kernel.A_imag")
        B, C, P, rule = np.ones_like(re) + 0j, pairs(W("kernel.C")), [], "zoh"
    else:
        f = lambda key, default: TRANSFORMS[o.get(key, default)]
        dt = f("dt_transform", "exp")(W("layer.kernel.inv_dt"))
        re, im = f("real_transform", "exp")(W("layer.kernel.A_real")), -f("imag_transform", "none")(W("layer.kernel.A_imag"))
        B, C, rule = pairs(W("layer.kernel.B"))[0], pairs(W("layer.kernel.C"))[0], o.get("disc", "zoh")
        P = list(pairs(W("layer.kernel.P"))) if o.get("mode", "dplr") != "diag" else []
    y, N = np.zeros_like(x), re.shape[1]
    for h in range(d):
        s = h % len(re)
        A, b, c, step = np.diag(wide(-re[s] + 1j * im[s])), wide(B[s]), wide(C[h]), wide(np.broadcast_to(dt[h], N) + 0j)
        for p in P:
            A = A - np.outer(wide(p[s]), wide(p[s]).conj())
        if P or rule == "bilinear":
            inverse = np.linalg.inv(np.diag(1 / step) - A / 2)
            A, b = inverse @ (np.diag(1 / step) + A / 2), inverse @ b
        else:
            a = np.diag(A)
            A, b = np.diag(np.exp(a * step)), b * (np.exp(a * step) - 1) / a
        if P and o["attuned"]:
            c = c @ np.linalg.inv(np.eye(2 * N) - np.linalg.matrix_power(A, o["attuned"]))
        state = np.zeros(2 * N, complex)
        for t in range(T):
            state = A @ state + b * x[t, h]
            y[t, h] = (c @ state).real
    return y + x * (W("D") if minimal else W("layer.D")[0])


def s4(c, w, ids):
    x = w["encoder.0.0.weight"][ids] * c["d_model"] ** 0.5
    hidden, norm = [x], lambda x, n: layer_norm(x, w[n + "norm.norm.weight"], w[n + "norm.norm.bias"])
    for i, o in enumerate(c["layer"] * c["n_layers"]):
        b = f"model.layers.{i}."
        W = lambda name: w[b + "layer." + name]
        y = norm(x, b) if c["prenorm"] else x
        if o["_name_"] == "ffn":
            y = gelu(y @ W("ff.0.0.weight").T + W("ff.0.0.bias")) @ W("ff.2.weight").T + W("ff.2.bias")
        else:
            y = gelu(ssm(y, W, o)) @ W("output_linear.0.weight").reshape(-1, x.shape[1]).T + W("output_linear.0.bias")
            y = y[:, : x.shape[1]] * sigmoid(y[:, x.shape[1] :])
        x = x + y if c["prenorm"] else norm(x + y, b)
        hidden.append(x)
    final = norm(x, "model.") if c["prenorm"] else x
    return hidden, final, final @ w["decoder.0.weight"].T + w["decoder.0.bias"]


# --- Hyena: Poli et al. 2023; names of LongSafari/hyenadna-*-hf ----------------------------------------------------------------


def hyena_shapes(c):
    d, f, o, e, L = c["d_model"], c["d_inner"], c["filter_order"], c["emb_dim"], c["max_seq_len"]
    vocab = -(-c["vocab_size"] // 8) * 8
    t = {"hyena.backbone.embeddings.word_embeddings.weight": ([vocab, d], 0, 1), "lm_head.weight": ([vocab, d], 0, 2 / d**0.5)}
    norms = ["hyena.backbone.ln_f"]
    for i in range(c["n_layer"]):
        b = f"hyena.backbone.layers.{i}."
        m, k = b + "mixer.", b + "mixer.filter_fn."
        norms += [b + "norm1", b + "norm2"]
        for name, (rows, cols) in {m + "in_proj": (3 * d, d), m + "out_proj": (d, d), b + "mlp.fc1": (f, d), b + "mlp.fc2": (d, f)}.items():
            t |= {name + ".weight": ([rows, cols], 0, 1.3 / cols**0.5), name + ".bias": ([rows], 0, 0.2)}
        t |= {m + "short_filter.weight": ([3 * d, 1, 3], 0, 0.6), m + "short_filter.bias": ([3 * d], 0, 0.2), k + "bias": ([d], 0, 1)}
        t |= {k + "pos_emb.z": ([1, L, e], 0.5, 0.5), k + "pos_emb.t": ([1, L, 1], 0.5, 0.3), k + "modulation.deltas": ([1, 1, d], -4, 3)}
        n = c["num_inner_mlps"]
        for j in range(n + 1):
            cols = o if j else e
            t |= {k + f"implicit_filter.{2*j}.weight": ([o, cols], 0, 1 / cols**0.5), k + f"implicit_filter.{2*j}.bias": ([o], 0, 0.5)}
        t |= {k + "implicit_filter.1.freq": ([1, o], 2, 0.8), k + f"implicit_filter.{2*n+2}.weight": ([d, o], 0, 0.6 / o**0.5)}
    for n in norms:
        t |= {n + ".weight": ([d], 1, 0.2), n + ".bias": ([d], 0, 0.2)}
    return t


def hyena(c, w, ids):
    x, T, d = w["hyena.backbone.embeddings.word_embeddings.weight"][ids], len(ids), c["d_model"]
    hidden = [x]
    for i in range(c["n_layer"]):
        W = lambda name: w[f"hyena.backbone.layers.{i}." + name]
        linear = lambda x, n: x @ W(n + ".weight").T + W(n + ".bias")
        norm = lambda x, n: layer_norm(x, W(n + ".weight"), W(n + ".bias"))
        u = linear(norm(x, "norm1"), "mixer.in_proj")
        u = np.concatenate([np.zeros_like(u[:2]), u])
        u = W("mixer.short_filter.bias") + sum(u[j : j + T] * W("mixer.short_filter.weight")[:, 0, j] for j in range(3))
        a, b, v = u[:, :d], u[:, d : 2 * d], u[:, 2 * d :]
        k, f = W("mixer.filter_fn.pos_emb.z")[0, :T], "mixer.filter_fn.implicit_filter."
        for j in range(c["num_inner_mlps"] + 1):
            k = np.sin(W(f + "1.freq") * linear(k, f + str(2 * j)))
        k = k @ W(f + f"{2 * c['num_inner_mlps'] + 2}.weight").T
        k = k * (np.exp(-W("mixer.filter_fn.pos_emb.t")[0, :T] * np.abs(W("mixer.filter_fn.modulation.deltas")[0])) + 0.05)
        v = b * v
        y = np.stack([sum(k[j] * v[t - j] for j in range(t + 1)) for t in range(T)]) + v * W("mixer.filter_fn.bias")
        x = x + linear(y * a, "mixer.out_proj")
        h = linear(norm(x, "norm2"), "mlp.fc1")
        x = x + linear(0.5 * h * (1 + np.tanh((2 / np.pi) ** 0.5 * (h + 0.044715 * h**3))), "mlp.fc2")
        hidden.append(x)
    final = layer_norm(x, w["hyena.backbone.ln_f.weight"], w["hyena.backbone.ln_f.bias"])
    return hidden, final, final @ w["lm_head.weight"].T


HYENA = dict(model_type="hyenadna", d_model=24, d_inner=40, n_layer=2, hyena_order=2, filter_order=10, emb_dim=5, max_seq_len=192, vocab_size=90,
             pad_vocab_size_multiple=8, short_filter_order=3, use_bias=True, train_freq=True, layer_norm_epsilon=1e-5, tie_word_embeddings=False)
CASES = {
    "hyena": (hyena, hyena_shapes, 481, "HyenaDNAForCausalLM", dict(num_inner_mlps=2, **HYENA)),
    "hyena-shallow": (hyena, hyena_shapes, 482, "HyenaDNAForCausalLM", dict(HYENA, num_inner_mlps=1, emb_dim=3)),
    "s4": (s4, s4_shapes, 471, "S4LMModel", dict(model_type="s4", d_model=24, n_layers=1, prenorm=True, norm="layer", vocab_size=97, l_max=192, tied=False,
           layer=[dict(_name_="s4", d_state=8, mode="nplr", dt_transform="softplus", attuned=16, n_ssm=3), dict(_name_="ffn", expand=2),
                  dict(_name_="s4", d_state=8, rank=2, dt_transform="softplus", attuned=0, dt_tie=False)])),
    "s4d": (s4, s4_shapes, 472, "S4LMModel", dict(model_type="s4", d_model=24, n_layers=1, prenorm=False, norm="layer", vocab_size=97, l_max=192, tied=False,
            layer=[dict(_name_="s4", d_state=8, mode="diag", disc="bilinear", real_transform="softplus"), dict(_name_="s4d", d_state=8), dict(_name_="ffn", expand=4)])),
}
