"""Holds the heads of Python packages against what pipelines of transformers gave: heads.py RECORDED DIRECTORY.

DIRECTORY has a bundle for each head, RECORDED is tests/heads/testdata/recorded.json, whose places are bytes.
"""

import importlib
import json
import sys

import numpy as np

recorded = json.load(open(sys.argv[1]))
texts, documents, masked, question = (recorded.pop(k) for k in ("texts", "documents", "masked", "question"))


def opened(name):
    sys.path.insert(0, f"{sys.argv[2]}/{name}")
    return importlib.import_module(name).Model()


def classes(list_):
    return [{"label": k.label, "score": k.score} for k in list_]


def parts(text, found, label=True):
    place = lambda n: len(text[:n].encode())
    keys = [{"text": p.text, "start": place(p.start), "end": place(p.end), "score": p.score} for p in found]
    return [dict(k, label=p.label) for k, p in zip(keys, found)] if label else keys


classify, several, rank, tag, answer, fill, embed = map(opened, ("classify", "several", "rank", "tag", "answer", "fill", "embed"))
scores = [0.0] * len(documents)
for r in rank.rank(texts[0], documents):
    scores[r.index] = r.score
found = {
    "classify": [classes(one) for one in classify.predict(texts)],
    "pair": classes(classify.predict(texts[0], texts[1])),
    "several": [classes(one) for one in several.predict(texts)],
    "rank": scores,
    "tag": [parts(t, tag.tag(t)) for t in texts],
    "answer": [p for d in documents for p in parts(d, answer.answer(question, d), False)],
    "fill": [[{"text": f.text, "score": f.score, "id": f.token} for f in one] for t in masked for one in fill.fill_mask(t, 4)],
    "embed": embed.embed(texts).tolist(),
}


def compare(at, got, want):
    if isinstance(want, dict):
        assert sorted(got) == sorted(want), (at, got, want)
        for k in want:
            compare(f"{at}/{k}", got[k], want[k])
    elif isinstance(want, list):
        assert len(got) == len(want), (at, got, want)
        for i, x in enumerate(want):
            compare(f"{at}/{i}", got[i], x)
    elif isinstance(want, float):
        assert abs(got - want) <= 2e-5 * max(1, abs(want)), (at, got, want)
    else:
        assert got == want, (at, got, want)


compare("", found, recorded)
assert np.isfinite(classify.classify(texts)).all()
print("ok")
