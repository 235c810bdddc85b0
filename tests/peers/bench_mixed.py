#!/usr/bin/env python3
"""bench_mixed.py THREADS SEQUENCES SHORTEST-LONGEST: ONNX Runtime's fused float32 graph of all-MiniLM-L6-v2 on the sequences of
measure.go.txt, sorted by length and padded in batches, as sentence-transformers does. Prints the time in seconds with the better
of two batch sizes, and the number of tokens without padding."""
import os, sys, time
import numpy as np
import onnxruntime as ort
from common import MODELS

threads, n = int(sys.argv[1]), int(sys.argv[2])
shortest, longest = map(int, sys.argv[3].split("-"))
so = ort.SessionOptions()
so.intra_op_num_threads, so.inter_op_num_threads = threads, 1
session = ort.InferenceSession(os.path.join(MODELS, "minilm", "onnx", "fused.onnx"), so, providers=["CPUExecutionProvider"])
lengths = [shortest + i * 97 % n * (longest - shortest) // max(n - 1, 1) for i in range(n)]
sequences = [[1000 + (i * 7919 + j * 104729) % 19000 for j in range(length)] for i, length in enumerate(lengths)]


def embed(batch):
    """all vectors, in the order of the sequences"""
    order = sorted(range(n), key=lambda i: -lengths[i])
    out = [None] * n
    for at in range(0, n, batch):
        part = order[at:at + batch]
        ids = np.zeros((len(part), lengths[part[0]]), np.int64)
        mask = np.zeros_like(ids)
        for row, i in enumerate(part):
            ids[row, :lengths[i]], mask[row, :lengths[i]] = sequences[i], 1
        for i, v in zip(part, session.run(None, {"input_ids": ids, "attention_mask": mask})[0]):
            out[i] = v
    return out


times = []
for batch in (8, 32):
    begin = time.perf_counter()
    embed(batch)
    times.append(time.perf_counter() - begin)
print(min(times), sum(lengths))
