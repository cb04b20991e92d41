"""Pods that are not here: memory, MFU and collectives of 7B and 70B on them, and how these change with their size.

    python scripts/bench/scale.py [--models=7b,70b] [--pods=v5e:16x16,v5p:4x4x8,v6e:16x16] [--out=FILE]

Each step is compiled for the pod, and for 16 chips of the same kind with as many rows on each (where it fits there by
formula). What is done is kept in FILE, one JSON a line: started again, the rest is made. One compilation takes minutes.
Needs the TPU compiler: bash scripts/setup.sh core plan
"""

import json
import math
import os
import pathlib

os.environ["JAX_PLATFORMS"] = "cpu"  # before JAX starts

from absl import app, flags

from mathjax import config, presets

MODELS = {"7b": presets.LLAMA2_7B, "70b": presets.LLAMA2_70B}
LENGTH = 4096
LENGTHS = {("70b", "v5e"): 2048}  # 4,096 tokens on a chip do not fit
ROWS = {("7b", "v5p"): 4, ("70b", "v5p"): 2, ("7b", "v6e"): 2, ("70b", "v6e"): 2}  # on a chip, where it is not one
SMALL = {2: "4x4", 3: "2x2x4"}  # 16 chips, by the axes of the torus

_MODELS = flags.DEFINE_list("models", list(MODELS), f"which of {', '.join(MODELS)}")
_PODS = flags.DEFINE_list("pods", ["v5e:16x16", "v5p:4x4x8", "v6e:16x16"], "topologies")
_OUT = flags.DEFINE_string("out", "runs/scale.jsonl", "what is done, and where it is kept")


def main(_):
    out = pathlib.Path(_OUT.value)
    out.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in out.read_text().splitlines()] if out.is_file() else []
    pods = [(model, pod) for model in _MODELS.value for pod in _PODS.value]
    small = [(model, f"{pod.partition(':')[0]}:{SMALL[pod.count('x') + 1]}") for model, pod in pods]
    for model, topology in [*pods, *dict.fromkeys(small)]:
        if not any((row["model"], row["topology"]) == (model, topology) for row in done):
            print(f"{model} on {topology}", flush=True)
            done.append(_plan(model, topology))
            with out.open("a") as file:
                file.write(json.dumps(done[-1]) + "\n")
    _print([row for row in done if (row["model"], row["topology"]) in {*pods, *small}])


def _plan(model, topology):
    from mathjax.train.plan import plan, report, target

    chip, _, shape = topology.partition(":")
    chips = math.prod(map(int, shape.split("x")))
    job = config.Train(
        model=MODELS[model],
        tokenizer=config.Tokenizer(kind="pretrained", source="none"),
        data=config.Data(
            sources=[config.Source(path="none")],
            rows=ROWS.get((model, chip), 1) * chips,
            length=LENGTHS.get((model, chip), LENGTH),
        ),
        optimizer=config.Optimizer(peak=1e-5),
        mesh=config.Mesh(data=1, fsdp=-1),
        steps=1000,
        remat="layers",
    )
    config.check(job)
    pod = target.of(topology)
    guessed = plan.by_formula(job, pod)
    made = plan.plan(job, pod) if guessed.fits else guessed
    return {"model": model, "topology": topology} | report.as_dict(made, job)


def _print(rows):
    print(f"{'':<16}{'chips':>6}{'rows of':>9}{'peak GiB':>14}{'MFU':>16}  collectives, GB on a device")
    for row in rows:
        memory = f"{row['peak'] / 2**30:.1f} of {row['memory'] / 2**30:.0f}"
        shares = f"{row['in_turn']['mfu']:.1%}-{row['best']['mfu']:.1%}" if row["fits"] else "does not fit"
        met = ", ".join(f"{one['kind']} {one['bytes'] / 1e9:.1f}" for one in row["collectives"] if one["bytes"] > 5e7)
        rows = f"{row['rows']} {row['length']}"
        name = f"{row['model']} {row['topology']}"
        print(f"{name:<16}{row['chips']:>6}{rows:>9}{memory:>14}{shares:>16}  {met}  ({row['how']})")


if __name__ == "__main__":
    app.run(main)
