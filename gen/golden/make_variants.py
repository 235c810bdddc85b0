#!/usr/bin/env python3
"""Golden cases over the options of configurations: what transformers computes for small models of every architecture, each with
other biases, activations, rotary scalings, windows, routings, heads and classes.

    PYTHONPATH=FOLDER make_variants.py DIR/golden/hf [REGEX]     FOLDER: that of goldenlib.py, the generator of the golden cases
    TFGEN_SHARED=DIR go test ./gen/golden -run TestAllCases      holds the reference to them, as built and after all passes
    tfgen verify DIR/golden/hf/*                                 and every CPU level

transformers 5.23.0, torch 2.15.0. Unlike the golden cases proper they are not checked for the influence of every tensor, so that
one takes a second. A few are expected to be refused, or differ where transformers departs from its own full pass (a window of
one token, time step limits of Mamba 2 while decoding) or from the authors' definition (alibi_bias_max of MPT)."""

import copy, json, math, os, re, shutil, sys, traceback

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch, transformers as hf
import goldenheads, goldenlib
import make_encoders as me, make_recurrent as mr, make_seq2seq as ms
from goldenheads import HeadCase, recurring, sentences, tower
from goldenlib import Case, arguments, exact64, normal
from make_decoders import (
    WITH_POSITIONS,
    bloom_init,
    embedding_std,
    gain_of,
    norms_around_zero,
    v4_bamba,
    v4_deepseek,
    v4_gemma3,
    v4_gpt_neox,
    v4_granite_hybrid,
    v4_longrope,
    v4_no_layer_types,
    v4_qwen3_moe,
    v4_rope,
    v4_rope_type,
)


def light(case, out):
    """Builds and records one case; what goldenlib.make verifies is left out."""
    if isinstance(case.config, dict):
        case.config = case.cls.config_class(**case.config)
    folder = os.path.join(out, case.name)
    shutil.rmtree(folder, ignore_errors=True)
    m32, m64, rows = goldenlib.build_pair(case, True)
    inputs, greedy, margin = case.inputs, {}, None
    for attempt in range(3):
        inputs = case.inputs or goldenlib.usual_inputs(case, attempt)
        greedy, margin = {}, math.inf
        for e in inputs:
            if e.get("greedy") and case.greedy:
                with exact64():
                    ids, gap = case.greedy(m64, arguments(e), 24)
                greedy[e["name"]], margin = ids, min(margin, gap)
        if margin > 1e-3:
            break
    else:
        greedy = {}
    for e in inputs:
        if not greedy:
            e.pop("greedy", None)
    tensors, noisy = {}, {}
    for e in inputs:
        with exact64():
            exact = goldenlib.record(case, m64, e)
            if "prefill" in e and case.decode:
                exact["decode/logits"] = case.decode(m64, arguments(e), e["prefill"])
                gap = float((exact["decode/logits"] - exact["logits"][:, e["prefill"] :]).abs().max())
                if gap > 1e-8:
                    print(f"  {case.name} {e['name']}: decode differs by {gap:.2g}")
                    del exact["decode/logits"]
                    e.pop("prefill")
        rough = goldenlib.record(case, m32, e)
        for k, v in rough.items():
            assert torch.isfinite(exact[k]).all(), f"{k} not finite"
            kind = re.sub(r"hidden/\d+$", "hidden", k)
            noisy[kind] = max(noisy.get(kind, 0.0), float((v.double() - exact[k]).abs().max()))
        for k, v in exact.items():
            tensors[f"{e['name']}/{k}"] = v.float()
    for n, ids in greedy.items():
        tensors[f"{n}/greedy"] = ids
    os.makedirs(folder)
    goldenlib.save_checkpoint(case, m32, folder)
    os.remove(os.path.join(folder, "model.safetensors"))
    if hasattr(case, "edit") and case.edit:
        p = os.path.join(folder, "config.json")
        c = json.load(open(p))
        c = case.edit(c)
        goldenlib.write_json(p, c)
    hidden = sum(1 for k in exact if re.fullmatch(r"(decoder/)?hidden/\d+", k))
    meta = {
        "case": case.name,
        "architecture": case.cls.__name__,
        "task": case.task,
        "transformers": hf.__version__,
        "torch": torch.__version__.split("+")[0],
        "seed": case.seed,
        "params": sum(p.numel() for p in m32.parameters()),
        "covers": case.covers,
        "note": case.note,
        "hidden_count": hidden,
        "noise": {k: float(f"{v:.3g}") for k, v in noisy.items()},
        "inputs": [{k: v for k, v in e.items() if k != "tensors"} for e in inputs],
        "weights": {"seed": case.seed, "tensors": rows},
    }
    if any(k.startswith("encoder/hidden/") for k in exact):
        meta["encoder_hidden_count"] = sum(1 for k in exact if k.startswith("encoder/hidden/"))
    if greedy:
        meta["greedy_margin"] = float(f"{margin:.3g}")
    if case.extras:
        meta["ignored_tensors"] = sorted(case.extras(m32))
    if case.__dict__.get("generation"):
        meta["generation"] = case.generation
    goldenlib.write_tensors(os.path.join(folder, "golden.safetensors"), tensors)
    goldenlib.write_json(os.path.join(folder, "golden.json"), meta)


CASES = []
# --- decoders: V(name, class, configuration, {changes, _argument of Case}, …) makes a case of each set of changes


def V(name, cls, base, *variants, **kw):
    for i, v in enumerate(variants):
        v = copy.deepcopy(v)
        own = {**kw}
        for k in [k for k in v if k.startswith("_")]:
            own[k[1:]] = v.pop(k)
        edit = own.pop("edit", None)
        mk = own.pop("mk", Case)
        cfg = {**copy.deepcopy(base), **v}
        conf = own.pop("conf", None)
        tag = own.pop("tag", i)
        CASES.append((f"{name}-{tag}", mk, cls, cfg, conf, own, edit))


KB = {r"k_proj\.bias|k\.bias|key\.bias": "x"}
E3 = embedding_std(0.3)
B = dict(
    vocab_size=101,
    hidden_size=36,
    intermediate_size=50,
    num_hidden_layers=2,
    num_attention_heads=3,
    num_key_value_heads=1,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=0,
)
R = lambda t="default", theta=10000.0, **k: dict(rope_parameters=dict(rope_type=t, rope_theta=theta, **k))
YARN = dict(factor=4.0, original_max_position_embeddings=16)
L3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
LONG = lambda n: dict(
    short_factor=[1.0 + 0.1 * i for i in range(n)],
    long_factor=[1.0 + 0.7 * i for i in range(n)],
    original_max_position_embeddings=20,
)

V(
    "llama",
    hf.LlamaForCausalLM,
    B,
    dict(num_hidden_layers=1),
    dict(num_key_value_heads=3),
    dict(head_dim=8, attention_bias=True, tie_word_embeddings=True, _rules=E3),
    dict(mlp_bias=True, hidden_act="gelu"),
    dict(hidden_act="relu", rms_norm_eps=1e-3),
    dict(hidden_act="gelu_pytorch_tanh", num_attention_heads=6, num_key_value_heads=2),
    dict(**R("llama3", 500000.0, **L3), _v4=v4_rope),
    dict(**R("yarn", 1000.0, **YARN, beta_fast=16.0, beta_slow=2.0, attention_factor=0.8)),
    dict(**R("yarn", 1000.0, **YARN, mscale=0.7, mscale_all_dim=0.5), _v4=v4_rope_type),
    dict(**R("yarn", 1000.0, **YARN, truncate=False)),
    dict(**R("longrope", 10000.0, **LONG(6)), _skip_decode=("long",), _v4=v4_rope),
    dict(**R("longrope", 10000.0, **LONG(6), attention_factor=1.3), _skip_decode=("long",)),
    dict(**R("longrope", 10000.0, **LONG(6), factor=4.0), _skip_decode=("long",)),
    dict(**R("dynamic", 10000.0, factor=3.0), max_position_embeddings=24, _skip_decode=("long",), _v4=v4_rope),
    dict(**R("linear", 10000.0, factor=2.5), head_dim=20, _v4=v4_rope_type),
    dict(**R("default", 1e6), hidden_act="quick_gelu"),
    dict(hidden_act="gelu_new", tie_word_embeddings=True, _rules=E3),
    dict(**R("proportional", 10000.0, partial_rotary_factor=0.5)),
    dict(hidden_act="gelu_10"),
    dict(hidden_act="mish"),
    dict(hidden_act="leaky_relu"),
    dict(hidden_act="relu6"),
    dict(hidden_act="laplace"),
    dict(hidden_act="linear"),
    dict(hidden_act="hardswish"),
    dict(hidden_act="gelu_accurate"),
    dict(hidden_act="gelu_python_tanh"),
    dict(hidden_act="swish"),
    dict(hidden_act="gelu_fast"),
    dict(hidden_act="tanh"),
    dict(hidden_act="relu2"),
    dict(hidden_act="sigmoid"),
    dict(hidden_act="gelu_python"),
    dict(num_hidden_layers=3, **R("default", 10000.0, partial_rotary_factor=0.5)),
)
V(
    "mistral",
    hf.MistralForCausalLM,
    {**B, "sliding_window": 7},
    dict(_long=40),
    dict(sliding_window=None, head_dim=8),
    dict(sliding_window=1, _long=30),
    dict(tie_word_embeddings=True, num_key_value_heads=3, sliding_window=64, _rules=E3, **R("yarn", 1000.0, **YARN)),
    dict(hidden_act="gelu", sliding_window=33, _long=33, _v4=v4_rope),
)
MX = {**B, "num_local_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 22}
V(
    "mixtral",
    hf.MixtralForCausalLM,
    MX,
    dict(num_experts_per_tok=1),
    dict(num_experts_per_tok=4),
    dict(sliding_window=6, _long=40, head_dim=10),
    dict(hidden_act="gelu", tie_word_embeddings=True, _rules=E3),
    dict(num_local_experts=9, num_experts_per_tok=3, _v4=v4_rope),
    dict(router_jitter_noise=0.1, **R("linear", 1e6, factor=2.0)),
)
V(
    "qwen2",
    hf.Qwen2ForCausalLM,
    B,
    dict(),
    dict(use_sliding_window=True, sliding_window=5, max_window_layers=0, _long=40, _v4=v4_no_layer_types),
    dict(use_sliding_window=True, sliding_window=5, max_window_layers=2),
    dict(
        use_sliding_window=True,
        sliding_window=5,
        num_hidden_layers=4,
        layer_types=["full_attention", "sliding_attention"] * 2,
        _long=40,
    ),
    dict(tie_word_embeddings=True, _rules=E3, **R("yarn", 1e6, **YARN), _v4=v4_rope),
    dict(hidden_act="gelu", **R("dynamic", 10000.0, factor=2.0)),
    dict(use_sliding_window=False, sliding_window=5),
)
Q3 = {**B, "head_dim": 8}
V(
    "qwen3",
    hf.Qwen3ForCausalLM,
    Q3,
    dict(attention_bias=True, num_key_value_heads=3),
    dict(use_sliding_window=True, sliding_window=6, max_window_layers=1, _long=40, _v4=v4_no_layer_types),
    dict(rms_norm_eps=1e-3, **R("yarn", 1e6, **YARN), _v4=v4_rope_type),
    dict(head_dim=12, hidden_act="relu"),
    dict(num_hidden_layers=1, tie_word_embeddings=True, _rules=E3),
)
QM = {**B, "moe_intermediate_size": 18, "shared_expert_intermediate_size": 26, "num_experts_per_tok": 2, "num_experts": 4}
V(
    "qwen2-moe",
    hf.Qwen2MoeForCausalLM,
    QM,
    dict(norm_topk_prob=True),
    dict(decoder_sparse_step=2, num_hidden_layers=4),
    dict(qkv_bias=False),
    dict(mlp_only_layers=[0, 1]),
    dict(use_sliding_window=True, sliding_window=5, max_window_layers=1, num_hidden_layers=3, _long=40),
    dict(num_experts_per_tok=4, hidden_act="gelu", tie_word_embeddings=True, _rules=E3),
    dict(num_experts=1, num_experts_per_tok=1),
    dict(num_experts=0),
)
QM3 = {**QM, "head_dim": 8}
QM3.pop("shared_expert_intermediate_size")
V(
    "qwen3-moe",
    hf.Qwen3MoeForCausalLM,
    QM3,
    dict(norm_topk_prob=False),
    dict(decoder_sparse_step=2, num_hidden_layers=4, _v4=v4_qwen3_moe),
    dict(mlp_only_layers=[1], attention_bias=True),
    dict(use_sliding_window=True, sliding_window=5, _long=40),
    dict(norm_topk_prob=True, num_experts=6, num_experts_per_tok=6, **R("yarn", 1e6, **YARN)),
)
QN = dict(
    **QM3,
    shared_expert_intermediate_size=14,
    linear_conv_kernel_dim=4,
    linear_key_head_dim=6,
    linear_value_head_dim=10,
    linear_num_key_heads=2,
    linear_num_value_heads=4,
)
V(
    "qwen3-next",
    hf.Qwen3NextForCausalLM,
    QN,
    dict(num_hidden_layers=4),
    dict(
        num_hidden_layers=2,
        layer_types=["full_attention", "linear_attention"],
        **R("default", 10000.0, partial_rotary_factor=1.0),
    ),
    dict(layer_types=["linear_attention"] * 2, linear_num_value_heads=2, linear_conv_kernel_dim=3),
    dict(layer_types=["full_attention"] * 2, attention_bias=True, norm_topk_prob=False),
    dict(num_hidden_layers=4, full_attention_interval=2, mlp_only_layers=[1], decoder_sparse_step=1),
    dict(
        decoder_sparse_step=2,
        tie_word_embeddings=True,
        _rules=E3,
        layer_types=["linear_attention", "full_attention"],
        linear_num_value_heads=6,
    ),
    dict(hidden_act="gelu", layer_types=["linear_attention", "full_attention"]),
)
GM = {**B, "head_dim": 14}
E2 = embedding_std(0.2)
V(
    "gemma",
    hf.GemmaForCausalLM,
    GM,
    dict(_rules=E2),
    dict(hidden_activation="gelu", _rules=E2),
    dict(attention_bias=True, num_key_value_heads=3, _rules=E2),
    dict(tie_word_embeddings=False),
    dict(hidden_act="silu", _rules=E2),
    dict(use_bidirectional_attention=True, _rules=E2, _decode=lambda *a: None, _greedy=None),
)
E1 = embedding_std(0.08)
G2 = {**GM, "sliding_window": 6}
V(
    "gemma2",
    hf.Gemma2ForCausalLM,
    G2,
    dict(query_pre_attn_scalar=20, _rules=E1, _long=40, _v4=v4_no_layer_types),
    dict(attn_logit_softcapping=None, _rules=E1),
    dict(final_logit_softcapping=None, _rules=E1),
    dict(attn_logit_softcapping=None, final_logit_softcapping=None, attention_bias=True, _rules=E1),
    dict(layer_types=["full_attention", "sliding_attention"], _rules=E1, _long=40),
    dict(num_hidden_layers=1, final_logit_softcapping=2.0, tie_word_embeddings=False),
    dict(hidden_activation="gelu", _rules=E1),
)
RL = lambda full, loc: dict(rope_parameters=dict(full_attention=full, sliding_attention=loc))
D = lambda th: dict(rope_type="default", rope_theta=th)
for i, v in enumerate(
    [
        dict(
            _rules=E1,
            num_hidden_layers=7,
            _long=40,
            _v4=v4_gemma3(6),
            **RL(dict(rope_type="linear", rope_theta=1e6, factor=8.0), D(10000.0)),
        ),
        dict(_rules=E1, attn_logit_softcapping=5.0, final_logit_softcapping=3.0),
        dict(_rules=E1, layer_types=["full_attention"] * 2, attention_bias=True),
        dict(_rules=E1, layer_types=["sliding_attention"] * 2, _long=40, tie_word_embeddings=False),
        dict(
            _rules=E1,
            query_pre_attn_scalar=9,
            num_key_value_heads=3,
            layer_types=["sliding_attention", "full_attention"],
            **RL(dict(rope_type="yarn", rope_theta=1000.0, **YARN), D(500.0)),
            _long=40,
        ),
        dict(
            _rules=E1,
            layer_types=["sliding_attention", "full_attention"],
            **RL(dict(rope_type="default", rope_theta=1000.0), dict(rope_type="linear", factor=2.0, rope_theta=500.0)),
            _long=40,
        ),
    ]
):
    V("gemma3", hf.Gemma3ForCausalLM, G2, {**v, "_conf": hf.Gemma3TextConfig, "_tag": i})
PH = {k: v for k, v in B.items()}
V(
    "phi",
    hf.PhiForCausalLM,
    PH,
    dict(num_key_value_heads=3, **R(partial_rotary_factor=0.5), _v4=v4_rope),
    dict(qk_layernorm=True, **R(partial_rotary_factor=0.34)),
    dict(hidden_act="gelu", **R("linear", 10000.0, factor=2.0, partial_rotary_factor=0.5)),
    dict(tie_word_embeddings=True, layer_norm_eps=1e-3, **R(partial_rotary_factor=1.0), _rules=E3),
    dict(**R(partial_rotary_factor=0.5), num_key_value_heads=1),
)
V(
    "phi3",
    hf.Phi3ForCausalLM,
    PH,
    dict(num_key_value_heads=3),
    dict(sliding_window=5, _long=40, num_key_value_heads=1, tie_word_embeddings=True, _rules=E3),
    dict(
        original_max_position_embeddings=20,
        **R("longrope", 10000.0, **LONG(6)),
        _long=40,
        _prefill={"long": 25},
        _v4=v4_longrope,
    ),
    dict(hidden_act="gelu", **R(partial_rotary_factor=0.5)),
)
G = dict(vocab_size=101, n_positions=48, n_embd=36, n_layer=2, n_head=3, bos_token_id=1, eos_token_id=2)
V(
    "gpt2",
    hf.GPT2LMHeadModel,
    G,
    dict(_rules=E3),
    dict(scale_attn_weights=False, _rules=gain_of(r"c_attn", 0.5, E3)),
    dict(tie_word_embeddings=False),
    dict(activation_function="relu", n_inner=50, _rules=E3),
    dict(scale_attn_by_inverse_layer_idx=True, reorder_and_upcast_attn=True, n_layer=1, _rules=E3),
    dict(layer_norm_epsilon=1e-3, activation_function="silu", _rules=E3),
)
V(
    "gpt-bigcode",
    hf.GPTBigCodeForCausalLM,
    G,
    dict(_rules=E3),
    dict(multi_query=False, _rules=E3),
    dict(scale_attn_weights=False, _rules=gain_of(r"c_attn", 0.5, E3)),
    dict(activation_function="gelu", n_inner=50, tie_word_embeddings=False),
)
V(
    "gpt-neo",
    hf.GPTNeoForCausalLM,
    dict(
        vocab_size=101,
        max_position_embeddings=48,
        hidden_size=36,
        num_layers=2,
        num_heads=3,
        window_size=5,
        attention_types=[[["global", "local"], 1]],
        bos_token_id=1,
        eos_token_id=2,
    ),
    dict(_rules=gain_of(r"(q|k)_proj", 0.9, E3), _long=40),
    dict(attention_types=[[["local"], 2]], _rules=gain_of(r"(q|k)_proj", 0.9, E3), _long=40),
    dict(
        attention_types=[[["global"], 3], [["local", "global"], 1]],
        num_layers=5,
        intermediate_size=40,
        _rules=gain_of(r"(q|k)_proj", 0.9, E3),
    ),
    dict(activation_function="relu", layer_norm_epsilon=1e-3, tie_word_embeddings=False, _rules=gain_of(r"(q|k)_proj", 0.9)),
)
V(
    "gptj",
    hf.GPTJForCausalLM,
    {**G, "rotary_dim": 4},
    dict(),
    dict(rotary_dim=12),
    dict(n_inner=40, activation_function="gelu", tie_word_embeddings=False),
    dict(rotary_dim=None),
    dict(tie_word_embeddings=True, _rules=E3),
)
V(
    "codegen",
    hf.CodeGenForCausalLM,
    {**G, "n_head": 4, "n_embd": 48, "rotary_dim": 4},
    dict(),
    dict(n_head=8, n_inner=40, rotary_dim=6),
    dict(tie_word_embeddings=True, _rules=E3, activation_function="gelu"),
)
NX = {k: v for k, v in B.items() if k != "num_key_value_heads"}
V(
    "gpt-neox",
    hf.GPTNeoXForCausalLM,
    NX,
    dict(_v4=v4_gpt_neox),
    dict(use_parallel_residual=False, attention_bias=False),
    dict(tie_word_embeddings=True, **R(partial_rotary_factor=1.0), _rules=E3, _v4=v4_gpt_neox),
    dict(hidden_act="gelu_fast", layer_norm_eps=1e-3, **R("linear", 10000.0, factor=2.0, partial_rotary_factor=0.5)),
    dict(**R("dynamic", 10000.0, factor=2.0, partial_rotary_factor=0.5)),
)
F = dict(
    vocab_size=101, hidden_size=36, num_hidden_layers=2, num_attention_heads=3, ffn_hidden_size=50, max_position_embeddings=64
)
V(
    "falcon",
    hf.FalconForCausalLM,
    F,
    dict(multi_query=True, parallel_attn=True, _rules=E3),
    dict(multi_query=True, parallel_attn=False, bias=True, _rules=E3),
    dict(multi_query=False, parallel_attn=True, _rules=E3),
    dict(multi_query=False, parallel_attn=False, alibi=True, _rules=E3),
    dict(new_decoder_architecture=True, num_attention_heads=6, num_kv_heads=2, num_ln_in_parallel_attn=1, _rules=E3),
    dict(
        new_decoder_architecture=True,
        num_attention_heads=6,
        num_kv_heads=3,
        bias=True,
        _rules=E3,
        **R("linear", 1000.0, factor=2.0),
        _v4=v4_rope,
    ),
    dict(activation="relu", layer_norm_epsilon=1e-3, tie_word_embeddings=False),
    dict(new_decoder_architecture=True, num_attention_heads=6, num_kv_heads=6, alibi=True, _rules=E3),
    dict(apply_residual_connection_post_layernorm=True, parallel_attn=False, multi_query=False, _rules=E3),
    dict(ffn_hidden_size=None, multi_query=True, alibi=True, _rules=E3),
)
V(
    "bloom",
    hf.BloomForCausalLM,
    dict(vocab_size=101, hidden_size=36, n_layer=2, n_head=3),
    dict(_rules=bloom_init),
    dict(apply_residual_connection_post_layernorm=True, n_head=4, _rules=bloom_init),
    dict(layer_norm_epsilon=1e-3, tie_word_embeddings=False, n_head=6),
)
O = dict(
    vocab_size=101,
    hidden_size=36,
    num_hidden_layers=2,
    ffn_dim=50,
    num_attention_heads=3,
    max_position_embeddings=48,
    word_embed_proj_dim=36,
)
V(
    "opt",
    hf.OPTForCausalLM,
    O,
    dict(_rules=E3),
    dict(enable_bias=False, _rules=E3),
    dict(layer_norm_elementwise_affine=False, _rules=E3),
    dict(word_embed_proj_dim=20, _rules=embedding_std(0.4)),
    dict(activation_function="gelu", do_layer_norm_before=False, _rules=E3),
    dict(tie_word_embeddings=False),
    dict(activation_function="gelu_new", _rules=E3),
    silent=KB,
)
M = dict(vocab_size=101, d_model=36, n_heads=3, n_layers=2, max_seq_len=64)
V(
    "mpt",
    hf.MptForCausalLM,
    M,
    dict(_rules=E3),
    dict(attn_config=dict(alibi=False), _rules=E3, _order=False),
    dict(attn_config=dict(alibi_bias_max=4, softmax_scale=0.5), n_heads=6, _rules=E3),
    dict(no_bias=False, _rules=E3),
    dict(expansion_ratio=3, logit_scale=0.5, norm_type="low_precision_layernorm", _rules=E3),
    dict(logit_scale="inv_sqrt_d_model", _rules=E3),
    dict(attn_config=dict(qk_ln=True), _rules=E3),
    dict(attn_config=dict(clip_qkv=0.7, attn_type="multihead_attention", prefix_lm=False), tie_word_embeddings=False),
    dict(layer_norm_epsilon=1e-3, n_heads=4, _rules=E3),
)
C = {**B, "num_attention_heads": 6, "num_key_value_heads": 2}
E4 = embedding_std(0.4)
V(
    "cohere",
    hf.CohereForCausalLM,
    C,
    dict(_rules=E4),
    dict(use_qk_norm=True, num_key_value_heads=6, _rules=E4),
    dict(attention_bias=True, logit_scale=1.0, layer_norm_eps=1e-3, _rules=E4),
    dict(hidden_act="gelu", tie_word_embeddings=False),
    dict(_rules=E4, **R("linear", 8e6, factor=2.0)),
)
V(
    "cohere2",
    hf.Cohere2ForCausalLM,
    {**C, "sliding_window": 5, "head_dim": 6},
    dict(_rules=E4, num_hidden_layers=5, _long=40),
    dict(_rules=E4, attention_bias=True, head_dim=10, layer_types=["full_attention", "sliding_attention"], _long=40),
    dict(_rules=E4, layer_types=["full_attention"] * 2),
    dict(logit_scale=0.9, tie_word_embeddings=False, num_hidden_layers=1, _long=40),
    dict(_rules=E4, sliding_window_pattern=2, num_hidden_layers=4, _long=40),
)
V(
    "starcoder2",
    hf.Starcoder2ForCausalLM,
    B,
    dict(_rules=E3),
    dict(use_bias=False, sliding_window=6, _long=40, _rules=E3),
    dict(hidden_act="gelu", norm_epsilon=1e-3, tie_word_embeddings=False),
    dict(_rules=E3, num_key_value_heads=3, **R("yarn", 1000.0, **YARN), _v4=v4_rope),
)
DS = dict(
    vocab_size=101,
    hidden_size=36,
    intermediate_size=50,
    num_hidden_layers=2,
    num_attention_heads=3,
    num_key_value_heads=3,
    max_position_embeddings=64,
    first_k_dense_replace=1,
    kv_lora_rank=14,
    q_lora_rank=None,
    n_routed_experts=4,
    n_shared_experts=1,
    qk_nope_head_dim=10,
    qk_rope_head_dim=4,
    v_head_dim=8,
    num_experts_per_tok=2,
    moe_intermediate_size=12,
    bos_token_id=1,
    eos_token_id=2,
)
V(
    "deepseek-v2",
    hf.DeepseekV2ForCausalLM,
    {**DS, "topk_method": "greedy"},
    dict(first_k_dense_replace=0),
    dict(norm_topk_prob=True, routed_scaling_factor=2.0),
    dict(attention_bias=True, q_lora_rank=18),
    dict(topk_method="group_limited_greedy", n_group=2, topk_group=1, n_shared_experts=2, routed_scaling_factor=3.0),
    dict(first_k_dense_replace=2),
    dict(hidden_act="gelu", tie_word_embeddings=True, _rules=E3, n_shared_experts=1),
    dict(**R("linear", 1000.0, factor=2.0)),
    dict(mlp_bias=True),
)
V(
    "deepseek-v3",
    hf.DeepseekV3ForCausalLM,
    {**DS, "n_group": 2, "topk_group": 1, "q_lora_rank": 16},
    dict(num_experts_per_tok=2),
    dict(q_lora_rank=None, norm_topk_prob=False),
    dict(attention_bias=True, n_group=1, topk_group=1),
    dict(rope_interleave=False, routed_scaling_factor=1.0, n_routed_experts=8, n_group=4, topk_group=2, num_experts_per_tok=3),
    dict(first_k_dense_replace=0, n_shared_experts=2),
    dict(tie_word_embeddings=True, hidden_act="gelu", _rules=E3),
    dict(
        num_attention_heads=3,
        **R("yarn", 1000.0, **YARN, mscale=1.0, mscale_all_dim=0.8),
        _v4=v4_deepseek(scoring_func="sigmoid", topk_method="noaux_tc", moe_layer_freq=1),
    ),
    dict(first_k_dense_replace=2),
)
V(
    "nemotron",
    hf.NemotronForCausalLM,
    B,
    dict(head_dim=8, **R(partial_rotary_factor=0.5), _rules=norms_around_zero),
    dict(attention_bias=True, mlp_bias=True, head_dim=12, **R(partial_rotary_factor=1.0), _rules=norms_around_zero),
    dict(hidden_act="gelu", head_dim=12, norm_eps=1e-3, tie_word_embeddings=True, _rules=norms_around_zero),
)
GO = {**B, "head_dim": 8, "num_local_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 14, "sliding_window": 6}
V(
    "gpt-oss",
    hf.GptOssForCausalLM,
    GO,
    dict(_long=40, **R("yarn", 1500.0, **YARN, truncate=False)),
    dict(attention_bias=False, layer_types=["full_attention"] * 2),
    dict(layer_types=["full_attention", "sliding_attention"], num_experts_per_tok=1, **R("default", 1000.0), _long=40),
    dict(swiglu_limit=0.8, num_experts_per_tok=4, tie_word_embeddings=True, _rules=E3),
    dict(hidden_act="gelu"),
)
LF = {**B, "conv_L_cache": 3}
V(
    "lfm2",
    hf.Lfm2ForCausalLM,
    LF,
    dict(block_auto_adjust_ff_dim=True, layer_types=["conv", "full_attention"], _rules=E3),
    dict(
        block_auto_adjust_ff_dim=True,
        block_multiple_of=16,
        block_ffn_dim_multiplier=1.3,
        layer_types=["full_attention", "conv"],
        _rules=E3,
    ),
    dict(conv_bias=True, block_auto_adjust_ff_dim=False, conv_L_cache=4, layer_types=["conv"] * 2, _rules=E3, _order=False),
    dict(block_auto_adjust_ff_dim=False, full_attn_idxs=[1], num_key_value_heads=3, _rules=E3),
    dict(block_auto_adjust_ff_dim=False, layer_types=["full_attention"] * 2, tie_word_embeddings=False),
)
MB = dict(
    vocab_size=101,
    hidden_size=48,
    intermediate_size=50,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    mamba_n_heads=6,
    mamba_d_head=16,
    mamba_n_groups=2,
    mamba_d_state=6,
    mamba_d_conv=4,
    mamba_expand=2,
    mamba_chunk_size=16,
    bos_token_id=1,
    eos_token_id=2,
)
V(
    "bamba",
    hf.BambaForCausalLM,
    {**MB, "attn_layer_indices": [1]},
    dict(_v4=v4_bamba),
    dict(mamba_conv_bias=False, mamba_proj_bias=True, mamba_n_groups=1),
    dict(attn_layer_indices=[0, 1], attention_bias=True, mlp_bias=True),
    dict(mamba_d_conv=3, attn_layer_indices=[0], tie_word_embeddings=True, _rules=E3, num_key_value_heads=4),
    dict(hidden_act="gelu", time_step_limit=(0.1, 0.5), mamba_n_heads=12, mamba_d_head=8),
    **WITH_POSITIONS,
)
GH = {**MB, "shared_intermediate_size": 30, "intermediate_size": 14, "num_local_experts": 4, "num_experts_per_tok": 2}
V(
    "granitehybrid",
    hf.GraniteMoeHybridForCausalLM,
    GH,
    dict(layer_types=["linear_attention", "full_attention"], _v4=v4_granite_hybrid),
    dict(layer_types=["full_attention", "linear_attention"], position_embedding_type="rope", **R("default", 1000.0)),
    dict(num_local_experts=0, num_experts_per_tok=0, layer_types=["linear_attention", "full_attention"]),
    dict(
        layer_types=["linear_attention", "full_attention"],
        attention_bias=True,
        mamba_conv_bias=False,
        mamba_proj_bias=True,
        embedding_multiplier=3.0,
        residual_multiplier=0.5,
        attention_multiplier=0.2,
        logits_scaling=2.0,
    ),
    dict(layer_types=["linear_attention"] * 2, tie_word_embeddings=True, _rules=E3, hidden_act="gelu"),
    dict(layer_types=["full_attention"] * 2, position_embedding_type="rope"),
)
V(
    "granite",
    hf.GraniteForCausalLM,
    B,
    dict(embedding_multiplier=3.0, residual_multiplier=0.5, attention_multiplier=0.3, logits_scaling=2.0),
    dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True, _rules=E3),
    dict(hidden_act="gelu", **R("linear", 1000.0, factor=2.0), _v4=v4_rope),
)
GMo = {**B, "num_local_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 14}
V(
    "granitemoe",
    hf.GraniteMoeForCausalLM,
    GMo,
    dict(embedding_multiplier=3.0, residual_multiplier=0.5, attention_multiplier=0.3, logits_scaling=2.0),
    dict(attention_bias=True, num_experts_per_tok=1, tie_word_embeddings=True, _rules=E3),
)
V(
    "granitemoeshared",
    hf.GraniteMoeSharedForCausalLM,
    {**GMo, "shared_intermediate_size": 16},
    dict(),
    dict(shared_intermediate_size=0),
    dict(attention_bias=True, hidden_act="gelu", residual_multiplier=0.5),
)
V(
    "olmo",
    hf.OlmoForCausalLM,
    B,
    dict(clip_qkv=0.8),
    dict(attention_bias=True, tie_word_embeddings=True, _rules=E3),
    dict(hidden_act="gelu", num_key_value_heads=3, **R("linear", 1000.0, factor=2.0)),
)
V(
    "olmo2",
    hf.Olmo2ForCausalLM,
    B,
    dict(),
    dict(attention_bias=True, tie_word_embeddings=True, _rules=E3),
    dict(hidden_act="gelu", num_key_value_heads=3, rms_norm_eps=1e-3, **R("yarn", 1000.0, **YARN)),
)
V(
    "olmo3",
    hf.Olmo3ForCausalLM,
    {**B, "sliding_window": 6},
    dict(num_hidden_layers=5, _long=40),
    dict(attention_bias=True, layer_types=["full_attention", "sliding_attention"], _long=40),
    dict(tie_word_embeddings=True, _rules=E3, layer_types=["full_attention"] * 2),
)
V(
    "olmoe",
    hf.OlmoeForCausalLM,
    {**B, "num_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 14},
    dict(),
    dict(norm_topk_prob=True, clip_qkv=0.9),
    dict(attention_bias=True, num_key_value_heads=3, tie_word_embeddings=True, _rules=E3),
)
V(
    "stablelm",
    hf.StableLmForCausalLM,
    B,
    dict(**R(partial_rotary_factor=0.25)),
    dict(use_qkv_bias=True, qk_layernorm=True, **R(partial_rotary_factor=0.5)),
    dict(use_parallel_residual=True, **R(partial_rotary_factor=0.5), tie_word_embeddings=True, _rules=E3),
    dict(hidden_act="gelu", layer_norm_eps=1e-3, num_key_value_heads=3, **R(partial_rotary_factor=1.0), _v4=v4_rope),
)
V(
    "glm",
    hf.GlmForCausalLM,
    {**B, "head_dim": 12},
    dict(),
    dict(attention_bias=False, **R(partial_rotary_factor=1.0)),
    dict(head_dim=8, tie_word_embeddings=True, _rules=E3, hidden_act="gelu", num_key_value_heads=3),
)
V(
    "glm4",
    hf.Glm4ForCausalLM,
    {**B, "head_dim": 12},
    dict(),
    dict(attention_bias=True, head_dim=8, **R(partial_rotary_factor=1.0)),
    dict(tie_word_embeddings=True, _rules=E3, hidden_act="gelu"),
)
V(
    "smollm3",
    hf.SmolLM3ForCausalLM,
    B,
    dict(no_rope_layers=[0, 1]),
    dict(no_rope_layer_interval=2, num_hidden_layers=4),
    dict(
        use_sliding_window=True,
        sliding_window=5,
        no_rope_layers=[1, 0],
        layer_types=["sliding_attention", "full_attention"],
        _long=40,
    ),
    dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True, _rules=E3, no_rope_layers=[1, 1]),
)
V(
    "exaone4",
    hf.Exaone4ForCausalLM,
    {**B, "sliding_window": 5, "head_dim": 12},
    dict(num_hidden_layers=5, _long=40),
    dict(sliding_window=None),
    dict(layer_types=["full_attention", "sliding_attention"], tie_word_embeddings=True, _rules=E3, _long=40),
    dict(sliding_window_pattern=2, _long=40),
)
V(
    "hunyuan",
    hf.HunYuanDenseV1ForCausalLM,
    {**B, "head_dim": 12},
    dict(),
    dict(attention_bias=True, mlp_bias=True, head_dim=8, **R("dynamic", 10000.0, alpha=50.0, factor=1.0)),
    dict(tie_word_embeddings=True, _rules=E3, hidden_act="gelu"),
)
V(
    "ernie4-5",
    hf.Ernie4_5ForCausalLM,
    {**B, "head_dim": 12},
    dict(),
    dict(use_bias=True),
    dict(head_dim=8, tie_word_embeddings=False, hidden_act="gelu"),
)
V(
    "seed-oss",
    hf.SeedOssForCausalLM,
    {**B, "head_dim": 12},
    dict(),
    dict(attention_bias=False, attention_out_bias=True, mlp_bias=True),
    dict(tie_word_embeddings=True, _rules=E3, hidden_act="gelu"),
)
V(
    "apertus",
    hf.ApertusForCausalLM,
    B,
    dict(),
    dict(attention_bias=True, tie_word_embeddings=True, _rules=E3),
    dict(**R("llama3", 12e6, **L3)),
    dict(hidden_act="silu"),
)
V(
    "ministral",
    hf.MinistralForCausalLM,
    {**B, "head_dim": 8},
    dict(sliding_window=5, _long=40, layer_types=["full_attention", "sliding_attention"]),
    dict(),
    dict(tie_word_embeddings=True, _rules=E3, hidden_act="gelu"),
)
V(
    "ministral3",
    hf.Ministral3ForCausalLM,
    {**B, "head_dim": 8},
    dict(),
    dict(sliding_window=5, _long=40, tie_word_embeddings=True, _rules=E3),
)
V(
    "dbrx",
    hf.DbrxForCausalLM,
    dict(vocab_size=101, d_model=36, n_heads=6, n_layers=2, max_seq_len=64),
    dict(
        attn_config=dict(kv_n_heads=2, clip_qkv=1.0, rope_theta=10000.0),
        ffn_config=dict(ffn_hidden_size=14, moe_num_experts=4, moe_top_k=2),
    ),
    dict(
        attn_config=dict(kv_n_heads=6),
        ffn_config=dict(ffn_hidden_size=14, moe_num_experts=4, moe_top_k=1, moe_normalize_expert_weights=None),
    ),
    dict(
        attn_config=dict(kv_n_heads=1, clip_qkv=None),
        ffn_config=dict(ffn_hidden_size=14, moe_num_experts=4, moe_top_k=3, moe_normalize_expert_weights=2.0),
        tie_word_embeddings=True,
    ),
)

# --- architectures that came later

H = {**B, "head_dim": 12}
V(
    "arcee",
    hf.ArceeForCausalLM,
    B,
    dict(),
    dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True, _rules=E3, head_dim=8, **R("yarn", 1000.0, **YARN)),
)
V(
    "helium",
    hf.HeliumForCausalLM,
    H,
    dict(num_key_value_heads=3),
    dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True, _rules=E3, num_key_value_heads=1),
)
V("bitnet", hf.BitNetForCausalLM, B, dict(), dict(attention_bias=True, tie_word_embeddings=True, _rules=E3, hidden_act="silu"))
V(
    "cwm",
    hf.CwmForCausalLM,
    {**H, "sliding_window": 6},
    dict(num_hidden_layers=5, _long=40),
    dict(layer_types=["sliding_attention", "full_attention"], _long=40, mlp_bias=True),
)
V(
    "persimmon",
    hf.PersimmonForCausalLM,
    NX,
    dict(),
    dict(qk_layernorm=False, hidden_act="gelu", **R(partial_rotary_factor=1.0), tie_word_embeddings=True, _rules=E3),
)
GL = {
    **B,
    "head_dim": 12,
    "moe_intermediate_size": 14,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "first_k_dense_replace": 1,
}
V(
    "glm4-moe",
    hf.Glm4MoeForCausalLM,
    GL,
    dict(),
    dict(use_qk_norm=True, attention_bias=True, n_group=2, topk_group=1, routed_scaling_factor=1.5, n_shared_experts=2),
    dict(norm_topk_prob=False, first_k_dense_replace=0, tie_word_embeddings=True, _rules=E3),
)
V(
    "dots1",
    hf.Dots1ForCausalLM,
    GL,
    dict(n_group=1, topk_group=1),
    dict(
        norm_topk_prob=True,
        routed_scaling_factor=2.0,
        n_group=2,
        topk_group=1,
        attention_bias=True,
        sliding_window=6,
        max_window_layers=1,
        _long=40,
    ),
)
V(
    "ernie4-5-moe",
    hf.Ernie4_5_MoeForCausalLM,
    {**B, "moe_intermediate_size": 14, "moe_num_experts": 4, "moe_k": 2, "moe_num_shared_experts": 1, "num_hidden_layers": 3},
    dict(_rules=E3),
    dict(use_bias=True, moe_num_shared_experts=2, moe_layer_interval=2, moe_layer_start_index=0, tie_word_embeddings=False),
    dict(moe_num_shared_experts=0, _rules=E3),
)
V(
    "hunyuan-moe",
    hf.HunYuanMoEV1ForCausalLM,
    {**H, "num_experts": 4, "moe_topk": 2, "intermediate_size": 20},
    dict(),
    dict(moe_topk=[2, 1], attention_bias=True, tie_word_embeddings=True, _rules=E3),
)
V(
    "minimax-m2",
    hf.MiniMaxM2ForCausalLM,
    {**H, "num_local_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 20},
    dict(),
    dict(num_key_value_heads=3, **R("default", 1e4, partial_rotary_factor=0.5)),
)
V(
    "flex-olmo",
    hf.FlexOlmoForCausalLM,
    {**B, "num_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 20},
    dict(),
    dict(norm_topk_prob=True, attention_bias=True),
)
V(
    "xglm",
    hf.XGLMForCausalLM,
    dict(vocab_size=101, d_model=36, ffn_dim=50, num_layers=2, attention_heads=3, max_position_embeddings=64),
    dict(_rules=E3),
    dict(scale_embedding=False, activation_function="relu", tie_word_embeddings=False),
    silent=KB,
)
V(
    "biogpt",
    hf.BioGptForCausalLM,
    dict(
        vocab_size=101,
        hidden_size=36,
        intermediate_size=50,
        num_hidden_layers=2,
        num_attention_heads=3,
        max_position_embeddings=64,
    ),
    dict(_rules=E3),
    dict(scale_embedding=False, hidden_act="relu", tie_word_embeddings=False),
    silent=KB,
)
V(
    "ctrl",
    hf.CTRLLMHeadModel,
    dict(vocab_size=101, n_embd=36, dff=50, n_layer=2, n_head=3, n_positions=64),
    dict(_rules=embedding_std(0.1)),
    dict(tie_word_embeddings=False),
    silent={".": "x"},
)

# --- classes of decoders


def cls(name, c, task, cfg, rules=None, labels=3, **k):
    cc = dict(cfg)
    if task != "question-answering":
        cc["num_labels"] = labels
    V(
        name,
        getattr(hf, c),
        cc,
        dict(_tag="v", **k),
        mk=HeadCase,
        task=task,
        rules=rules,
        order=False,
        run=goldenheads.heads,
        towers=lambda m: [goldenlib.find_tower(m)],
    )


before = len(CASES)
fams = [
    ("Apertus", B),
    ("Bloom", dict(vocab_size=101, hidden_size=36, n_layer=2, n_head=3)),
    ("DeepseekV2", {**DS, "topk_method": "greedy"}),
    ("DeepseekV3", {**DS, "n_group": 2, "topk_group": 1, "q_lora_rank": 16}),
    ("Exaone4", {**B, "sliding_window": 5, "head_dim": 12}),
    ("Falcon", F),
    ("Glm", {**B, "head_dim": 12}),
    ("Glm4", {**B, "head_dim": 12}),
    ("GPT2", G),
    ("GPTBigCode", G),
    (
        "GPTNeo",
        dict(
            vocab_size=101,
            max_position_embeddings=48,
            hidden_size=36,
            num_layers=2,
            num_heads=3,
            window_size=5,
            attention_types=[[["global", "local"], 1]],
        ),
    ),
    ("GPTNeoX", NX),
    ("GptOss", GO),
    ("GPTJ", {**G, "rotary_dim": 4}),
    ("HunYuanDenseV1", {**B, "head_dim": 12}),
    ("Llama", B),
    ("Mistral", {**B, "sliding_window": 7}),
    ("Mixtral", MX),
    ("Mpt", M),
    ("Nemotron", {**B, "head_dim": 12}),
    ("Olmo", B),
    ("Olmo2", B),
    ("Olmo3", B),
    ("OPT", O),
    ("Phi", {**PH, **R(partial_rotary_factor=0.5)}),
    ("Phi3", PH),
    ("Qwen2", B),
    ("Qwen2Moe", QM),
    ("Qwen3", Q3),
    ("Qwen3Moe", QM3),
    ("SeedOss", {**B, "head_dim": 12}),
    ("SmolLM3", B),
    ("StableLm", {**B, **R(partial_rotary_factor=0.5)}),
    ("Starcoder2", B),
    ("Gemma", GM),
    ("Gemma2", G2),
    ("Ministral", {**B, "head_dim": 8}),
    ("Ministral3", {**B, "head_dim": 8}),
    ("Gemma3Text", G2),
    ("Jamba", {**B, "num_hidden_layers": 4, "attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2, "expert_layer_offset": 1,
               "num_experts": 3, "num_experts_per_tok": 2, "mamba_d_state": 6, "mamba_dt_rank": 3, "use_mamba_kernels": False}),
    ("Qwen3Next", {**QN, "num_hidden_layers": 4}),
]
for n, cfg in fams:
    for suffix, task in (
        ("ForSequenceClassification", "text-classification"),
        ("ForTokenClassification", "token-classification"),
        ("ForQuestionAnswering", "question-answering"),
    ):
        if hasattr(hf, n + suffix):
            cls(f"h-{n}{suffix}", n + suffix, task, cfg)
for c in ("LlamaModel", "GPT2Model", "BloomModel", "Qwen3Model"):
    cls(f"h-{c}", c, "feature-extraction", dict(fams)[c[:-5]] if c != "GPT2Model" else G)
for _, _, _, cfg, _, own, _ in CASES[before:]:
    cfg["pad_token_id"] = 0
    own["inputs"] = sentences(5, 101, 30, pad=0, first=3, last=4, low=5)

# --- encoders, encoder–decoders, recurrent models

LIST = []


def A(f):
    LIST.append(f)


def enc(name, cls, cfg, task, blocks, **k):
    k.setdefault("seed", 7)
    k.setdefault("long", 30)
    k.setdefault("types", 1)
    A((name, lambda: me.encoder(name, cls, cfg, task, [], blocks, **k)))


S = dict(hidden=36, heads=3, ff=50, layers=2, vocab=101, positions=40)
bs = lambda **k: me.bert_sizes(**{**S, **k})
# bert heads and options
H = [
    ("BertForMaskedLM", "masked-lm"),
    ("BertForSequenceClassification", "text-classification"),
    ("BertForTokenClassification", "token-classification"),
    ("BertForQuestionAnswering", "question-answering"),
    ("BertModel", "feature-extraction"),
]
for c, t in H:
    enc(
        "v-bert-" + c,
        getattr(hf, c),
        bs(num_labels=4),
        t,
        "bert.encoder.layer" if c != "BertModel" else "encoder.layer",
        types=2,
    )
enc("v-bert-types3", hf.BertModel, bs(type_vocab_size=3), "feature-extraction", "encoder.layer", types=3)
enc("v-bert-types1", hf.BertModel, bs(type_vocab_size=1), "feature-extraction", "encoder.layer")
enc(
    "v-bert-untied",
    hf.BertForMaskedLM,
    bs(tie_word_embeddings=False, hidden_act="relu"),
    "masked-lm",
    "bert.encoder.layer",
    types=2,
)
enc(
    "v-bert-silu",
    hf.BertForMaskedLM,
    bs(hidden_act="silu", layer_norm_eps=1e-3, layers=1, heads=1),
    "masked-lm",
    "bert.encoder.layer",
    types=2,
)
enc(
    "v-bert-one-label",
    hf.BertForSequenceClassification,
    bs(num_labels=1, problem_type="regression"),
    "text-classification",
    "bert.encoder.layer",
    types=2,
)
enc(
    "v-bert-multi",
    hf.BertForSequenceClassification,
    bs(num_labels=5, problem_type="multi_label_classification"),
    "text-classification",
    "bert.encoder.layer",
    types=2,
)
RS = lambda **k: {
    **bs(**{**dict(positions=42), **k}),
    "type_vocab_size": k.get("type_vocab_size", 1),
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
for pre, p in (("Roberta", "roberta."), ("XLMRoberta", "roberta."), ("Camembert", "roberta.")):
    for c, t in (
        ("ForMaskedLM", "masked-lm"),
        ("ForSequenceClassification", "text-classification"),
        ("ForTokenClassification", "token-classification"),
        ("ForQuestionAnswering", "question-answering"),
        ("Model", "feature-extraction"),
    ):
        enc(
            f"v-{pre}{c}",
            getattr(hf, pre + c),
            RS(num_labels=3),
            t,
            ("" if c == "Model" else p) + "encoder.layer",
            pad=1,
            first=0,
            last=2,
        )
enc(
    "v-roberta-types2",
    hf.RobertaModel,
    RS(type_vocab_size=2, hidden_act="gelu_new", layer_norm_eps=1e-3),
    "feature-extraction",
    "encoder.layer",
    pad=1,
    first=0,
    last=2,
    types=2,
)
enc(
    "v-roberta-pad3",
    hf.RobertaForMaskedLM,
    {**RS(), "pad_token_id": 3, "tie_word_embeddings": False},
    "masked-lm",
    "roberta.encoder.layer",
    pad=3,
    first=0,
    last=2,
)
for c, t in (
    ("ForMaskedLM", "masked-lm"),
    ("ForSequenceClassification", "text-classification"),
    ("ForTokenClassification", "token-classification"),
    ("ForQuestionAnswering", "question-answering"),
    ("Model", "feature-extraction"),
):
    cls = getattr(hf, "DistilBert" + c)
    m = "" if c == "Model" else "distilbert."
    A(
        (
            f"v-distil{c}",
            lambda cls=cls, t=t, m=m, c=c: me.encoder(
                f"v-distil{c}",
                cls,
                dict(
                    dim=36,
                    n_heads=3,
                    hidden_dim=50,
                    n_layers=1,
                    vocab_size=101,
                    max_position_embeddings=40,
                    num_labels=3,
                    activation="relu",
                ),
                t,
                [],
                m + "transformer.layer",
                seed=5,
                long=30,
            ),
        )
    )
    cls = getattr(hf, "Electra" + c)
    m = "" if c == "Model" else "electra."
    enc(f"v-electra{c}", cls, bs(embedding_size=20, num_labels=3), t, m + "encoder.layer", types=2)
enc(
    "v-electra-same",
    hf.ElectraForPreTraining,
    bs(embedding_size=36, hidden_act="relu"),
    "replaced-token-detection",
    "electra.encoder.layer",
    types=2,
)
enc(
    "v-electra-mlm-untied",
    hf.ElectraForMaskedLM,
    bs(embedding_size=20, tie_word_embeddings=False),
    "masked-lm",
    "electra.encoder.layer",
    types=2,
)
for c, t in (
    ("ForMaskedLM", "masked-lm"),
    ("ForSequenceClassification", "text-classification"),
    ("ForTokenClassification", "token-classification"),
    ("ForQuestionAnswering", "question-answering"),
    ("Model", "feature-extraction"),
):
    cls = getattr(hf, "Albert" + c)
    g = (lambda m: m.encoder.albert_layer_groups) if c == "Model" else (lambda m: m.albert.encoder.albert_layer_groups)
    enc(
        f"v-albert{c}",
        cls,
        bs(embedding_size=20, num_hidden_groups=1, layers=3, num_labels=3),
        t,
        "",
        types=2,
        towers=lambda m: [],
        run=recurring(g),
    )
enc(
    "v-albert-inner",
    hf.AlbertForMaskedLM,
    bs(embedding_size=20, num_hidden_groups=2, layers=4, inner_group_num=2, hidden_act="gelu"),
    "masked-lm",
    "",
    types=2,
    towers=lambda m: [],
    run=recurring(lambda m: m.albert.encoder.albert_layer_groups),
)
enc(
    "v-albert-odd",
    hf.AlbertForMaskedLM,
    bs(embedding_size=36, num_hidden_groups=2, layers=5, tie_word_embeddings=False),
    "masked-lm",
    "",
    types=2,
    towers=lambda m: [],
    run=recurring(lambda m: m.albert.encoder.albert_layer_groups),
)


def deb(name, cls, task, labels=3, v=2, **more):
    cfg = bs(type_vocab_size=0, num_labels=labels)
    base = dict(
        relative_attention=True,
        pos_att_type="p2c|c2p",
        position_biased_input=False,
        max_relative_positions=-1,
        layer_norm_eps=1e-7,
    )
    if v == 2:
        base.update(position_buckets=6, norm_rel_ebd="layer_norm", share_att_key=True)
    cfg.update(base)
    cfg.update(more)
    m = "" if cls.__name__.endswith("Model") else "deberta."
    enc(
        name,
        cls,
        cfg,
        task,
        "",
        towers=lambda m: [],
        run=recurring((lambda x: x.encoder.layer) if not m else (lambda x: x.deberta.encoder.layer)),
        silent={r".": "x"},
        types=max(1, cfg["type_vocab_size"]),
    )


D2 = hf.DebertaV2ForMaskedLM
for c, t in (
    ("ForMaskedLM", "masked-lm"),
    ("ForSequenceClassification", "text-classification"),
    ("ForTokenClassification", "token-classification"),
    ("ForQuestionAnswering", "question-answering"),
    ("Model", "feature-extraction"),
):
    deb("v-deb2" + c, getattr(hf, "DebertaV2" + c), t)
    deb("v-deb1" + c, getattr(hf, "Deberta" + c), t, v=1)
deb("v-deb2-noshare", hf.DebertaV2Model, "feature-extraction", share_att_key=False)
deb("v-deb2-c2p", hf.DebertaV2Model, "feature-extraction", pos_att_type="c2p")
deb("v-deb2-p2c", hf.DebertaV2Model, "feature-extraction", pos_att_type="p2c")
deb("v-deb2-none", hf.DebertaV2Model, "feature-extraction", relative_attention=False, position_biased_input=True)
deb("v-deb2-abs", hf.DebertaV2Model, "feature-extraction", position_biased_input=True, type_vocab_size=2)
deb("v-deb2-nobuckets", hf.DebertaV2Model, "feature-extraction", position_buckets=-1, max_relative_positions=9)
deb("v-deb2-conv5", hf.DebertaV2Model, "feature-extraction", conv_kernel_size=5, conv_act="relu", conv_groups=3)
deb("v-deb2-embed", hf.DebertaV2Model, "feature-extraction", embedding_size=20, norm_rel_ebd="none")
deb("v-deb2-legacy", hf.DebertaV2ForMaskedLM, "masked-lm", legacy=False)
deb("v-deb2-headsize", hf.DebertaV2Model, "feature-extraction", attention_head_size=8)
deb("v-deb2-pool", hf.DebertaV2ForSequenceClassification, "text-classification", pooler_hidden_act="tanh", hidden_act="relu")
deb(
    "v-deb1-noshare",
    hf.DebertaModel,
    "feature-extraction",
    v=1,
    pos_att_type="c2p",
    position_biased_input=True,
    type_vocab_size=2,
)
deb("v-deb1-none", hf.DebertaModel, "feature-extraction", v=1, relative_attention=False, position_biased_input=True)
deb("v-deb1-th", hf.DebertaModel, "feature-extraction", v=1, talking_head=True)
deb("v-deb1-max", hf.DebertaModel, "feature-extraction", v=1, max_relative_positions=7)


def mod(name, cls, task, **more):
    cfg = bs(positions=128, local_attention=more.pop("window", 8))
    cfg.update(pad_token_id=1, bos_token_id=2, eos_token_id=3, cls_token_id=2, sep_token_id=3, num_labels=3)
    cfg.update(more)
    m = "" if cls.__name__.endswith("Model") else "model."
    enc(name, cls, cfg, task, m + "layers", final=m + "final_norm", pad=1, long=40)


for c, t in (
    ("ForMaskedLM", "masked-lm"),
    ("ForSequenceClassification", "text-classification"),
    ("ForTokenClassification", "token-classification"),
    ("ForQuestionAnswering", "question-answering"),
    ("Model", "feature-extraction"),
):
    mod("v-modern" + c, getattr(hf, "ModernBert" + c), t)
mod(
    "v-modern-bias",
    hf.ModernBertForMaskedLM,
    "masked-lm",
    attention_bias=True,
    mlp_bias=True,
    norm_bias=True,
    classifier_bias=True,
    decoder_bias=False,
)
mod(
    "v-modern-mean",
    hf.ModernBertForSequenceClassification,
    "text-classification",
    classifier_pooling="mean",
    classifier_bias=True,
    classifier_activation="relu",
    norm_bias=True,
)
mod(
    "v-modern-act",
    hf.ModernBertForMaskedLM,
    "masked-lm",
    hidden_activation="silu",
    norm_eps=1e-3,
    num_hidden_layers=4,
    global_attn_every_n_layers=2,
    tie_word_embeddings=False,
)
mod("v-modern-full", hf.ModernBertModel, "feature-extraction", layer_types=["full_attention"] * 2)
mod("v-modern-slide", hf.ModernBertModel, "feature-extraction", layer_types=["sliding_attention"] * 2, window=6)
mod("v-modern-odd", hf.ModernBertModel, "feature-extraction", layer_types=["sliding_attention", "full_attention"], window=7)
mod("v-modern-sparse", hf.ModernBertForMaskedLM, "masked-lm", sparse_prediction=True)
for c, t in (
    ("ForMaskedLM", "masked-lm"),
    ("ForSequenceClassification", "text-classification"),
    ("ForTokenClassification", "token-classification"),
    ("ForQuestionAnswering", "question-answering"),
    ("Model", "feature-extraction"),
):
    cls = getattr(hf, "MPNet" + c)
    m = "" if c == "Model" else "mpnet."
    enc(
        "v-mpnet" + c,
        cls,
        {**bs(positions=42, num_labels=3), "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2},
        t,
        m + "encoder.layer",
        pad=1,
        first=0,
        last=2,
    )
    cls = getattr(hf, "FNet" + c)
    m = "" if c == "Model" else "fnet."
    if hasattr(hf, "FNet" + c):
        cf = {k: v for k, v in bs(num_labels=3).items() if k != "num_attention_heads"}
        A(
            (
                f"v-fnet{c}",
                lambda cls=cls, cf=cf, t=t, m=m, c=c: me.encoder(
                    f"v-fnet{c}", cls, cf, t, [], m + "encoder.layer", seed=3, long=30, types=2, mixes_padding=True
                ),
            )
        )
enc(
    "v-mpnet-b",
    hf.MPNetForMaskedLM,
    {
        **bs(positions=42),
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "relative_attention_num_buckets": 8,
        "tie_word_embeddings": False,
        "hidden_act": "relu",
    },
    "masked-lm",
    "mpnet.encoder.layer",
    pad=1,
    first=0,
    last=2,
)
for c, t in (
    ("ForMaskedLM", "masked-lm"),
    ("ForSequenceClassification", "text-classification"),
    ("ForTokenClassification", "token-classification"),
    ("Model", "feature-extraction"),
):
    for pre in ("NomicBert", "Gte"):
        if not hasattr(hf, pre + c):
            continue
        enc(
            f"v-{pre}{c}",
            getattr(hf, pre + c),
            bs(positions=64, num_labels=3, type_vocab_size=2),
            t,
            None,
            types=2,
            towers=lambda m: [goldenlib.find_tower(m)],
        )
enc(
    "v-nomic-bias",
    hf.NomicBertModel,
    bs(positions=64, type_vocab_size=1, hidden_act="gelu", rope_parameters=dict(rope_type="default", rope_theta=1000.0)),
    "feature-extraction",
    None,
    towers=lambda m: [goldenlib.find_tower(m)],
)
enc(
    "v-gte-opts",
    hf.GteModel,
    bs(positions=64, type_vocab_size=1, hidden_act="silu"),
    "feature-extraction",
    None,
    towers=lambda m: [goldenlib.find_tower(m)],
)


# seq2seq
def s2s(name, make):
    def f():
        c = make()
        c.sources = None
        c.beams = None
        c.greedy = None
        return c

    A((name, f))


T = dict(hidden=36, heads=3, head=10, ff=50, layers=2, decoder_layers=1, vocab=101, buckets=8, distance=20)
s2s("v-t5-0", lambda: ms.t5("v-t5-0", 5, **T))
s2s("v-t5-gatedsilu", lambda: ms.t5("v-t5-gatedsilu", 5, **T, feed_forward_proj="gated-silu"))
s2s("v-t5-gelu", lambda: ms.t5("v-t5-gelu", 5, **T, feed_forward_proj="gelu", layer_norm_epsilon=1e-3))
s2s("v-t5-buck", lambda: ms.t5("v-t5-buck", 5, **{**T, "buckets": 32, "distance": 64, "decoder_layers": 3}))
s2s("v-t5-v11", lambda: ms.t5_v1_1("v-t5-v11", 5, **T))
s2s("v-mt5", lambda: ms.mt5("v-mt5", 5, **{**T}))


class UM(hf.UMT5ForConditionalGeneration):
    pass


UM.__name__ = "UMT5ForConditionalGeneration"
s2s("v-umt5", lambda: ms.t5_family("v-umt5", UM, ms.t5_sizes(**T, feed_forward_proj="gated-gelu"), [], seed=5))
s2s(
    "v-umt5-untied",
    lambda: ms.t5_family(
        "v-umt5-untied", UM, ms.t5_sizes(**T, feed_forward_proj="gated-gelu", tie_word_embeddings=False), [], seed=5, tied=False
    ),
)


class MT(hf.MT5ForConditionalGeneration):
    pass


MT.__name__ = "MT5ForConditionalGeneration"
s2s("v-mt5-tied", lambda: ms.t5_family("v-mt5-tied", MT, ms.t5_sizes(**T), [], seed=5))
for c, t, lab in (
    ("T5EncoderModel", "feature-extraction", 0),
    ("MT5EncoderModel", "feature-extraction", 0),
    ("UMT5EncoderModel", "feature-extraction", 0),
):
    A(
        (
            f"v-{c}",
            lambda c=c, t=t: HeadCase(
                name=f"v-{c}",
                cls=getattr(hf, c),
                config=getattr(hf, c).config_class(**ms.t5_sizes(**T)),
                task=t,
                seed=4,
                towers=tower("encoder.block", "encoder.final_layer_norm"),
                inputs=sentences(4, 101, 32, pad=0, first=3, last=1, low=3),
                rules=ms.t5_rules(10, 1.0),
            ),
        )
    )
Bz = dict(hidden=36, heads=3, ff=50, layers=2, decoder_layers=1, vocab=101, positions=40)
s2s("v-bart-0", lambda: ms.bart("v-bart-0", 5, **Bz))
s2s("v-bart-scale", lambda: ms.bart("v-bart-scale", 5, **Bz, scale_embedding=True, activation_function="relu", decoder_heads=6))
s2s("v-bart-untied", lambda: ms.bart("v-bart-untied", 5, **Bz, tie_word_embeddings=False))
A(("v-bart-cls", lambda: ms.bart_sequence_classification("v-bart-cls", 5, labels=2, **Bz)))
s2s("v-mbart-0", lambda: ms.mbart("v-mbart-0", 5, **{**Bz}))
s2s(
    "v-mbart-noscale",
    lambda: ms.bart_family(
        "v-mbart-noscale",
        hf.MBartForConditionalGeneration,
        ms.bart_sizes(**Bz, bos_token_id=0, activation_function="relu"),
        ["pre-norm", "final-norm"],
        seed=5,
        start=[2, 5],
        first=4,
        last=2,
        pad=1,
        low=8,
    ),
)
s2s("v-marian-0", lambda: ms.marian("v-marian-0", 5, **Bz))
s2s("v-m2m-0", lambda: ms.m2m100("v-m2m-0", 5, **Bz))
s2s(
    "v-marian-noscale",
    lambda: ms.bart_family(
        "v-marian-noscale",
        hf.MarianMTModel,
        {**ms.bart_sizes(**Bz, activation_function="gelu"), "bos_token_id": 0},
        ["post-norm"],
        seed=5,
        start=[100],
        first=None,
        last=0,
        pad=100,
        low=2,
    ),
)
s2s(
    "v-marian-sep",
    lambda: ms.bart_family(
        "v-marian-sep",
        hf.MarianMTModel,
        {
            **ms.bart_sizes(**Bz, activation_function="swish", scale_embedding=True),
            "bos_token_id": 0,
            "share_encoder_decoder_embeddings": False,
            "decoder_vocab_size": 101,
            "tie_word_embeddings": False,
        },
        ["post-norm"],
        seed=5,
        start=[100],
        first=None,
        last=0,
        pad=100,
        low=2,
    ),
)
s2s(
    "v-pegasus-0",
    lambda: ms.bart_family(
        "v-pegasus-0",
        hf.PegasusForConditionalGeneration,
        {**ms.bart_sizes(**Bz, scale_embedding=True, activation_function="relu")},
        ["pre-norm", "final-norm"],
        seed=5,
        start=[0],
        first=None,
        last=1,
        pad=0,
        low=3,
    ),
)
s2s(
    "v-blender-0",
    lambda: ms.bart_family(
        "v-blender-0",
        hf.BlenderbotForConditionalGeneration,
        {**ms.bart_sizes(**Bz, scale_embedding=True), "bos_token_id": 1},
        ["pre-norm", "final-norm"],
        seed=5,
        start=[1],
        first=None,
        last=2,
        pad=0,
        low=3,
    ),
)
s2s(
    "v-blendersmall-0",
    lambda: ms.bart_family(
        "v-blendersmall-0",
        hf.BlenderbotSmallForConditionalGeneration,
        {**ms.bart_sizes(**Bz, scale_embedding=True), "bos_token_id": 1},
        ["post-norm"],
        seed=5,
        start=[1],
        first=None,
        last=2,
        pad=0,
        low=3,
    ),
)
# recurrent
A(("v-mamba-0", lambda: mr.mamba("v-mamba-0", 5, hidden=36, layers=1, vocab=101)))
A(("v-mamba-1", lambda: mr.mamba("v-mamba-1", 5, hidden=36, layers=2, vocab=101, use_bias=True, use_conv_bias=False, conv=3)))
A(
    (
        "v-mamba-2",
        lambda: mr.mamba("v-mamba-2", 5, hidden=36, layers=2, vocab=101, expand=3, tie_word_embeddings=False, state=16),
    )
)
A(("v-mamba-3", lambda: mr.mamba("v-mamba-3", 5, hidden=36, layers=2, vocab=101, hidden_act="gelu", layer_norm_epsilon=1e-3)))


def fm(name, **k):
    cfg = dict(
        hidden_size=36, num_hidden_layers=2, vocab_size=101, state_size=6, bos_token_id=0, eos_token_id=0, pad_token_id=0, **k
    )
    A((name, lambda: mr.recurrent(name, hf.FalconMambaForCausalLM, cfg, [], seed=5, rules=mr.mamba_rules)))


fm("v-falconmamba-0")
fm("v-falconmamba-1", use_bias=True, use_conv_bias=False, tie_word_embeddings=False, mixer_rms_eps=1e-3)
A(("v-mamba2-0", lambda: mr.mamba2("v-mamba2-0", 5, hidden=36, layers=2, vocab=101, heads=6, head=12)))
A(
    (
        "v-mamba2-1",
        lambda: mr.mamba2(
            "v-mamba2-1",
            5,
            hidden=36,
            layers=1,
            vocab=101,
            heads=6,
            head=12,
            groups=1,
            use_bias=True,
            use_conv_bias=False,
            conv_kernel=3,
        ),
    )
)
A(
    (
        "v-mamba2-2",
        lambda: mr.mamba2(
            "v-mamba2-2",
            5,
            hidden=36,
            layers=2,
            vocab=101,
            heads=6,
            head=12,
            groups=3,
            time_step_limit=(0.1, 0.6),
            hidden_act="gelu",
            layer_norm_epsilon=1e-3,
        ),
    )
)
A(
    (
        "v-mamba2-3",
        lambda: mr.mamba2("v-mamba2-3", 5, hidden=36, layers=2, vocab=101, heads=6, head=12, groups=6, rms_norm=False),
    )
)
A(("v-rwkv-0", lambda: mr.rwkv("v-rwkv-0", 5, hidden=36, ff=50, layers=2, vocab=101)))
A(
    (
        "v-rwkv-1",
        lambda: mr.rwkv(
            "v-rwkv-1",
            5,
            hidden=36,
            attention=24,
            ff=50,
            layers=1,
            vocab=101,
            layer_norm_epsilon=1e-3,
            tie_word_embeddings=True,
        ),
    )
)
A(
    (
        "v-rg-0",
        lambda: mr.recurrent_gemma("v-rg-0", 5, hidden=36, heads=3, head=12, lru=36, ff=60, layers=4, vocab=101, window=6),
    )
)
A(
    (
        "v-rg-1",
        lambda: mr.recurrent_gemma(
            "v-rg-1", 5, hidden=36, heads=3, head=8, lru=48, ff=60, layers=3, vocab=101, logits_soft_cap=5.0, conv1d_width=3
        ),
    )
)
A(
    (
        "v-rg-2",
        lambda: mr.recurrent_gemma(
            "v-rg-2", 5, hidden=36, heads=3, head=12, lru=36, ff=60, layers=2, vocab=101, attention_bias=True
        ),
    )
)
A(("v-jamba-0", lambda: mr.jamba("v-jamba-0", 5, hidden=36, heads=3, kv=1, ff=40, vocab=101)))
A(
    (
        "v-jamba-1",
        lambda: mr.jamba(
            "v-jamba-1",
            5,
            hidden=36,
            heads=3,
            kv=3,
            ff=40,
            vocab=101,
            experts=1,
            top=1,
            mamba_proj_bias=True,
            mamba_conv_bias=False,
        ),
    )
)
A(
    (
        "v-jamba-2",
        lambda: mr.jamba(
            "v-jamba-2",
            5,
            hidden=36,
            heads=3,
            kv=3,
            ff=40,
            vocab=101,
            experts=4,
            top=4,
            mamba_d_conv=3,
            mamba_expand=3,
            hidden_act="gelu",
        ),
    )
)
A(("v-xlstm-0", lambda: mr.xlstm("v-xlstm-0", 5, layers=1, vocab=67)))
A(("v-xlstm-1", lambda: mr.xlstm("v-xlstm-1", 5, hidden=64, heads=2, layers=2, vocab=67, use_bias=True)))
A(
    (
        "v-xlstm-2",
        lambda: mr.xlstm(
            "v-xlstm-2",
            5,
            hidden=64,
            heads=2,
            layers=1,
            vocab=67,
            gate_soft_cap=5.0,
            output_logit_soft_cap=10.0,
            norm_eps=1e-3,
            tie_word_embeddings=True,
        ),
    )
)


def main():
    out, pattern = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    hf.utils.logging.set_verbosity_error()
    table = []
    for name, make, cls, cfg, conf, own, edit in CASES:

        def build(name=name, make=make, cls=cls, cfg=cfg, conf=conf, own=own):
            return make(name=name, cls=cls, config=(conf or cls.config_class)(**cfg), **own)

        table.append((name, build, edit))
    table += [(name, build, None) for name, build in LIST]
    for name, build, edit in table:
        if not re.search(pattern, name):
            continue
        try:
            case = build()
            case.edit = edit
            light(case, out)
            print("made", name, flush=True)
        except Exception as err:
            print("FAILED", name, type(err).__name__, str(err)[:300], flush=True)


if __name__ == "__main__":
    main()
