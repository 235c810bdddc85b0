#!/usr/bin/env python3
"""Runs tfgen and its peers alternately and prints ratios; see README.md. Standard library only."""
import argparse, json, os, platform, shutil, statistics, subprocess, sys, time
import common
from common import BIN, HERE, MODELS, PEERS_DIR, priority

ROOT = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(PEERS_DIR, "tfgen")
LLAMAS = "rand110m-f16,rand110m-q8_0,rand110m-q4_0,rand110m-q4_k_m,gemma3-270m-q4_k_m,rand1b-f16,rand1b-q8_0,rand1b-q4_0,rand1b-q4_k_m"
PYTHON = os.path.join(os.environ.get("PEERS_EMBED_VENV") or os.path.join(PEERS_DIR, "venv-embed"), "bin", "python")
PROMPT = "the quick brown fox jumps over the lazy dog and runs away. " * 60

# name -> the benchmark of a llama.cpp, and flags: rtr rearranges weights in memory, which ik_llama.cpp needs to decode fast
BENCHES = {
    "llama.cpp": ("llamacpp", []),
    "ik_llama.cpp": ("ik", []),
    "ik_llama.cpp -rtr": ("ik", ["-rtr", "1"]),
}

ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--jobs", default="generate,start,embed,mixed,torch", help="generate, start, embed, mixed, torch")
ap.add_argument("--peers", default=",".join(BENCHES), help="of the generating job")
ap.add_argument("--prompt", type=int, default=128, help="tokens of the prompt of the generating job")
ap.add_argument("--decode", type=int, default=64, help="tokens that it decodes")
ap.add_argument("--models", default=LLAMAS)
ap.add_argument("--encoders", default="minilm", help="encoders of the embedding job: minilm, bert-base-rand")
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


def program(model):
    """builds the program of a GGUF file and returns it and its weights"""
    directory = build(model, os.path.join(MODELS, model + ".gguf"), "--weights", "source", "--context", "2048")
    binary = os.path.join(directory, "program")
    compile_program(directory, "./cmd/model", binary)
    return binary, os.path.join(directory, "model.weights")


def generate():
    """prefill and decoding, against llama-bench"""
    for model in a.models.split(","):
        gguf = os.path.join(MODELS, model + ".gguf")
        binary, weights = program(model)
        text, n = truncated_prompt(binary, weights, a.prompt)
        for threads in a.threads.split(","):
            ours, theirs = {"prefill": [], "decode": []}, {p: {"prefill": [], "decode": []} for p in a.peers.split(",")}
            for _ in range(a.rounds):
                r = json.loads(run([binary, "generate", "--weights", weights, "-p", text, "-n", str(a.decode), "--json"], GOMAXPROCS=threads))
                ours["prefill"].append(r["prefill_tokens_per_second"])
                ours["decode"].append(r["tokens_per_second"])
                for peer, times in theirs.items():
                    folder, flags = BENCHES[peer]
                    out = run([os.path.join(BIN, folder, "llama-bench"), "-m", gguf, "-p", str(n), "-n", str(a.decode), "-t", threads, "-r", "1", "-o", "json", *flags])
                    for x in json.loads(out[out.index("["):]):
                        times["prefill" if x["n_prompt"] else "decode"].append(x["avg_ts"])
            for job in ours:
                for peer, times in theirs.items():
                    yield dict(job=f"{job} {n}" if job == "prefill" else job, model=model, threads=int(threads), unit="tokens/s", peer=peer, tfgen=ours[job], other=times[job])
        os.remove(weights)


def watched(cmd, **env):
    """runs a command and returns how long it took in seconds, and its peak of resident memory in MiB"""
    begin = time.perf_counter()
    p = subprocess.Popen(cmd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=priority, env=dict(os.environ, **env))
    _, status, usage = os.wait4(p.pid, 0)
    seconds, p.returncode = time.perf_counter() - begin, os.waitstatus_to_exitcode(status)
    if p.returncode:
        sys.exit(f"{common.shown(cmd)} ended with status {p.returncode}")
    return seconds, usage.ru_maxrss / 1024


def start():
    """from the start of the process to the first token after a prompt of 8, files in the page cache, and peak memory; llama.cpp as a
    static program without a tokenizer's work (first_token.cpp), a context of 512"""
    for model in a.models.split(","):
        gguf = os.path.join(MODELS, model + ".gguf")
        binary, weights = program(model)
        text, n = truncated_prompt(binary, weights, 8)
        for threads in a.threads.split(","):
            ours, theirs = [], []
            for i in range(a.rounds + 1):
                x = watched([binary, "generate", "--weights", weights, "-p", text, "-n", "1"], GOMAXPROCS=threads)
                y = watched([os.path.join(BIN, "llamacpp", "first_token"), gguf, threads, str(n), "0", "512"])
                if i > 0:  # the first round brings the files into the page cache
                    ours.append(x)
                    theirs.append(y)
            yield dict(job="first token", model=model, threads=int(threads), unit="starts/s", peer="llama.cpp", tfgen=[1 / s for s, _ in ours], other=[1 / s for s, _ in theirs])
            yield dict(job="peak memory", model=model, threads=int(threads), unit="MiB", peer="llama.cpp", tfgen=[m for _, m in ours], other=[m for _, m in theirs])
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


ENCODERS = {"minilm": "all-MiniLM-L6-v2", "bert-base-rand": "BERT-base"}


def embed():
    """encoders against ONNX Runtime, token ids in, vectors out"""
    for name in a.encoders.split(","):
        for f in a.formats.split(","):
            yield from embed_format(name, f)


def embed_format(name, format):
    directory = build(name + "-" + format, os.path.join(MODELS, name), "--weights", format)
    binary = measurer(directory, "measure.go.txt")
    for threads in a.threads.split(","):
        for shape in a.shapes.split(","):
            ours, theirs = [], []
            for _ in range(a.rounds):
                b, n = shape.split("x")
                ours.append(1 / float(run([binary, os.path.join(directory, "model.weights"), b, n], GOMAXPROCS=threads)))
                out = run([PYTHON, os.path.join(HERE, "bench_embed.py"), "--models", name, "--threads", threads, "--backends", ONNX[format],
                           "--rounds", "1", "--shapes", shape])
                values = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
                ms = next(v["median"] for v in values if v["metric"].startswith("latency_ms"))
                theirs.append(1000 / ms)
            yield dict(job="embed " + shape, model=ENCODERS[name] + " " + format, threads=int(threads), unit="batches/s", peer="ONNX Runtime", tfgen=ours, other=theirs)


def mixed():
    """256 sentences of 16 to 256 tokens in no order, all-MiniLM-L6-v2 in float32; ONNX Runtime gets them sorted and padded"""
    directory = build("minilm-f32", os.path.join(MODELS, "minilm"), "--weights", "f32")
    binary = measurer(directory, "measure.go.txt")
    for threads in a.threads.split(","):
        ours, theirs = [], []
        for _ in range(a.rounds):
            seconds, tokens = run([binary, os.path.join(directory, "model.weights"), "256", "16-256"], GOMAXPROCS=threads).split()
            ours.append(int(tokens) / float(seconds))
            seconds, count = run([PYTHON, os.path.join(HERE, "bench_mixed.py"), threads, "256", "16-256"], OMP_NUM_THREADS=threads).split()
            if count != tokens:
                sys.exit(f"bench_mixed.py has {count} tokens, measure {tokens}")
            theirs.append(int(tokens) / float(seconds))
        yield dict(job="embed 256 × 16-256", model="all-MiniLM-L6-v2 f32", threads=int(threads), unit="tokens/s", peer="ONNX Runtime", tfgen=ours, other=theirs)


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
    """a bar a ratio of speeds; the line is the peer"""
    results = [r for r in results if r["unit"] != "MiB"]
    height, scale = 22, 140
    w, h = 450 + int(scale * max([r["ratio"] for r in results] + [1])) + 60, height * len(results) + 50
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" font-family="sans-serif" font-size="12">',
           f'<rect width="{w}" height="{h}" fill="white"/>', '<text x="10" y="18" font-size="13">tfgen over its peer (1 = as fast); same weights and threads, one run</text>']
    for i, r in enumerate(results):
        y, width = 32 + i * height, scale * r["ratio"]
        out.append(f'<text x="440" y="{y + 13}" text-anchor="end">{r["job"]}, {r["model"]}, {r["threads"]}T : {r["peer"]}</text>')
        out.append(f'<rect x="450" y="{y}" width="{width:.0f}" height="16" fill="#3b7dd8"/>')
        out.append(f'<text x="{455 + width:.0f}" y="{y + 13}">{r["ratio"]:.2f}</text>')
    out.append(f'<line x1="{450 + scale}" y1="28" x2="{450 + scale}" y2="{h - 14}" stroke="black" stroke-dasharray="4 3"/></svg>')
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
            for r in {"generate": generate, "start": start, "embed": embed, "mixed": mixed, "torch": torch}[job]():
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
