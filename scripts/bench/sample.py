"""Sampling speed: beside transformers on PyTorch and llama.cpp, against the machine's bandwidth, by groups and by load.

    python scripts/bench/sample.py [--parts=torch,llama,bandwidth,groups,load] [--questions=32] [--rounds=1]

The model has the shape of SmolLM2-135M. Each side of each measurement runs in a process of its own; compilation and
loading are not counted. A rate is of new tokens that somebody wanted, in a second of the clock, and in brackets in a
second of one core. The parts:

torch      32 questions x 8 samples, 64 to 200 new tokens each by a fixed table. transformers runs a batch until its
           longest row is done, which nobody knows beforehand; `--sorted` gives it its batches sorted by length all the
           same, which is the best it could do. `--rows` are its rows at a time, `--slots` ours.
llama      one stream and 32, greedy, over one GGUF file (--gguf) made float32 by llama.cpp; needs an interpreter with
           llama-cpp-python (--llama_python).
bandwidth  bytes that a step must read, over the time it takes, as a share of what the machine reads in that time.
groups     n = 1, 8, 100 samples of a question of 150 tokens, with their prompt shared and with a copy for each.
load       new tokens a second with 1 to 512 requests at a time.

Needs PyTorch for `torch`: bash scripts/setup.sh core parity
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from absl import app, flags

LIMITS = (64, 200, 96, 120, 176, 72, 144, 184)  # new tokens of one question after the other; 132 on average
PROMPT = 150

_PARTS = flags.DEFINE_list("parts", ["torch", "bandwidth", "groups", "load"], "what to measure")
_QUESTIONS = flags.DEFINE_integer("questions", 32, "torch: prompts, each sampled 8 times", lower_bound=1)
_SLOTS = flags.DEFINE_integer("slots", 256, "torch: sequences that mathjax works on at a time", lower_bound=1)
_ROWS = flags.DEFINE_integer("rows", 64, "torch: sequences that transformers works on at a time", lower_bound=8)
_SHORTER = flags.DEFINE_integer("shorter", 1, "torch: divide the new tokens, for a slow machine", lower_bound=1)
_DTYPES = flags.DEFINE_list("dtypes", ["float32", "bfloat16"], "torch: of transformers; mathjax has the first")
_SORTED = flags.DEFINE_bool("sorted", False, "torch: tell transformers the lengths")
_ROUNDS = flags.DEFINE_integer("rounds", 1, "how often each side runs; the best counts", lower_bound=1)
_LOADS = flags.DEFINE_list("loads", ["1", "8", "32", "128", "512"], "load: requests at a time")
_GROUPS = flags.DEFINE_list("groups", ["1", "8", "100"], "groups: samples of a question")
_GGUF = flags.DEFINE_string("gguf", None, "llama: SmolLM2-135M as a GGUF file")
_LLAMA = flags.DEFINE_string("llama_python", sys.executable, "llama: an interpreter with llama-cpp-python")
_SIDE = flags.DEFINE_string("side", None, "internal: run one side, with these settings as JSON, and print its rate")


def main(_):
    if _SIDE.value:
        settings = json.loads(_SIDE.value)
        print(json.dumps(SIDES[settings.pop("side")](**settings)))
        return
    if unknown := [part for part in _PARTS.value if part not in PARTS]:
        sys.exit(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for part in _PARTS.value:
        PARTS[part]()


def beside_torch():
    """Rates of both sides over the same prompts and limits, and their ratios."""
    if importlib.util.find_spec("torch") is None:
        sys.exit("PyTorch is not installed; it comes with: bash scripts/setup.sh core parity")
    limits = [LIMITS[i % len(LIMITS)] // _SHORTER.value for i in range(_QUESTIONS.value)]
    print(f"{len(limits)} questions x 8 samples, {min(limits)} to {max(limits)} new tokens", flush=True)
    ours = {"side": "mathjax", "limits": limits, "samples": 8, "slots": _SLOTS.value}
    sides = {"mathjax, float32": ours}
    for dtype in _DTYPES.value:
        settings = {"limits": limits, "rows": _ROWS.value, "dtype": dtype, "known": _SORTED.value}
        sides[f"transformers, {dtype}"] = {"side": "torch", **settings}
    best = _best(sides)
    for name in list(sides)[1:]:
        print(f"  mathjax float32 / {name}: {best['mathjax, float32']['rate'] / best[name]['rate']:.2f}")


def beside_llama():
    """Rates for one stream and for 32, greedy, 64 new tokens after 32 of a prompt."""
    if _GGUF.value is None:
        sys.exit("llama: wanted --gguf=FILE of SmolLM2-135M, and --llama_python with llama-cpp-python")
    for streams in (1, 32):
        with tempfile.TemporaryDirectory() as folder:
            single = str(pathlib.Path(folder) / "f32.gguf")
            shared = {"streams": streams, "prompt": 32, "new": 64}
            sides = {
                "llama.cpp, float32": {"side": "llama", "path": single, "source": _GGUF.value, **shared},
                "llama.cpp, as the file is": {"side": "llama", "path": _GGUF.value, "source": None, **shared},
                "mathjax, float32": {"side": "gguf", "path": _GGUF.value, **shared},
            }
            print(f"{streams} stream(s)", flush=True)
            _best(sides)


def bandwidth():
    """A step's bytes over its time, by slots."""
    for slots in (1, 8, 32, 128):
        found = _in_a_process({"side": "step", "slots": slots})
        rate, flops = (found[name] / found["seconds"] for name in ("bytes", "flops"))
        print(
            f"  {slots:3} slots: step {1e3 * found['seconds']:.1f} ms, reads {found['bytes'] / 1e6:.0f} MB: "
            f"{rate / 1e9:.1f} of {found['reads'] / 1e9:.1f} GB/s ({rate / found['reads']:.0%}; copies "
            f"{found['copies'] / 1e9:.1f} GB/s), {flops / 1e9:.0f} of {found['peak'] / 1e9:.0f} GFLOP/s "
            f"({flops / found['peak']:.0%})",
            flush=True,
        )


def groups():
    """Rate and memory of the caches, with prompts shared and not."""
    for count in map(int, _GROUPS.value):
        for shared in (True, False) if count > 1 else (True,):
            settings = {"side": "group", "samples": count, "shared": shared}
            found = _best({f"n={count}, {'shared' if shared else 'a copy each'}": settings})
            [about] = found.values()
            print(f"    prompts {about['prompts'] / 1e6:.0f} MB, what follows {about['slots'] / 1e6:.0f} MB")


def load():
    """Rates with so many requests at a time, of one sample each."""
    _best({f"{count} at a time": {"side": "load", "count": count} for count in map(int, _LOADS.value)})


def _best(sides):
    """Each side's best round, printed as it comes."""
    best = {}
    for number in range(_ROUNDS.value):
        for name, settings in sides.items():
            found = _in_a_process(settings)
            rate, core = found["tokens"] / found["seconds"], found["tokens"] / found["cpu"]
            if name not in best or rate > best[name]["rate"]:
                best[name] = found | {"rate": rate}
            more = f", {found['busy']:.0%} busy" if "busy" in found else ""
            print(f"  round {number + 1}, {name}: {rate:,.1f} tokens/s ({core:,.1f}){more}", flush=True)
    return best


def _in_a_process(settings):
    python = _LLAMA.value if settings["side"] == "llama" else sys.executable
    if settings["side"] == "llama":
        command = [python, __file__.replace("sample.py", "llama.py"), json.dumps(settings)]
    else:
        command = [python, __file__, f"--side={json.dumps(settings)}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{settings}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _prompts(count, length=None):
    """Ids of questions of 60 to 240 tokens, or of one length."""
    import numpy as np

    random = np.random.default_rng(0)
    lengths = random.integers(60, 241, count) if length is None else [length] * count
    return [random.integers(10, 49_000, size).tolist() for size in lengths]


class _Clock:
    """Seconds of the clock, and of all cores, since it was made."""

    def __init__(self):
        self.wall, self.cores = time.perf_counter(), os.times()

    def read(self, tokens, **more):
        cores = os.times()
        cpu = cores.user + cores.system - self.cores.user - self.cores.system
        return {"tokens": tokens, "seconds": time.perf_counter() - self.wall, "cpu": cpu, **more}


def _engine(slots, length, prompt, **settings):
    import functools

    import jax

    from mathjax import presets
    from mathjax.model import decoder
    from mathjax.sample.engine import Engine

    model = presets.SMOLLM2_135M
    params = jax.jit(functools.partial(decoder.init, model))(jax.random.key(0))
    return Engine(model, params, slots=slots, length=length, prompt=prompt, eos_id=(), **settings)


def _sample(engine, requests, sampling, uneven=False):
    """The rate of an engine over requests, when all that they take is compiled: more where their ends are `uneven`."""
    import dataclasses

    if uneven:
        engine.compile(sampling)
    list(engine.generate([dataclasses.replace(request, max_tokens=2) for request in requests], sampling))
    before, clock = dataclasses.replace(engine.counts), _Clock()
    tokens = sum(len(completion.tokens) for completion in engine.generate(requests, sampling))
    busy = (engine.counts.tokens - before.tokens) / (engine.counts.steps - before.steps)
    return clock.read(tokens, busy=busy, **engine.cache_bytes(sampling))


def mathjax_side(limits, samples, slots):
    from mathjax import config
    from mathjax.sample.engine import Request

    engine = _engine(slots, 256 + max(limits), 256)
    requests = [Request(i, ids, max_tokens=limits[i]) for i, ids in enumerate(_prompts(len(limits)))]
    sampling = config.Sampling(temperature=1.0, max_tokens=max(limits), samples=samples)
    found = _sample(engine, requests, sampling, uneven=True)
    if found["tokens"] != samples * sum(limits):
        raise RuntimeError(f"wanted {samples * sum(limits)} tokens, got {found['tokens']}")
    return found


def torch_side(limits, rows, dtype, known):
    """transformers in batches of `rows`; those of one batch run as long as its longest."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from mathjax import presets

    model = presets.SMOLLM2_135M
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
    decoder = LlamaForCausalLM(shape).to(getattr(torch, dtype)).eval()
    asked = list(zip(_prompts(len(limits)), limits, strict=True))
    if known:
        asked.sort(key=lambda pair: pair[1])

    def generate(batch, new):
        width = max(len(ids) for ids, _ in batch)
        tokens = torch.tensor([[0] * (width - len(ids)) + ids for ids, _ in batch])
        mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids, _ in batch])
        settings = {"do_sample": True, "top_k": 0, "num_return_sequences": 8, "eos_token_id": None, "pad_token_id": 0}
        return decoder.generate(tokens, attention_mask=mask, max_new_tokens=new, min_new_tokens=new, **settings)

    with torch.inference_mode():
        generate(asked[: rows // 8], 2)
        clock = _Clock()
        for start in range(0, len(asked), rows // 8):
            batch = asked[start : start + rows // 8]
            generate(batch, max(limit for _, limit in batch))
    return clock.read(8 * sum(limit for _, limit in asked))


def gguf_side(path, streams, prompt, new):
    """mathjax with the weights of a GGUF file, greedy."""
    import jax

    from mathjax import config, mesh
    from mathjax.model import gguf
    from mathjax.sample.engine import Engine, Request

    model, params = gguf.load(path, mesh.make(config.Mesh(), jax.devices()[:1]))
    engine = Engine(model, params, slots=streams, length=prompt + new, prompt=prompt, eos_id=())
    requests = [Request(i, ids) for i, ids in enumerate(_prompts(streams, prompt))]
    return _sample(engine, requests, config.Sampling(max_tokens=new))


def step_side(slots):
    """The time of a step in which all slots are busy, half of their tokens made, and the machine's own speed."""
    import jax
    import jax.numpy as jnp

    from mathjax import config, presets
    from mathjax.sample.engine import Request

    new, model = 96, presets.SMOLLM2_135M
    engine = _engine(slots, PROMPT + new, PROMPT)
    requests = [Request(i, ids) for i, ids in enumerate(_prompts(slots, PROMPT))]
    running = engine.stream(requests, config.Sampling(temperature=1.0, max_tokens=new))
    seconds, before, begun = [], engine.counts.steps, time.perf_counter()
    for _ in running:
        if engine.counts.steps > before:  # the first piece of a look
            seconds.append((time.perf_counter() - begun) / 8)
            before, begun = engine.counts.steps, time.perf_counter()
    weights = sum(leaf.nbytes for leaf in jax.tree.leaves(engine._params))
    products = sum(leaf.size for leaf in jax.tree.leaves(engine._params))
    held = 2 * 4 * model.layers * model.kv_heads * model.head_dim * (PROMPT + new // 2)  # of a sequence, on average
    array, square = jnp.ones(100_000_000), jnp.ones((2048, 2048))
    return {
        "seconds": min(seconds[2:]),
        "bytes": weights + slots * held,
        "flops": 2 * slots * products,
        "reads": array.nbytes / _fastest(jax.jit(jnp.sum), array),
        "copies": 2 * array.nbytes / _fastest(jax.jit(lambda x: x + 1), array),
        "peak": 2 * 2048**3 / _fastest(jax.jit(jnp.matmul), square, square),
    }


def _fastest(function, *arguments):
    import jax

    seconds = []
    for _ in range(12):
        begun = time.perf_counter()
        jax.block_until_ready(function(*arguments))
        seconds.append(time.perf_counter() - begun)
    return min(seconds[2:])


def group_side(samples, shared):
    """About a hundred sequences of questions with `samples` each, all at a time."""
    from mathjax import config
    from mathjax.sample.engine import Request

    questions, new = max(100 // samples, 1), 48
    engine = _engine(questions * samples, PROMPT + new, PROMPT)
    found = _prompts(questions, PROMPT)
    if not shared:
        found = [ids for ids in found for _ in range(samples)]
    requests = [Request(i, ids) for i, ids in enumerate(found)]
    sampling = config.Sampling(temperature=1.0, max_tokens=new, samples=samples if shared else 1)
    return _sample(engine, requests, sampling)


def load_side(count):
    from mathjax import config
    from mathjax.sample.engine import Request

    new = 32
    engine = _engine(count, PROMPT + new, PROMPT)
    requests = [Request(i, ids) for i, ids in enumerate(_prompts(count, PROMPT))]
    return _sample(engine, requests, config.Sampling(temperature=1.0, max_tokens=new))


PARTS = {
    "torch": beside_torch,
    "llama": beside_llama,
    "bandwidth": bandwidth,
    "groups": groups,
    "load": load,
}
SIDES = {
    "mathjax": mathjax_side,
    "torch": torch_side,
    "gguf": gguf_side,
    "step": step_side,
    "group": group_side,
    "load": load_side,
}


if __name__ == "__main__":
    app.run(main)
