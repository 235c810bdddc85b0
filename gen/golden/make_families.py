#!/usr/bin/env python3
"""Golden cases of architectures that the generator of the golden cases does not have: one or two small ones each, with every
check of goldenlib (each tensor matters, decoding equals the full pass, padding does not count, …).

    PYTHONPATH=FOLDER make_families.py OUT [REGEX]     FOLDER: that of goldenlib.py, the generator of the golden cases

transformers 5.23.0, torch 2.15.0. Weights are not written: golden.json says how they are made."""

import json, os, re, sys, traceback

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import transformers as hf
import goldenheads, goldenlib
import make_encoders as me, make_seq2seq as ms
from goldenheads import HeadCase, recurring, sentences, tower
from goldenlib import Case, normal
from make_decoders import embedding_std, norms_around_zero
from make_encoders import KEY_BIAS

TABLE = {}


def D(name, cls, covers=(), rules=None, silent=None, **config):
    """A decoder."""
    own = {k[1:]: config.pop(k) for k in list(config) if k.startswith("_")}
    base = dict(
        vocab_size=47,
        hidden_size=24,
        intermediate_size=38,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=48,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    base.update(config)
    base = {k: v for k, v in base.items() if v != "none"}
    make = own.pop("make", None)
    TABLE[name] = lambda: Case(
        name=name,
        cls=cls,
        config=base if isinstance(base, dict) and not make else make(**base),
        covers=list(covers),
        short=7,
        long=own.pop("long", 19),
        batch=(4, 7, 2),
        prefill={"short": 2, "long": 6},
        rules=rules,
        silent=silent or {},
        **own,
    )


def E(name, cls, task, blocks, covers=(), types=1, pad=0, first=2, last=3, long=19, **config):
    """An encoder."""
    own = {k[1:]: config.pop(k) for k in list(config) if k.startswith("_")}
    if own.pop("causal", False):  # a decoder under BERT's names
        base = me.bert_sizes(hidden=24, heads=3, ff=38, layers=2, vocab=47, positions=32)
        base.update(pad_token_id=0, bos_token_id=1, eos_token_id=2, **config)
        TABLE[name] = lambda: Case(
            name=name, cls=cls, config=base, covers=list(covers), short=7, long=long, batch=(4, 7, 2), prefill={"short": 2, "long": 6},
            rules=me.attention_rules, silent=own.pop("silent", KEY_BIAS), towers=tower(blocks),
        )
        return
    base = me.bert_sizes(hidden=24, heads=3, ff=38, layers=2, vocab=47, positions=own.pop("positions", 32))
    base.update(config)
    TABLE[name] = lambda: me.encoder(
        name, cls, base, task, list(covers), blocks, seed=own.pop("seed", 11), long=long, types=types, pad=pad, first=first,
        last=last, lengths=(5, 9, 3), **own,
    )


KB = {r"k_proj\.bias$": "added to the scores of all keys alike"}
ROUTE = {r"e_score_correction_bias": "orders experts only"}
E2 = embedding_std(0.3)
D("vaultgemma", hf.VaultGemmaForCausalLM, ["caps", "window"], rules=embedding_std(0.08), head_dim=10, sliding_window=6, query_pre_attn_scalar=9,
  attn_logit_softcapping=4.0, final_logit_softcapping=3.0)
D("jais2", hf.Jais2ForCausalLM, ["layernorm", "biases", "relu2"], silent=KB)
D("hyperclovax", hf.HyperCLOVAXForCausalLM, ["multipliers", "norms behind"], embedding_multiplier=3.0, residual_multiplier=0.6, logits_scaling=0.7,
  attention_multiplier=0.5)
D("hyperclovax-plain", hf.HyperCLOVAXForCausalLM, ["no norms behind"], use_post_norm=False, attention_bias=True, silent=KB)
D("gpt-neox-japanese", hf.GPTNeoXJapaneseForCausalLM, ["bias of the last attention"], rules=E2, intermediate_size="none", num_key_value_heads="none",
  intermediate_multiple_size=2, rope_parameters=dict(rope_type="default", rope_theta=1000.0, partial_rotary_factor=1.0))
MLA = dict(q_lora_rank=14, kv_lora_rank=12, qk_rope_head_dim=4, qk_nope_head_dim=6, v_head_dim=8, num_key_value_heads=4)
MOE = dict(n_routed_experts=6, num_experts_per_tok=2, moe_intermediate_size=18, n_group=2, topk_group=1)
D("glm4-moe-lite", hf.Glm4MoeLiteForCausalLM, ["latent attention", "experts"], **MLA, **MOE)
D("youtu", hf.YoutuForCausalLM, ["latent attention"], rules=E2, pad_token_id=None, **MLA)
D("solar-open", hf.SolarOpenForCausalLM, ["experts"], rules=E2, _seed=5, intermediate_size="none", head_dim=8, **MOE)
EM = {**MOE, "num_experts": 4}
EM.pop("n_routed_experts")
EM.update(n_group=1)
D("exaone-moe", hf.ExaoneMoeForCausalLM, ["experts", "window"], num_hidden_layers=3, sliding_window=6,
  layer_types=["sliding_attention", "full_attention", "sliding_attention"], **EM)
D("nanochat", hf.NanoChatForCausalLM, ["norms without weights", "reversed rotation"])

for short, prefix, cls in (
    ("data2vec-text", "data2vec_text", "Data2VecText"),
    ("roberta-prelayernorm", "roberta_prelayernorm", "RobertaPreLayerNorm"),
    ("xlm-roberta-xl", "roberta", "XLMRobertaXL"),
    ("ibert", "ibert", "IBert"),
):
    final = {"roberta-prelayernorm": f"{prefix}.LayerNorm", "xlm-roberta-xl": f"{prefix}.encoder.LayerNorm"}.get(short)
    E(short, getattr(hf, cls + "ForMaskedLM"), "masked-lm", prefix + ".encoder.layer", pad=1, first=0, last=2, type_vocab_size=1,
      _final=final)
    E(short + "-classes", getattr(hf, cls + "ForSequenceClassification"), "text-classification", prefix + ".encoder.layer", pad=1, first=0,
      last=2, type_vocab_size=1, num_labels=3, _final=final)
E("ernie", hf.ErnieForMaskedLM, "masked-lm", "ernie.encoder.layer", ["task types"], types=2, type_vocab_size=2, use_task_id=True,
  task_type_vocab_size=3, _silent={**KEY_BIAS, r"task_type": "rows of other tasks"})
E("ernie-classes", hf.ErnieForSequenceClassification, "text-classification", "ernie.encoder.layer", types=2, type_vocab_size=2, num_labels=3)
E("big-bird", hf.BigBirdForMaskedLM, "masked-lm", "bert.encoder.layer", types=2, type_vocab_size=2, attention_type="original_full",
  rescale_embeddings=True, use_bias=False, _silent={**KEY_BIAS, "pooler": "not read"})
E("big-bird-classes", hf.BigBirdForSequenceClassification, "text-classification", "bert.encoder.layer", types=2, type_vocab_size=2,
  attention_type="original_full", num_labels=3, _silent={**KEY_BIAS, "pooler": "not read"})
E("bert-lm", hf.BertLMHeadModel, "causal-lm", "bert.encoder.layer", ["causal"], type_vocab_size=1, is_decoder=True,
  _silent={**KEY_BIAS, "pooler": "not read"}, _causal=True)
E("bert-generation", hf.BertGenerationDecoder, "causal-lm", "bert.encoder.layer", ["causal"], is_decoder=True, _causal=True)
S2S = dict(hidden=24, heads=3, ff=38, layers=2, decoder_layers=2, vocab=67, positions=40)


def S(name, cls, covers, start, first, last, pad, low, **config):
    """An encoder–decoder of BART's kind."""
    def build():
        case = ms.bart_family(name, cls, ms.bart_sizes(**S2S, **config), covers, seed=8, start=start, first=first, last=last, pad=pad, low=low)
        case.sources = case.beams = None
        return case

    TABLE[name] = build


S("plbart", hf.PLBartForConditionalGeneration, ["post-norm"], [5], None, 2, 1, 8, scale_embedding=True, bos_token_id=0, forced_eos_token_id=None)
S("mvp", hf.MvpForConditionalGeneration, ["post-norm"], [2, 0], 0, 2, 1, 4, bos_token_id=0)
NH = dict(num_hidden_layers="none", mamba_num_heads=4, mamba_head_dim=6, n_groups=2, ssm_state_size=5, conv_kernel=3, chunk_size=8, head_dim=10,
          n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=14, moe_shared_expert_intermediate_size=18)
D("nemotron-h", hf.NemotronHForCausalLM, ["mamba 2, attention, experts, relu2"], layer_types=["linear_attention", "moe", "full_attention", "mlp"], **NH)
D("nemotron-h-latent", hf.NemotronHForCausalLM, ["experts on a narrower width"], layer_types=["moe", "linear_attention", "full_attention"],
  moe_latent_size=12, mlp_bias=True, attention_bias=True, use_bias=True, use_conv_bias=False, silent=KB, **NH)


def main():
    out, pattern = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    hf.utils.logging.set_verbosity_error()
    failed = []
    for name, build in TABLE.items():
        if not re.search(pattern, name):
            continue
        try:
            case = build()
            (goldenheads.make if isinstance(case, HeadCase) else goldenlib.make)(case, out)
            os.remove(os.path.join(out, name, "model.safetensors"))
            if case.__dict__.get("generation"):
                path = os.path.join(out, name, "golden.json")
                goldenlib.write_json(path, {**json.load(open(path)), "generation": case.generation})
        except Exception as err:
            failed.append(name)
            print(f"{name:24} FAILED: {type(err).__name__}: {str(err)[:400]}", flush=True)
            if os.environ.get("TRACE"):
                traceback.print_exc()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
