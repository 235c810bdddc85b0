"""The driver of `tfgen parity` for Python; it does what parity.c does: PACKAGE WEIGHTS ANSWER GREEDY IDS SOURCE NAME…"""

import importlib
import struct
import sys
import time

import numpy as np

package = importlib.import_module(sys.argv[1])
model = package.Model(sys.argv[2])
greedy = int(sys.argv[4])
ids, source = (np.array([int(i) for i in a.split(",") if i], dtype=np.int32) for a in sys.argv[5:7])
with open(sys.argv[3], "wb") as out:

    def write(array):
        out.write(struct.pack("<Q", array.size))
        array.tofile(out)

    for name in sys.argv[7:]:
        write(model.trace(ids, name, source=source))
    if greedy > 0:
        tokens = np.empty(greedy, np.int32)
        with model.session() as s:
            if source.size:
                s.encode(source)
            logits = s.prefill(ids)
            begin = time.perf_counter()
            for i in range(greedy):
                tokens[i] = logits.argmax()
                logits = s.decode(int(tokens[i]))
            seconds = time.perf_counter() - begin
        write(tokens)
    else:
        begin = time.perf_counter()
        model.run([ids])
        seconds = time.perf_counter() - begin
        write(np.empty(0, np.int32))
    out.write(struct.pack("<d", seconds))
