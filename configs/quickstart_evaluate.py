"""How well the quickstart's model calculates: 1,000 unseen lines of its corpus, and the equations of GSM8K's test.

    python scripts/evaluate.py --config=configs/quickstart_evaluate.py --workdir=runs/quickstart

The report says how many of GSM8K's equations have a form that the corpus covers, and how many of those are right.
"""

from mathjax.config import Benchmark, Evaluate, Sampling


def get_config():
    return Evaluate(
        checkpoint="runs/quickstart/train",
        benchmarks=[
            Benchmark(name="unseen", path="runs/quickstart/data/test-*.jsonl"),
            Benchmark(name="gsm8k_equations", path="runs/quickstart/gsm8k/records.jsonl"),
        ],
        corpus=["runs/quickstart/data"],
        sampling=Sampling(max_tokens=64),
        slots=256,
        title="Quickstart: arithmetic on a CPU",
    )
