"""Loading holds the params, and little beside them: measured in a process of its own."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from mathjax import config
from mathjax.model import hf, hf_config, stream, tensors

SHAPE = config.Model(
    vocab_size=16_000, layers=14, width=768, heads=12, kv_heads=4, head_dim=64, mlp_width=2048, tied_embeddings=True
)

LOADER = """
import pathlib, sys, jax
from mathjax import config, mesh
from mathjax.model import hf

def memory(line):  # VmHWM is the most that this program held; getrusage counts what it was forked from, too
    status = pathlib.Path("/proc/self/status").read_text().split(line + ":")[1]
    return int(status.split()[0]) * 1024

folder, warm, dtype, devices = sys.argv[1:]
mesh.split_cpu(int(devices))
sizes = mesh.make(config.Mesh(data=1, fsdp=-1))
hf.load(warm, sizes, dtype=dtype)
before = memory("VmRSS")
_, params = hf.load(folder, sizes, dtype=dtype)
jax.block_until_ready(params)
print(memory("VmHWM") - before, sum(leaf.nbytes for leaf in jax.tree.leaves(params)))
"""


def write(folder, shape, code):
    dtype, draw = tensors.DTYPES[code], np.random.default_rng(0)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(hf_config.write(shape, dtype="float32", ids={})))
    arrays = [
        tensors.Made(name, size, dtype, lambda size=size: draw.standard_normal(size, np.float32).astype(dtype))
        for name, _, _, size in stream.wanted(shape, hf.NAMES)
    ]
    tensors.write(folder, arrays, 10**12)
    return (folder / tensors.ONE).stat().st_size


@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="needs Linux: memory is read from /proc")
@pytest.mark.parametrize(
    ("code", "dtype", "devices"),
    [("F32", "float32", 1), ("BF16", "bfloat16", 4), ("BF16", "float32", 1)],
)
def test_beside_the_params_memory_holds_less_than_a_third_of_the_file(tmp_path, code, dtype, devices):
    small = config.Model(vocab_size=32, layers=1, width=16, heads=2, kv_heads=1, head_dim=8, mlp_width=16)
    size = write(tmp_path / "model", SHAPE, code)
    write(tmp_path / "small", small, code)
    command = [sys.executable, "-c", LOADER, tmp_path / "model", tmp_path / "small", dtype, str(devices)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    grown, params = map(int, done.stdout.split())
    print(f"file {size / 2**20:.0f} MiB, params {params / 2**20:.0f} MiB, grown by {grown / 2**20:.0f} MiB")
    assert grown < params + 0.3 * size
