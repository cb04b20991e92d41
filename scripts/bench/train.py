"""Training speed and memory beside transformers on PyTorch: the same decoder, batch and optimizer, in one run.

    python scripts/bench/train.py [--shapes=quickstart,smollm2] [--sides=torch,mathjax] [--steps=5] [--rounds=3]
    python scripts/bench/train.py --loss    the memory of the loss's gradient: logits in chunks, and all at once

Each side runs in a process of its own, one after the other; what counts is each side's best step, and its ratio to the
first. Params are float32; a side with `-bfloat16` multiplies in bfloat16. Memory is the peak of the whole process.
Needs PyTorch: bash scripts/setup.sh core parity
"""

import dataclasses
import importlib.util
import json
import resource
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

SIDES = {  # name: (function, dtype of products)
    "torch": ("torch_steps", "float32"),
    "torch-bfloat16": ("torch_steps", "bfloat16"),
    "mathjax": ("mathjax_steps", "float32"),
    "mathjax-bfloat16": ("mathjax_steps", "bfloat16"),
}
LOSSES = {"chunks": None, "one piece": 2**62}  # name: the most logits held at a time, where it is not the library's own

_SHAPES = flags.DEFINE_list("shapes", ["quickstart", "smollm2"], f"which of {', '.join(SHAPES)}")
_SIDES = flags.DEFINE_list("sides", ["torch", "mathjax"], f"which of {', '.join(SIDES)}")
_STEPS = flags.DEFINE_integer("steps", 5, "timed steps of a round, after one that is not", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often each side runs", lower_bound=1)
_LOSS = flags.DEFINE_bool("loss", False, "measure the memory of the loss instead")
_ALONE = flags.DEFINE_string("alone", None, "internal: run one side and print what it took")


def main(_):
    if unknown := [name for name in _SHAPES.value if name not in SHAPES]:
        sys.exit(f"no shape {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    if unknown := [name for name in _SIDES.value if name not in SIDES]:
        sys.exit(f"no side {', '.join(unknown)}; there are {', '.join(SIDES)}")
    if _ALONE.value:
        print(json.dumps(_alone(_ALONE.value)))
    elif _LOSS.value:
        compare_losses()
    elif importlib.util.find_spec("torch") is None:
        sys.exit("PyTorch is not installed; it comes with: bash scripts/setup.sh core parity")
    else:
        for name in _SHAPES.value:
            compare(name)


def compare(name):
    """Print what each side takes at a shape."""
    model, rows, length, _ = SHAPES[name]
    print(f"{name}: {model.layers} layers x {model.width}, {rows} rows of {length} tokens", flush=True)
    best, memory = {}, {}
    for number in range(_ROUNDS.value):
        for side in _SIDES.value:
            found = _in_a_process(side, f"--shapes={name}")
            best[side] = min([best.get(side, found["took"][0]), *found["took"]])
            memory[side] = max(memory.get(side, 0), found["memory"])
            rates = ", ".join(f"{rows * length / second:,.0f}" for second in found["took"])
            print(f"  round {number + 1}, {side}: {rates} tokens/s", flush=True)
    first = best[_SIDES.value[0]]
    for side, seconds in best.items():
        print(
            f"  {side}: {rows * length / seconds:,.0f} tokens/s, ratio {first / seconds:.2f}; "
            f"{memory[side] / 2**20:,.0f} MiB at most"
        )


def compare_losses():
    """Print what memory the gradient of the loss takes with its logits in chunks, and all at once."""
    for name in LOSSES:
        found = _in_a_process(name)
        took, before, after = found["took"], found["before"] / 2**20, found["memory"] / 2**20
        print(
            f"logits in {name}: {took:.2f} s, {before:,.0f} MiB before, {after:,.0f} at most, loss {found['loss']:.6f}"
        )


def _in_a_process(side, *more):
    command = [sys.executable, __file__, f"--alone={side}", f"--steps={_STEPS.value}", *more]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def _alone(side):
    found = _loss(LOSSES[side]) if side in LOSSES else _steps(side)
    return found | {"memory": _memory()}


def _steps(side):
    run, dtype = SIDES[side]
    return {"took": globals()[run](*SHAPES[_SHAPES.value[0]], _STEPS.value, dtype)}


def _memory():
    """The most bytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _loss(chunk):
    """One gradient of the loss by SmolLM2's table and the hidden states of 8 rows of 512 tokens."""
    import jax
    import jax.numpy as jnp

    from mathjax.train import losses

    losses.CHUNK = chunk or losses.CHUNK
    model = presets.SMOLLM2_135M
    hidden = jax.random.normal(jax.random.key(0), (8, 512, model.width))
    params = {"embedding": {"table": 0.02 * jax.random.normal(jax.random.key(1), (model.rows, model.width))}}
    targets = jax.random.randint(jax.random.key(2), (8, 512), 0, model.vocab_size)
    weights = jnp.full((8, 512), 1 / 4096)

    def loss(params, hidden):
        return losses.cross_entropy(model, params, hidden, targets, weights)[0]

    gradient = jax.jit(jax.value_and_grad(loss, argnums=(0, 1))).lower(params, hidden).compile()
    before, begun = _memory(), time.perf_counter()
    value, _ = jax.block_until_ready(gradient(params, hidden))
    return {"took": time.perf_counter() - begun, "before": before, "loss": float(value)}


def _ids(model, rows, length):
    import numpy as np

    return np.random.default_rng(0).integers(2, model.vocab_size, (rows, length + 1)).astype(np.int32)


def mathjax_steps(model, rows, length, cpu_devices, steps, dtype):
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
        dtype=dtype,
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


def torch_steps(model, rows, length, _, steps, dtype):
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
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
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
