"""How sure a measured share is: intervals for the accuracies of a report."""

import math

Z95 = 1.959963984540054  # 97.5% of a normal distribution lie below it


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a share, 95% unless `z` says otherwise; (0, 1) where nothing was asked.

    Wilson 1927. It stays within [0, 1] and has a width at 0 and n successes, where the normal one has none.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie in [0, n], got {successes} of {n}")
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes == 0 else (middle - half) / scale
    high = 1.0 if successes == n else (middle + half) / scale
    return low, high
