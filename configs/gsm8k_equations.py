"""Every distinct equation <<lhs=rhs>> of GSM8K's solutions as an arithmetic question.

python scripts/make_data.py --config=configs/gsm8k_equations.py --config.path=gsm8k/test.jsonl --workdir=DIR
"""

from mathjax.config import GSM8KEquations


def get_config():
    return GSM8KEquations(path="../shared/data/gsm8k/test.jsonl")
