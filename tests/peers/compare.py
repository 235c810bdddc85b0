#!/usr/bin/env python3
"""Runs tfgen and its peers alternately and prints ratios; see README.md. Standard library only."""
import argparse, json, os, platform, shutil, statistics, subprocess, sys, time
import common
from common import BIN, HERE, MODELS, PEERS_DIR, priority

ROOT = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(PEERS_DIR, "tfgen")
LLAMAS = "rand110m-f16,rand110m-q8_0,rand110m-q4_0,rand110m-q4_k_m,gemma3-270m-q4_k_m,rand1b-f16,rand1b-q8_0,rand1b-q4_0,rand1b-q4_k_m"
PYTHON = os.path.join(os.environ.get("PEERS_EMBED_VENV") or os.path.join(PEERS_DIR, "venv-embed"), "bin", "python")
PROMPT = "the quick brown fox jumps over the lazy dog and runs away. " * 40

ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--jobs", default="generate,embed,torch", help="generate, embed, torch")
ap.add_argument("--models", default=LLAMAS)
ap.add_argument("--formats", default="f32,int8", help="weight formats of the embedding job")
ap.add_argument("--shapes", default="1x16,1x128,32x128", help="sequences × tokens of the embedding job")
ap.add_argument("--networks", default="mamba-130m,mamba2-130m,t5-small,t5-base", help="shapes of the torch job; see bench_torch.py")
ap.add_argument("--threads", default="1,2")
ap.add_argument("--rounds", type=int, default=5)
ap.add_argument("--out", default=".", help="directory of results.jsonl, performance-table.md and performance.svg")
a = ap.parse_args()


def run(cmd, **env):
    p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=priority, env=dict(os.environ, **env))
    if p.returncode:
        sys.exit(f"{common.shown(cmd)} ended with status {p.returncode}")
    return p.stdout.decode()


def build(name, source, *flags):
    """compiles a model into WORK and returns the directory"""
    out = os.path.join(WORK, name)
    subprocess.run([os.path.join(WORK, "bin"), "build", source, "-o", out, "--package", "model", "--program", "--vendor", "--no-progress", *flags],
                   check=True, stdout=subprocess.DEVNULL)
    return out


def compile_program(directory, package, output):
    subprocess.run(["go", "build", "-o", output, package], cwd=directory, check=True, env=dict(os.environ, CGO_ENABLED="0", GOFLAGS=""))


def truncated_prompt(binary, weights, tokens):
    """a prompt of about so many tokens: words are removed until it fits"""
    words = PROMPT.split()
    while True:
        text = " ".join(words)
        n = json.loads(run([binary, "generate", "--weights", weights, "-p", text, "-n", "1", "--json"]))["prompt_tokens"]
        if n <= tokens:
            return text, n
        words = words[: max(1, int(len(words) * tokens / n))]


def generate():
    """prefill of 128 tokens and decoding of 64, against llama-bench"""
    for model in a.models.split(","):
        gguf = os.path.join(MODELS, model + ".gguf")
        directory = build(model, gguf, "--weights", "source", "--context", "2048")
        binary, weights = os.path.join(directory, "program"), os.path.join(directory, "model.weights")
        compile_program(directory, "./cmd/model", binary)
        text, n = truncated_prompt(binary, weights, 128)
        for threads in a.threads.split(","):
            ours, theirs = {"prefill": [], "decode": []}, {"prefill": [], "decode": []}
            for _ in range(a.rounds):
                r = json.loads(run([binary, "generate", "--weights", weights, "-p", text, "-n", "64", "--json"], GOMAXPROCS=threads))
                ours["prefill"].append(r["prefill_tokens_per_second"])
                ours["decode"].append(r["tokens_per_second"])
                out = run([os.path.join(BIN, "llamacpp", "llama-bench"), "-m", gguf, "-p", str(n), "-n", "64", "-t", threads, "-r", "1", "-o", "json"])
                for x in json.loads(out[out.index("["):]):
                    theirs["prefill" if x["n_prompt"] else "decode"].append(x["avg_ts"])
            for job in ours:
                yield dict(job=job, model=model, threads=int(threads), unit="tokens/s", peer="llama.cpp", tfgen=ours[job], other=theirs[job])
        os.remove(weights)


def measurer(directory, source):
    """compiles a program that measures beside a generated package"""
    os.makedirs(os.path.join(directory, "cmd", "measure"), exist_ok=True)
    shutil.copy(os.path.join(HERE, source), os.path.join(directory, "cmd", "measure", "main.go"))
    binary = os.path.join(directory, "measure")
    compile_program(directory, "./cmd/measure", binary)
    return binary


# what ONNX Runtime is measured with: its fused graph in float32, and the faster of its dynamic int8 graphs
ONNX = {"f32": "ort_fused", "int8": "ort_int8plain"}


def embed():
    """all-MiniLM-L6-v2 against ONNX Runtime, token ids in, vectors out"""
    for f in a.formats.split(","):
        yield from embed_format(f)


def embed_format(format):
    directory = build("minilm-" + format, os.path.join(MODELS, "minilm"), "--weights", format)
    binary = measurer(directory, "measure.go.txt")
    for threads in a.threads.split(","):
        for shape in a.shapes.split(","):
            ours, theirs = [], []
            for _ in range(a.rounds):
                b, n = shape.split("x")
                ours.append(1 / float(run([binary, os.path.join(directory, "model.weights"), b, n], GOMAXPROCS=threads)))
                out = run([PYTHON, os.path.join(HERE, "bench_embed.py"), "--models", "minilm", "--threads", threads, "--backends", ONNX[format],
                           "--rounds", "1", "--shapes", shape])
                values = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
                ms = next(v["median"] for v in values if v["metric"].startswith("latency_ms"))
                theirs.append(1000 / ms)
            yield dict(job="embed " + shape, model="all-MiniLM-L6-v2 " + format, threads=int(threads), unit="batches/s", peer="ONNX Runtime", tfgen=ours, other=theirs)


def torch():
    """a prompt of 128 tokens and decoding, float32, against PyTorch with transformers"""
    script = os.path.join(HERE, "bench_torch.py")
    for name in a.networks.split(","):
        source = os.path.join(MODELS, name)
        if not os.path.isdir(source):
            run([PYTHON, script, "--make", name, source])
        directory = build(name, source, "--context", "2048")
        binary = measurer(directory, "measure_session.go.txt")
        for threads in a.threads.split(","):
            ours, theirs = {"prefill": [], "decode": []}, {"prefill": [], "decode": []}
            for _ in range(a.rounds):
                for times, command in ((ours, [binary, os.path.join(directory, "model.weights"), "128", "16"]), (theirs, [PYTHON, script, source, threads, "128", "16"])):
                    for job, s in json.loads(run(command, GOMAXPROCS=threads)).items():
                        times[job].append((128 if job == "prefill" else 1) / s)
            for job in ours:
                yield dict(job=job, model=name + " f32", threads=int(threads), unit="tokens/s", peer="PyTorch", tfgen=ours[job], other=theirs[job])


def finish(r):
    r["ratio"] = statistics.median(r["tfgen"]) / statistics.median(r["other"])
    r["noise"] = max((max(v) - min(v)) / statistics.median(v) for v in (r["tfgen"], r["other"]))
    return r


def table(results):
    lines = ["| job | model | threads | tfgen | peer | ratio | noise |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for r in results:
        lines.append(f"| {r['job']} | {r['model']} | {r['threads']} | {statistics.median(r['tfgen']):.4g} {r['unit']} | "
                     f"{r['peer']} {statistics.median(r['other']):.4g} | {r['ratio']:.2f}× | {100 * r['noise']:.0f} % |")
    return "\n".join(lines) + "\n"


def plot(results):
    """a bar a ratio; the line is the peer"""
    height, scale = 22, 140
    w, h = 360 + int(scale * max([r["ratio"] for r in results] + [1])) + 60, height * len(results) + 50
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" font-family="sans-serif" font-size="12">',
           f'<rect width="{w}" height="{h}" fill="white"/>', '<text x="10" y="18" font-size="13">tfgen over its peer (1 = as fast); same weights and threads, one run</text>']
    for i, r in enumerate(results):
        y, width = 32 + i * height, scale * r["ratio"]
        out.append(f'<text x="350" y="{y + 13}" text-anchor="end">{r["job"]}, {r["model"]}, {r["threads"]}T</text>')
        out.append(f'<rect x="360" y="{y}" width="{width:.0f}" height="16" fill="#3b7dd8"/>')
        out.append(f'<text x="{365 + width:.0f}" y="{y + 13}">{r["ratio"]:.2f}</text>')
    out.append(f'<line x1="{360 + scale}" y1="28" x2="{360 + scale}" y2="{h - 14}" stroke="black" stroke-dasharray="4 3"/></svg>')
    return "\n".join(out) + "\n"


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    os.makedirs(WORK, exist_ok=True)
    os.makedirs(a.out, exist_ok=True)
    subprocess.run(["go", "build", "-o", os.path.join(WORK, "bin"), "./cmd/tfgen"], cwd=ROOT, check=True)
    results = []
    with open(os.path.join(a.out, "results.jsonl"), "w") as log:
        for job in a.jobs.split(","):
            for r in {"generate": generate, "embed": embed, "torch": torch}[job]():
                results.append(finish(r))
                log.write(json.dumps(r) + "\n")
                log.flush()
                print(f"{r['job']:14s} {r['model']:24s} {r['threads']} threads: {r['ratio']:.2f}× {r['peer']} (noise {100 * r['noise']:.0f} %)", flush=True)
    head = f"{processor()}, {os.cpu_count()} processors, {time.strftime('%Y-%m-%d')}, medians of {a.rounds} alternating rounds.\n\n"
    for name, text in (("performance-table.md", head + table(results)), ("performance.svg", plot(results))):
        with open(os.path.join(a.out, name), "w") as f:
            f.write(text)
    print("\n" + table(results))


main()
