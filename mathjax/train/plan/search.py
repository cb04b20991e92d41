"""The best of several layouts of a recipe on a target, and the largest batch that fits."""

import dataclasses
import itertools

from mathjax import config
from mathjax.train.plan import plan as plans
from mathjax.train.plan.target import USABLE, Target

REMAT = ("none", "products", "layers")
PARTS = (1, 2, 4, 8)
TENSOR = (1, 2, 4, 8)


def layouts(job: config.Train, target: Target) -> list[config.Train]:
    """The job in every layout that its batch can be split by, and that fits by formula, the fastest by formula first.

    A layout is a mesh, a remat policy, and the parts that a batch is worked off in: none changes what is learned.
    """
    found = []
    for tensor, parts, remat in itertools.product(TENSOR, PARTS, REMAT):
        if target.count % tensor or job.model.kv_heads % tensor:
            continue
        left = target.count // tensor
        for fsdp in (n for n in range(1, left + 1) if left % n == 0):
            data = left // fsdp
            if job.data.rows % (left * parts) or data % target.slices:
                continue
            sizes = dataclasses.replace(job.mesh, data=data, fsdp=fsdp, tensor=tensor)
            one = dataclasses.replace(job, mesh=sizes, remat=remat, accumulate=parts)
            made = plans.by_formula(one, target)
            if made.fits:
                found.append((made.in_turn, len(found), one))
    return [one for *_, one in sorted(found)]


def search(job: config.Train, target: Target, tries: int = 3, say=print) -> list[tuple[config.Train, plans.Plan]]:
    """The fastest `tries` layouts with their plans, those that fit first, by the seconds of a step with all in turn.

    For a TPU each is compiled. ValueError where no layout fits even by formula.
    """
    chosen = layouts(job, target)[:tries]
    if not chosen:
        raise ValueError(f"no layout of {job.data.rows} rows of {job.data.length} tokens fits {target.name} by formula")
    made = []
    for number, one in enumerate(chosen):
        sizes = " ".join(f"{name}={getattr(one.mesh, name)}" for name in ("data", "fsdp", "tensor"))
        say(f"layout {number + 1} of {len(chosen)}: {sizes}, remat {one.remat}, {one.accumulate} parts")
        made.append((one, plans.plan(one, target)))
    return sorted(made, key=lambda pair: (not pair[1].fits, pair[1].in_turn))


def largest(job: config.Train, target: Target, say=print) -> tuple[config.Train, plans.Plan] | None:
    """The job with the most rows that fit in its layout, and its plan; None where not even the fewest do.

    What a step needs grows evenly with its rows, so two sizes tell where the memory ends; the third is made sure of.
    """
    sizes = plans.filled(job.mesh, target.count)
    least = sizes.data * sizes.fsdp * max(job.accumulate, 1)

    def made(times):
        say(f"{least * times} rows")
        one = dataclasses.replace(job, data=dataclasses.replace(job.data, rows=least * times))
        return one, plans.plan(one, target)

    one, two = made(1), made(2)
    if not one[1].fits:
        return None
    if not two[1].fits:
        return one
    more = max(1, two[1].peak - one[1].peak)
    times = 1 + max(1, int((USABLE * target.memory - one[1].peak) / more))
    while times > 2:
        last = made(times)
        if last[1].fits:
            return last
        times = min(times - 1, int(times * 0.9))
    return two
