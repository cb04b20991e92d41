"""A plan in words and as JSON."""

import dataclasses

from mathjax import config
from mathjax.train.plan.plan import LEFT_OUT, Plan

GIB = 2**30


def as_dict(made: Plan, job: config.Train, price: float | None = None) -> dict:
    """Everything of a plan, and what follows for the whole recipe; `price` is that of a chip-hour."""
    found = {}
    for name, took in (("best", made.best), ("in_turn", made.in_turn)):
        hours = took * job.steps / 3600
        found[name] = {
            "seconds_per_step": took,
            "mfu": made.mfu(took),
            "tokens_per_second": made.rows * made.length / took,
            "hours": hours,
            "chip_hours": hours * made.chips,
            "cost": None if price is None else hours * made.chips * price,
        }
    return dataclasses.asdict(made) | {
        "steps": job.steps,
        "price": price,
        **found,
        "left_out": " ".join(LEFT_OUT.split()),
    }


def text(made: Plan, job: config.Train, price: float | None = None) -> str:
    """A plan as a table for the terminal."""
    told = as_dict(made, job, price)
    sizes = " ".join(f"{name}={size}" for name, size in made.mesh.items())
    how = f"compiled in {made.compile_seconds:.0f} s" if made.how == "compiled" else "by formula"
    more = ", optimizer on the host" if made.offload else ""
    verdict = "fits" if made.fits else "does not fit"
    lines = [
        f"{made.target}: {made.chips} chips, {made.devices} devices, {sizes}; {how}",
        f"{made.rows} rows of {made.length} tokens in {made.accumulate} parts, remat {made.remat}, "
        f"attention {made.attention}{more}",
        "",
        f"memory of a device, GiB of {made.memory / GIB:.1f}",
        *(f"  {name:<12}{getattr(made, name) / GIB:8.2f}" for name in ("params", "optimizer", "working")),
        f"  {'peak':<12}{made.peak / GIB:8.2f}   {made.peak / made.memory:.0%}: it {verdict}",
        "",
        f"FLOPs of a step: {made.model_flops:.3g} by formula, {made.model_flops / made.devices:.3g} a device",
        f"  a device computes {made.flops:.3g}, {made.flops * made.devices / made.model_flops:.2f} times its share"
        + (f"; the compiler counts {made.compiler_flops:.3g}, every loop once" if made.compiler_flops else ""),
        "",
        f"{'collectives of a device':<24}{'times':>8}{'GB':>10}{'seconds':>10}",
        *(f"  {met.kind:<22}{met.times:8,}{met.bytes / 1e9:10.2f}{met.seconds:10.3f}" for met in made.collectives),
        "",
        f"{'a step':<24}{'at best':>12}{'in turn':>12}",
        f"  computing {made.compute_seconds:.3f} s, memory {made.memory_seconds:.3f} s ({made.traffic / 1e9:,.0f} GB), "
        f"network {made.network_seconds:.3f} s",
    ]
    rows = [
        ("seconds", "seconds_per_step", "{:.3f}"),
        ("MFU", "mfu", "{:.1%}"),
        ("tokens/s", "tokens_per_second", "{:,.0f}"),
        (f"hours of {job.steps:,} steps", "hours", "{:.2f}"),
        ("chip-hours", "chip_hours", "{:,.1f}"),
        *([(f"cost at {price} a chip-hour", "cost", "{:,.2f}")] if price is not None else []),
    ]
    for label, name, shown in rows:
        lines.append(f"  {label:<22}{shown.format(told['best'][name]):>12}{shown.format(told['in_turn'][name]):>12}")
    return "\n".join([*lines, "", LEFT_OUT])


def table(plans: list[Plan]) -> str:
    """Several plans, one a line."""
    head = f"{'data':>5}{'fsdp':>6}{'tensor':>7}{'rows':>7}{'parts':>6} {'remat':<9}{'peak GiB':>9}"
    head += f"{'at best':>10}{'in turn':>10}{'MFU':>14}"
    lines = [head]
    for made in plans:
        sizes = "{data:>5}{fsdp:>6}{tensor:>7}".format(**made.mesh)
        shares = f"{made.mfu(made.in_turn):.1%}-{made.mfu(made.best):.1%}" if made.fits else "does not fit"
        lines.append(
            f"{sizes}{made.rows:>7}{made.accumulate:>6} {made.remat:<9}{made.peak / GIB:>9.2f}"
            f"{made.best:>8.3f} s{made.in_turn:>8.3f} s{shares:>14}"
        )
    return "\n".join(lines)
