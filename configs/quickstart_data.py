"""300,000 lines of small arithmetic, worked out step by step: what the quickstart learns.

    python scripts/make_data.py --config=configs/quickstart_data.py --workdir=runs/quickstart/data

Whole numbers of 1-2 digits, factors and divisors of 1, no brackets, quotients without a remainder: single operations,
chains of two sums and differences, and chains of two operations of all four kinds. 1,000 lines for test and 1,000
held out, none of which is in train, not even as a step. About 10 s on two cores, 32 MB.
"""

from mathjax.config import Arithmetic, Expressions


def get_config():
    small = {"digits": (1, 2), "factor_digits": (1, 1), "divisor_digits": (1, 1)}
    return Arithmetic(
        parts=[
            Expressions(weight=1, operations=(1, 1), **small),
            Expressions(weight=3, operations=(2, 2), multiply=0, divide=0, **small),
            Expressions(weight=6, operations=(2, 2), multiply=2, **small),
        ],
        train=300_000,
    )
