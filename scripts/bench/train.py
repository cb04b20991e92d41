"""Training speed beside Hugging Face transformers on PyTorch: the same decoder, batch and optimizer, float32, one run.

    python scripts/bench/train.py [--shapes=quickstart,smollm2] [--steps=5] [--rounds=3]

Each side runs in a process of its own, the two in turn; what counts is each side's best step, and the ratio of the
two. Needs PyTorch: bash scripts/setup.sh core parity
"""

import dataclasses
import importlib.util
import json
import subprocess
import sys
import time

from absl import app, flags

from mathjax import config, presets

SHAPES = {  # name: (model, rows, tokens in a row, config.mesh.cpu_devices)
    "quickstart": (dataclasses.replace(presets.QUICKSTART, vocab_size=25), 128, 64, 2),
    "quickstart-1": (dataclasses.replace(presets.QUICKSTART, vocab_size=25), 128, 64, 1),
    "smollm2": (presets.SMOLLM2_135M, 4, 128, 1),
    "smollm2-8x256": (presets.SMOLLM2_135M, 8, 256, 1),
}

_SHAPES = flags.DEFINE_list("shapes", ["quickstart", "smollm2"], f"which of {', '.join(SHAPES)}")
_STEPS = flags.DEFINE_integer("steps", 5, "timed steps of a round, after one that is not", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often each side runs", lower_bound=1)
_SIDE = flags.DEFINE_enum("side", None, ["mathjax", "torch"], "internal: run one side and print its seconds a step")


def main(_):
    if unknown := [name for name in _SHAPES.value if name not in SHAPES]:
        sys.exit(f"no shape {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    if importlib.util.find_spec("torch") is None:
        sys.exit("PyTorch is not installed; it comes with: bash scripts/setup.sh core parity")
    if _SIDE.value:
        run = {"mathjax": mathjax_steps, "torch": torch_steps}[_SIDE.value]
        print(json.dumps(run(*SHAPES[_SHAPES.value[0]], _STEPS.value)))
        return
    for name in _SHAPES.value:
        model, rows, length, _ = SHAPES[name]
        print(f"{name}: {model.layers} layers x {model.width}, {rows} rows of {length} tokens", flush=True)
        best = {}
        for number in range(_ROUNDS.value):
            for side in ("torch", "mathjax"):
                seconds = _in_a_process(side, name)
                best[side] = min([best.get(side, seconds[0]), *seconds])
                rates = ", ".join(f"{rows * length / second:,.0f}" for second in seconds)
                print(f"  round {number + 1}, {side}: {rates} tokens/s", flush=True)
        ours, theirs = (rows * length / best[side] for side in ("mathjax", "torch"))
        print(f"  mathjax {ours:,.0f} tokens/s, transformers on PyTorch {theirs:,.0f}: ratio {ours / theirs:.2f}")


def _in_a_process(side, name):
    command = [sys.executable, __file__, f"--side={side}", f"--shapes={name}", f"--steps={_STEPS.value}"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def _ids(model, rows, length):
    import numpy as np

    return np.random.default_rng(0).integers(2, model.vocab_size, (rows, length + 1)).astype(np.int32)


def mathjax_steps(model, rows, length, cpu_devices, steps):
    """Seconds of each step of mathjax."""
    import jax
    import numpy as np

    from mathjax import mesh
    from mathjax.data.batch import Batch
    from mathjax.train import step

    mesh.split_cpu(cpu_devices)
    job = config.Train(
        model=model,
        data=config.Data(sources=[config.Source(path="none")], rows=rows, length=length),
        optimizer=config.Optimizer(peak=1e-4),
        steps=1000,
        dtype="float32",
    )
    ids = _ids(model, rows, length)
    batch = Batch(
        tokens=ids[:, :-1],
        targets=ids[:, 1:],
        weights=np.ones((rows, length), np.float32),
        segments=np.ones((rows, length), np.int32),
        positions=np.tile(np.arange(length, dtype=np.int32), (rows, 1)),
    )
    devices = mesh.make(job.mesh)
    with jax.set_mesh(devices):
        state, update = step.init(job, devices), step.compile_update(job, devices)
        batch, seconds = mesh.put_batch(devices, batch), []
        for _ in range(steps + 1):
            begun = time.perf_counter()
            state, metrics = update(state, {}, batch)
            jax.block_until_ready((state, metrics))
            seconds.append(time.perf_counter() - begun)
    return seconds[1:]


def torch_steps(model, rows, length, _, steps):
    """Seconds of each step of a transformers model under PyTorch's AdamW."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = LlamaConfig(
        vocab_size=model.vocab_size,
        hidden_size=model.width,
        intermediate_size=model.mlp_width,
        num_hidden_layers=model.layers,
        num_attention_heads=model.heads,
        num_key_value_heads=model.kv_heads,
        head_dim=model.head_dim,
        tie_word_embeddings=model.tied_embeddings,
        attn_implementation="sdpa",
    )
    decoder = LlamaForCausalLM(shape).train()
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=1e-4, weight_decay=0.0, fused=True)
    ids = torch.from_numpy(_ids(model, rows, length)).long()
    tokens, targets, seconds = ids[:, :-1].contiguous(), ids[:, 1:].contiguous(), []
    for _ in range(steps + 1):
        begun = time.perf_counter()
        loss = decoder(input_ids=tokens, labels=targets, shift_labels=targets, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        seconds.append(time.perf_counter() - begun)
    return seconds[1:]


if __name__ == "__main__":
    app.run(main)
