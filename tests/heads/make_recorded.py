"""Records what transformers makes of small BERT models: python make_recorded.py (from this folder)

transformers 5.23 with torch 2.15. Weights are those that synth.py, the generator of the golden cases, makes of the rows
written here: give its folder in PYTHONPATH. testdata/NAME holds config.json and golden.json of each model.
"""
import json, math, pathlib
import numpy as np, torch, synth
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, decoders
from transformers import (BertConfig, BertForMaskedLM, BertForQuestionAnswering, BertForSequenceClassification,
                          BertForTokenClassification, BertModel, PreTrainedTokenizerFast, pipeline)

DATA = pathlib.Path("testdata")
WORDS = ("the weather is nice in paris today my name clara and i live berlin capital of france cats sleep all day it rains what "
         "where does who ##s ##ing ##ed ##er ##ly un good bad . , ? ! '").split()
CHARS = [c for c in "abcdefghijklmnopqrstuvwxyzé0123456789"]
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS + [c for c in CHARS if c not in WORDS] + ["##" + c for c in CHARS if "##" + c not in WORDS]
TEXTS = ["The weather is nice in Paris today.", "My name is Clara, and I live in Berlin!", "Zoé sleeps unlikely…  ok", "Rain."]
DOCUMENTS = ["Paris is the capital of France.", "Cats sleep all day.", "It rains in Berlin today, and the weather is bad."]
MASKED = ["Paris is the [MASK] of France.", "[MASK] sleeps!"]
QUESTION = "Where does it rain?"
SEED = 5


def tokenizer():
    t = Tokenizer(models.WordPiece({w: i for i, w in enumerate(VOCAB)}, unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(strip_accents=False, lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 2), ("[SEP]", 3)])
    t.decoder = decoders.WordPiece()
    fast = PreTrainedTokenizerFast(tokenizer_object=t, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]", model_max_length=64)
    fast.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    return fast


def model(name, kind, **more):
    c = BertConfig(vocab_size=len(VOCAB), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, max_position_embeddings=64, **more)
    m = kind(c).eval()
    c.architectures = [kind.__name__]
    rows = {}
    state = dict(m.named_parameters())  # tied ones once
    for n, p in state.items():
        if "LayerNorm.weight" in n:
            rows[n] = [list(p.shape), 1.0, 0.2]
        else:
            rows[n] = [list(p.shape), 0.0, 0.1 if p.ndim == 1 else 0.3]
    golden = {"weights": {"seed": SEED, "tensors": rows}}
    with torch.no_grad():
        for n, a in synth.weights(golden).items():
            state[n].copy_(torch.from_numpy(a))
    folder = DATA / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(c.to_json_string())
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    return m


def main():
    tok = tokenizer()
    DATA.mkdir(exist_ok=True)
    tok.save_pretrained(DATA / "tokenizer")
    out = {"texts": TEXTS, "documents": DOCUMENTS, "masked": MASKED, "question": QUESTION}
    classes = lambda m, texts: [[{"label": c["label"], "score": c["score"]} for c in r] for r in pipeline("text-classification", model=m, tokenizer=tok, top_k=None)(texts)]
    m = model("classify", BertForSequenceClassification, id2label={0: "bad", 1: "so", 2: "good"}, label2id={"bad": 0, "so": 1, "good": 2})
    out["classify"] = classes(m, TEXTS)
    out["pair"] = pipeline("text-classification", model=m, tokenizer=tok, top_k=None)({"text": TEXTS[0], "text_pair": TEXTS[1]})
    m = model("several", BertForSequenceClassification, id2label={0: "a", 1: "b", 2: "c", 3: "d"}, label2id={"a": 0, "b": 1, "c": 2, "d": 3}, problem_type="multi_label_classification")
    out["several"] = classes(m, TEXTS)
    m = model("rank", BertForSequenceClassification, num_labels=1)
    with torch.no_grad():
        x = tok([[TEXTS[0], d] for d in DOCUMENTS], padding=True, return_tensors="pt")
        out["rank"] = torch.sigmoid(m(**x).logits[:, 0]).tolist()
    m = model("tag", BertForTokenClassification, id2label={0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}, label2id={"O": 0, "B-PER": 1, "I-PER": 2, "B-LOC": 3, "I-LOC": 4})
    tags = pipeline("token-classification", model=m, tokenizer=tok, aggregation_strategy="simple")
    out["tag"] = []
    for t in TEXTS:
        byte = lambda i: len(t[:i].encode())
        out["tag"].append([{"label": r["entity_group"], "score": float(r["score"]), "start": byte(r["start"]), "end": byte(r["end"]), "text": t[r["start"]:r["end"]]} for r in tags(t)])
    m = model("fill", BertForMaskedLM)
    fill = pipeline("fill-mask", model=m, tokenizer=tok, top_k=4)
    out["fill"] = [[{"text": f["token_str"], "score": f["score"], "id": f["token"]} for f in fill(t)] for t in MASKED]
    m = model("answer", BertForQuestionAnswering)
    out["answer"] = []
    with torch.no_grad():
        for d in DOCUMENTS:
            x = tok(QUESTION, d, return_tensors="pt", return_offsets_mapping=True)
            at = x.pop("offset_mapping")[0].tolist()
            y = m(**x)
            inside = [i for i, s in enumerate(x.sequence_ids(0)) if s == 1]
            p, q = torch.softmax(y.start_logits[0, inside].double(), 0), torch.softmax(y.end_logits[0, inside].double(), 0)
            best = max(((p[i] * q[j]).item(), i, j) for i in range(len(inside)) for j in range(i, min(len(inside), i + 15)))
            a, b = at[inside[best[1]]][0], at[inside[best[2]]][1]
            out["answer"].append({"text": d[a:b], "start": a, "end": b, "score": best[0]})
    m = model("embed", BertModel)
    with torch.no_grad():
        x = tok(TEXTS, padding=True, return_tensors="pt")
        h, k = m(**x).last_hidden_state, x["attention_mask"][..., None]
        mean = (h * k).sum(1) / k.sum(1)
        out["embed"] = torch.nn.functional.normalize(mean, dim=1).tolist()
    (DATA / "recorded.json").write_text(json.dumps(out, ensure_ascii=False, indent=0) + "\n")


main()
