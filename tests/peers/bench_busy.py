#!/usr/bin/env python3
"""bench_busy.py PROGRAM ARGS...: measures a program that takes its number of workers as last argument and prints seconds
(measure.go.txt), beside processes that do nothing but compute. Each busy process has a scheduling group of its own with the
priority of the measured one, so that they share processors as equals. Standard library only."""
import argparse, json, statistics, subprocess, sys
from common import priority

ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--busy", default="0,1,2", help="numbers of busy processes")
ap.add_argument("--workers", default="1,2,3")
ap.add_argument("--rounds", type=int, default=3)
ap.add_argument("command", nargs=argparse.REMAINDER)
a = ap.parse_args()

SPIN = "while True: pass"
for busy in map(int, a.busy.split(",")):
    others = [subprocess.Popen([sys.executable, "-c", SPIN], preexec_fn=priority) for _ in range(busy)]
    try:
        times = {}
        for _ in range(a.rounds):
            for w in a.workers.split(","):
                out = subprocess.run([*a.command, w], check=True, stdout=subprocess.PIPE, preexec_fn=priority).stdout
                times.setdefault(w, []).append(float(out.split()[0]))
    finally:
        for p in others:
            p.kill()
            p.wait()
    fewer = None
    for w, t in times.items():
        m = statistics.median(t)
        print(json.dumps({"busy": busy, "workers": int(w), "ms": round(1000 * m, 2), "all": [round(1000 * x, 1) for x in t],
                          "speed_over_one_fewer": round(fewer / m, 3) if fewer else None}), flush=True)
        fewer = m
