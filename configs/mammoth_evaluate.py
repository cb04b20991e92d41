"""MAmmoTH's table: its nine sets in hybrid decoding, with the means in-domain, out-of-domain and overall.

    python scripts/make_data.py --config=configs/public_data.py --config.name=aqua --config.path=aqua/test.jsonl \\
        --config.split=test --workdir=runs/mammoth/data/aqua
    ... the same for each name below (svamp: --config.split=all), then
    python scripts/evaluate.py --config=configs/mammoth_evaluate.py --config.checkpoint=MODEL --workdir=runs/mammoth

A set that is not at hand is left out by --config.benchmarks[1]=none; the means say over which they are.
--config.mode=cot --config.asked_by=mammoth_choice and --config.mode=pot --config.asked_by=mammoth ask one way alone.
"""

from mathjax.config import Benchmark, Evaluate, Sampling

NINE = ("gsm8k", "math", "aqua", "numglue", "svamp", "deepmind_mathematics", "simuleq", "sat_math", "mmlu_math")


def get_config():
    return Evaluate(
        checkpoint="TIGER-Lab/MAmmoTH-7B",
        benchmarks=[Benchmark(name=name, path=f"runs/mammoth/data/{name}/records.jsonl", kind=name) for name in NINE],
        mode="hybrid",
        sampling=Sampling(max_tokens=1500),
        dtype="bfloat16",
        title="MAmmoTH's nine sets",
    )
