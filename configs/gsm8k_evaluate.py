"""GSM8K's test, greedy, under every protocol of its published scores: any model, its records made first.

    python scripts/make_data.py --config=configs/public_data.py --config.path=gsm8k/test.jsonl --config.split=test \\
        --workdir=runs/gsm8k/test
    python scripts/evaluate.py --config=configs/gsm8k_evaluate.py --config.checkpoint=MODEL --workdir=runs/gsm8k/MODEL

MODEL is a run, a folder of Hugging Face, a GGUF file or a name on the hub. Base models are asked with eight examples
(gsm8k_8shot); those that chat with --config.template=chat, those trained on a paper's template with its name. Sampled,
for pass@k and votes: --config.sampling.samples=16 --config.sampling.temperature=0.7. To judge what another program
answered: --config.checkpoint= --config.completions=FILE.jsonl.
"""

from mathjax.config import Benchmark, Evaluate, Sampling


def get_config():
    return Evaluate(
        checkpoint="HuggingFaceTB/SmolLM2-135M",
        benchmarks=[Benchmark(name="gsm8k", path="runs/gsm8k/test/records.jsonl", kind="gsm8k")],
        template="gsm8k_8shot",
        sampling=Sampling(max_tokens=256, stop=["\nQ:", "\nQuestion:"]),
        slots=32,
        title="GSM8K",
    )
