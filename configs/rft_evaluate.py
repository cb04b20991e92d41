"""The questions of the small RFT story that none of its trainings saw, with a calculator.

python scripts/evaluate.py --config=configs/rft_evaluate.py --config.checkpoint=runs/rft/sft --workdir=DIR
"""

from mathjax.config import Benchmark, Evaluate, Sampling


def get_config():
    return Evaluate(
        checkpoint="runs/rft/sft",
        benchmarks=[Benchmark(name="new_questions", path="runs/rft/questions/heldout-*.jsonl", kind="gsm8k", rows=-1)],
        template="question_answer",
        sampling=Sampling(max_tokens=112, calculator=True),
        slots=128,
        title="RFT on word problems",
    )
