#!/usr/bin/env python3
"""Makes small checkpoints in the formats of other quantisers, and the values that these say they have (want/NAME).
pip install torch safetensors numpy bitsandbytes==0.50.2 compressed-tensors
GPTQ and AWQ follow dequantize in AutoGPTQ's qlinear_cuda_old.py and in AutoAWQ's packing_utils.py."""
import os
import numpy as np, torch
from bitsandbytes import functional as F
from compressed_tensors.compressors import pack_to_int32
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(0)
rng = np.random.default_rng(0)


def save(name, tensors, want):
    save_file({**{k: v.contiguous() for k, v in tensors.items()}, **{"want/" + k: v.float().contiguous() for k, v in want.items()}},
              os.path.join(here, name + ".safetensors"))


t, want = {}, {}
for name, kind, nested in (("a", "nf4", False), ("b", "fp4", True), ("c", "nf4", True)):
    q, state = F.quantize_4bit(torch.randn(9, 96), quant_type=kind, blocksize=64, compress_statistics=nested)
    t[name + ".weight"] = q
    t.update({f"{name}.weight.{k}": v for k, v in state.as_dict(packed=True).items()})
    want[name + ".weight"] = F.dequantize_4bit(q, state)
w = torch.randn(6, 20)
scb = w.abs().amax(1)
t["d.weight"], t["d.SCB"], t["d.weight_format"] = torch.round(w * 127 / scb[:, None]).to(torch.int8), scb, torch.tensor(0, dtype=torch.uint8)
want["d.weight"] = t["d.weight"].float() * scb[:, None] / 127
save("bitsandbytes", t, want)

t, want = {}, {}
for name, (rows, cols, group, zero) in {"a": (8, 64, 32, False), "b": (11, 64, 16, True), "c": (5, 20, 20, False)}.items():
    q, n = torch.randint(-8, 8, (rows, cols), dtype=torch.int8), cols // group
    s = torch.rand(rows, n) * 0.1 + 0.01
    z = torch.randint(-8, 8, (rows, n), dtype=torch.int8) if zero else torch.zeros(rows, n, dtype=torch.int8)
    t[name + ".weight_packed"], t[name + ".weight_scale"], t[name + ".weight_shape"] = pack_to_int32(q, 4), s, torch.tensor([rows, cols])
    if zero:
        t[name + ".weight_zero_point"] = pack_to_int32(z, 4, packed_dim=0)
    want[name + ".weight"] = (q.float() - z.float().repeat_interleave(group, 1)) * s.repeat_interleave(group, 1)
save("pack-quantized", t, want)

t, want = {}, {}
q, s = torch.randint(-127, 128, (6, 20), dtype=torch.int8), torch.rand(6, 1) + 0.1
t["a.weight"], t["a.weight_scale"], want["a.weight"] = q, s, q.float() * s
q, s = torch.randn(5, 12).to(torch.float8_e4m3fn), torch.tensor([0.25])
t["b.weight"], t["b.weight_scale"], t["b.input_scale"], want["b.weight"] = q, s, torch.tensor([1.0]), q.float() * 0.25
q, s = torch.randn(10, 12).to(torch.float8_e4m3fn), torch.rand(3, 3) + 0.1
t["c.weight"], t["c.weight_scale"] = q, s  # blocks of 4 × 5
want["c.weight"] = q.float() * s.repeat_interleave(4, 0)[:10].repeat_interleave(5, 1)[:, :12]
save("float-quantized", t, want)


def pack_rows(q, bits):
    """[in, out] → words of neighbouring inputs"""
    per = 32 // bits
    out = np.zeros((q.shape[0] // per, q.shape[1]), np.uint32)
    for i in range(per):
        out |= q[i::per].astype(np.uint32) << (bits * i)
    return torch.from_numpy(out.view(np.int32))


def gptq(name, version, bits, order):
    n_in, n_out, group = 64, 32, 16
    q = rng.integers(0, 2**bits, (n_in, n_out))
    zeros = rng.integers(1, 2**bits, (n_in // group, n_out))
    scales = (rng.random((n_in // group, n_out)) * 0.1 + 0.01).astype(np.float16)
    g = rng.integers(0, n_in // group, n_in) if order else np.arange(n_in) // group
    stored = zeros - (1 if version == 1 else 0)
    t[name + ".qweight"] = pack_rows(q, bits)
    t[name + ".qzeros"] = pack_rows(stored.T, bits).T
    t[name + ".scales"] = torch.from_numpy(scales)
    if order:
        t[name + ".g_idx"] = torch.from_numpy(g.astype(np.int32))
    want[name + ".weight"] = torch.from_numpy((scales[g].astype(np.float32) * (q - zeros[g]).astype(np.float32)).T.copy())


for file, version, bits in (("gptq", 1, 4), ("gptq_v2", 2, 4), ("gptq8", 1, 8)):
    t, want = {}, {}
    gptq("a", version, bits, False)
    gptq("b", version, bits, True)
    save(file, t, want)

t, want = {}, {}
n_in, n_out, group = 32, 24, 16
q, zeros = rng.integers(0, 16, (n_in, n_out)), rng.integers(0, 16, (n_in // group, n_out))
scales = (rng.random((n_in // group, n_out)) * 0.1 + 0.01).astype(np.float16)


def pack_awq(q):
    out = np.zeros((q.shape[0], q.shape[1] // 8), np.uint32)
    for i, j in enumerate([0, 2, 4, 6, 1, 3, 5, 7]):
        out |= q[:, j::8].astype(np.uint32) << (4 * i)
    return torch.from_numpy(out.view(np.int32))


t["a.qweight"], t["a.qzeros"], t["a.scales"] = pack_awq(q), pack_awq(zeros), torch.from_numpy(scales)
g = np.arange(n_in) // group
want["a.weight"] = torch.from_numpy((scales[g].astype(np.float32) * (q - zeros[g]).astype(np.float32)).T.copy())
save("awq", t, want)


def pack3(q):
    """[in, out] of 3 bits → words, as pack of AutoGPTQ's qlinear_cuda.py does it: 32 inputs in three words, two of them in halves"""
    rows = []
    for i in range(0, q.shape[0], 32):
        v = q[i:i + 32].astype(np.uint32)
        a, b, c = (np.zeros(q.shape[1], np.uint32) for _ in range(3))
        for j in range(10):
            a |= v[j] << np.uint32(3 * j)
        a |= v[10] << np.uint32(30)
        b |= (v[10] >> np.uint32(2)) & np.uint32(1)
        for j in range(10):
            b |= v[11 + j] << np.uint32(3 * j + 1)
        b |= v[21] << np.uint32(31)
        c |= (v[21] >> np.uint32(1)) & np.uint32(3)
        for j in range(10):
            c |= v[22 + j] << np.uint32(3 * j + 2)
        rows += [a, b, c]
    return np.stack(rows).view(np.int32)


rng = np.random.default_rng(3)
t, want = {}, {}
for name, group, n_groups, order in (("a", 32, 2, False), ("b", 32, 2, True)):
    q, zeros = rng.integers(0, 8, (64, 32)), rng.integers(1, 8, (n_groups, 32))
    scales = (rng.random((n_groups, 32)) * 0.1 + 0.01).astype(np.float16)
    g = rng.integers(0, n_groups, 64) if order else np.arange(64) // group
    t[name + ".qweight"], t[name + ".scales"] = torch.from_numpy(pack3(q)), torch.from_numpy(scales)
    t[name + ".qzeros"] = torch.from_numpy(pack3((zeros - 1).T).T.copy())
    if order:
        t[name + ".g_idx"] = torch.from_numpy(g.astype(np.int32))
    want[name + ".weight"] = torch.from_numpy((scales[g].astype(np.float32) * (q - zeros[g]).astype(np.float32)).T.copy())
save("gptq3", t, want)


t, want = {}, {}
q, s = torch.from_numpy(rng.integers(-8, 8, (9, 48)).astype(np.int8)), torch.from_numpy(rng.random((9, 3)).astype(np.float32) * 0.1 + 0.01)
g = rng.permutation(np.arange(48) // 16)  # activation ordering: the group of each column
t["a.weight_packed"], t["a.weight_scale"], t["a.weight_shape"] = pack_to_int32(q, 4), s, torch.tensor([9, 48])
t["a.weight_g_idx"] = torch.from_numpy(g.astype(np.int32))
want["a.weight"] = q.float() * s[:, torch.from_numpy(g)]
save("pack-reordered", t, want)
