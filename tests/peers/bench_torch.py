#!/usr/bin/env python3
"""PyTorch's speed on language models of published shapes with random weights, float32.
  bench_torch.py --make MODEL DIRECTORY            writes a checkpoint
  bench_torch.py DIRECTORY THREADS PROMPT STEPS    prints the median seconds of a prompt and of one decoded token as JSON
A model with an encoder reads the prompt with it; others read it with their decoder and keep their state."""
import json, os, statistics, sys, time

SHAPES = {
    "mamba-130m": ("Mamba", "MambaForCausalLM", dict(hidden_size=768, num_hidden_layers=24, vocab_size=50280, state_size=16, time_step_rank=48)),
    "mamba2-130m": ("Mamba2", "Mamba2ForCausalLM", dict(hidden_size=768, num_hidden_layers=24, vocab_size=50288, state_size=128, num_heads=24,
                                                       head_dim=64, n_groups=1, chunk_size=256, tie_word_embeddings=True, bos_token_id=0, eos_token_id=0, pad_token_id=0)),
    "t5-small": ("T5", "T5ForConditionalGeneration", dict(d_model=512, d_ff=2048, num_layers=6, num_heads=8, vocab_size=32128, decoder_start_token_id=0)),
    "t5-base": ("T5", "T5ForConditionalGeneration", dict(d_model=768, d_ff=3072, num_layers=12, num_heads=12, vocab_size=32128, decoder_start_token_id=0)),
}


def make(name, directory):
    import torch, transformers
    config, model, sizes = SHAPES[name]
    torch.manual_seed(0)
    getattr(transformers, model)(getattr(transformers, config + "Config")(**sizes)).save_pretrained(directory)


def measure(directory, threads, n, steps):
    import torch, transformers
    torch.set_num_threads(threads)
    cls = getattr(transformers, json.load(open(os.path.join(directory, "config.json")))["architectures"][0])
    model = cls.from_pretrained(directory).eval()
    prompt = torch.tensor([[1000 + i * 7919 % 19000 for i in range(n)]])
    prefill, decode = [], []
    with torch.inference_mode():
        begin = time.perf_counter()
        while len(prefill) < 4 or time.perf_counter() - begin < 2:
            t = time.perf_counter()
            step = reader(model, prompt)
            prefill.append(time.perf_counter() - t)
            for i in range(steps):
                t = time.perf_counter()
                step(prompt[:, i % n : i % n + 1])
                decode.append(time.perf_counter() - t)
    # the first round warms up
    print(json.dumps({"prefill": statistics.median(prefill[1:]), "decode": statistics.median(decode[steps:])}))


def reader(model, prompt):
    """reads the prompt and returns what decodes one token"""
    if model.config.is_encoder_decoder:
        encoded, cache = model.encoder(prompt), {"past_key_values": None}

        def step(token):
            cache["past_key_values"] = model(encoder_outputs=encoded, decoder_input_ids=token, use_cache=True, **cache).past_key_values

        return step
    key = "cache_params"
    cache = {key: model(prompt, use_cache=True, logits_to_keep=1)[key]}

    def step(token):
        cache[key] = model(token, use_cache=True, **cache)[key]

    return step


if sys.argv[1] == "--make":
    make(*sys.argv[2:])
else:
    measure(sys.argv[1], *map(int, sys.argv[2:]))
