"""A learning curve as SVG."""

import math

WIDTH, HEIGHT = 960, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 40


def curve(points: list[dict]) -> str:
    """The losses of a run over its steps, from the rows of its metrics; "" where fewer than two rows have one.

    A row has `step`, and of `loss`, `heldout_loss` and `tokens_seen` what was measured there.
    """
    seen = [(row["step"], row["loss"]) for row in points if _finite(row.get("loss"))]
    heldout = [(row["step"], row["heldout_loss"]) for row in points if _finite(row.get("heldout_loss"))]
    if len(seen) < 2:
        return ""
    steps, losses = zip(*seen, *heldout, strict=True)
    low, high = ticks(0, max(losses))[0], ticks(0, max(losses))[-1]
    last = max(steps)

    def x(step):
        return LEFT + (WIDTH - LEFT - RIGHT) * step / last

    def y(loss):
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - loss) / (high - low)

    def line(pairs):
        return "M" + "L".join(f"{x(step):.1f} {y(loss):.1f}" for step, loss in pairs)

    parts = []
    for tick in ticks(0, max(losses)):
        parts.append(f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in ticks(0, last):
        if tick <= last:
            place = f'x="{x(tick):.1f}" text-anchor="{"end" if tick == last else "middle"}"'
            parts.append(f'<text {place} y="{HEIGHT - BOTTOM + 18}">{tick:,.0f}</text>')
            tokens = _tokens_at(points, tick)
            if tokens:
                parts.append(f'<text {place} y="{HEIGHT - BOTTOM + 33}">{_short(tokens)}</text>')
    parts.append(f'<path class="seen" d="{line(seen)}"/>')
    if heldout:
        parts.append(f'<path class="heldout" d="{line(heldout)}"/>')
        parts += [f'<circle class="heldout" cx="{x(step):.1f}" cy="{y(loss):.1f}" r="3"/>' for step, loss in heldout]
    words = f"loss {seen[0][1]:.3g} at step {seen[0][0]}, {seen[-1][1]:.3g} at step {seen[-1][0]}"
    return f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">{"".join(parts)}</svg>'


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """About `count` round numbers from at or below `low` to at or above `high`."""
    raw = (high - low) / (count - 1) or 1.0
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * times for times in (1, 2, 2.5, 5, 10) if size * times >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


def _finite(value):
    return isinstance(value, int | float) and math.isfinite(value)


def _tokens_at(points, step):
    """Tokens seen by the first row at or after a step, if it says."""
    return (
        next((row["tokens_seen"] for row in points if row["step"] >= step and row.get("tokens_seen")), 0) if step else 0
    )


def _short(count):
    """1,234,567 as 1.2M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:.0f}"
