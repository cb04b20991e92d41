"""300,000 lines of small arithmetic, worked out step by step: what the quickstart learns.

    python scripts/make_data.py --config=configs/quickstart_data.py --workdir=runs/quickstart/data

Whole numbers without brackets: one or two sums and differences of numbers of 1-2 digits; one to three operations of
all four kinds on numbers of 1 digit, in which no value has more than 2 digits and quotients have no remainder; and no
value is negative. 1,000 lines for test and 1,000 held out, none of which is in train, not even as a step. About 15 s on
two cores, 32 MB.
"""

from mathjax.config import Arithmetic, Expressions


def get_config():
    return Arithmetic(
        parts=[
            Expressions(weight=1, operations=(1, 1), multiply=0, divide=0, digits=(1, 2), below_zero=False),
            Expressions(weight=4, operations=(2, 2), multiply=0, divide=0, digits=(1, 2), below_zero=False),
            Expressions(
                weight=5,
                operations=(1, 3),
                multiply=2,
                digits=(1, 1),
                factor_digits=(1, 1),
                divisor_digits=(1, 1),
                limit=2,
                below_zero=False,
            ),
        ],
        train=300_000,
    )
