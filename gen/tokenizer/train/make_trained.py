"""Records what the trainers of the PyPI package tokenizers (0.23.3) make of a text: python make_trained.py TEXT OUT.json.gz

Each case is trained three times in processes of their own, whose hash tables differ; what differs is an error. Tokens
with a prefix or suffix get their ids in the order of a hash table: cases that have them list them as special tokens.
"""
import gzip, json, subprocess, sys
from tokenizers import Tokenizer, models, trainers, pre_tokenizers

TEXT = open(sys.argv[1]).read()
CHARS = sorted({c for c in TEXT if not c.isspace()})
PREFIXED = ["##" + c for c in CHARS]
ENDED = [c + "</w>" for c in CHARS] + ["##" + c for c in CHARS] + ["##" + c + "</w>" for c in CHARS]
CASES = [
    {"Model": "BPE", "VocabSize": 400},
    {"Model": "BPE", "VocabSize": 3000, "MinFrequency": 3, "Special": ["<s>", "</s>", "e"]},
    {"Model": "BPE", "VocabSize": 500, "MaxTokenLength": 4, "InitialAlphabet": "éß⽕"},
    {"Model": "BPE", "VocabSize": 400, "LimitAlphabet": 20, "InitialAlphabet": "é"},
    {"Model": "BPE", "VocabSize": 700, "Special": PREFIXED, "Prefix": "##"},
    {"Model": "BPE", "VocabSize": 700, "Special": ENDED, "Prefix": "##", "Suffix": "</w>", "MinFrequency": 2},
    {"Model": "WordPiece", "VocabSize": 600, "Special": ["[UNK]", "[PAD]"] + PREFIXED, "Unknown": "[UNK]"},
    {"Model": "WordPiece", "VocabSize": 600, "Special": ["[UNK]"] + PREFIXED, "Unknown": "[UNK]", "MinFrequency": 4, "LimitAlphabet": 30, "InitialAlphabet": "é"},
    {"Model": "WordPiece", "VocabSize": 700, "Special": ["[UNK]"] + ENDED, "Unknown": "[UNK]", "Suffix": "</w>"},
    {"Model": "WordLevel", "VocabSize": 300, "Special": ["[UNK]"], "Unknown": "[UNK]"},
    {"Model": "WordLevel", "VocabSize": 3000, "Special": ["[UNK]", "[PAD]"], "Unknown": "[UNK]", "MinFrequency": 3},
    {"Model": "Unigram", "VocabSize": 400, "Special": ["<s>", "<unk>"], "Unknown": "<unk>"},
    {"Model": "Unigram", "VocabSize": 250, "Special": ["<s>"], "Unknown": "<unk>", "ShrinkingFactor": 0.6, "SubIterations": 1},
    {"Model": "Unigram", "VocabSize": 200, "MaxPieceLength": 4, "InitialAlphabet": "éß", "SubIterations": 3},
]
NAMES = {"VocabSize": "vocab_size", "MinFrequency": "min_frequency", "Special": "special_tokens", "LimitAlphabet": "limit_alphabet",
         "Prefix": "continuing_subword_prefix", "Suffix": "end_of_word_suffix", "MaxTokenLength": "max_token_length",
         "ShrinkingFactor": "shrinking_factor", "SubIterations": "n_sub_iterations", "MaxPieceLength": "max_piece_length"}


def train(case):
    options = {NAMES[k]: v for k, v in case.items() if k in NAMES}
    if "InitialAlphabet" in case:
        options["initial_alphabet"] = list(case["InitialAlphabet"])
    kind, unknown = case["Model"], {}
    if "Unknown" in case:
        unknown = {"unk_token": case["Unknown"]}
    if kind == "Unigram":
        options.update(unknown)
        unknown = {}
    t = Tokenizer(getattr(models, kind)(**unknown))
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    t.train_from_iterator(TEXT.splitlines(True), getattr(trainers, kind.replace("BPE", "Bpe") + "Trainer")(show_progress=False, **options))
    return json.loads(t.to_str())["model"]


def main():
    if len(sys.argv) > 3:
        print(json.dumps(train(CASES[int(sys.argv[3])])))
        return
    out = {"text": TEXT, "cases": []}
    for i, case in enumerate(CASES):
        runs = [json.loads(subprocess.check_output([sys.executable, __file__, sys.argv[1], "-", str(i)])) for _ in range(3)]
        if case["Model"] == "Unigram":
            # scores to what does not depend on the order of sums; characters that were dropped and put back are ordered by a hash table
            for r in runs:
                r["vocab"] = sorted([p, round(s, 9 if len(p) > 1 else 2)] for p, s in r["vocab"])
            texts = [[p for p, _ in r["vocab"]] for r in runs]
            assert texts[0] == texts[1] == texts[2], case
        else:
            assert runs[0] == runs[1] == runs[2], case
        out["cases"].append({"options": case, "vocab": runs[0]["vocab"], "merges": runs[0].get("merges", [])})
    with gzip.GzipFile(sys.argv[2], "wb", mtime=0) as f:
        f.write(json.dumps(out, ensure_ascii=False).encode())


main()
