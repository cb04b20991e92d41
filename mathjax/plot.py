"""Series of points as SVG, joined in their order or with the line through each."""

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 620, 40, 340  # of what is plotted


def svg(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    across: str,
    up: str,
    lines: Mapping[str, tuple[float, float]] | None = None,
) -> str:
    """The points (x, y) of each series, and its line y = intercept + slope x of `lines`, or else the points joined.

    ValueError where there is no point, or one that is not finite.
    """
    every = [pair for points in series.values() for pair in points]
    if not every or not all(map(math.isfinite, (number for pair in every for number in pair))):
        raise ValueError(f"a plot takes finite points, got {every[:5]}")
    (left, right), (low, high) = ((min(axis), max(axis)) for axis in zip(*every, strict=True))
    wide, tall = right - left or 1, high - low or 1

    def place(x, y):
        return LEFT + (RIGHT - LEFT) * (x - left) / wide, BOTTOM - (BOTTOM - TOP) * (y - low) / tall

    parts = [f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="currentColor"/>']
    for number, (name, points) in enumerate(series.items()):
        color = f"hsl({number * 137 % 360} 65% 45%)"
        ends = sorted(points)[:: max(1, len(points) - 1)]
        if lines and name in lines:
            slope, intercept = lines[name]
            path = [place(x, intercept + slope * x) for x, _ in ends]
        else:
            path = [] if lines else [place(*pair) for pair in points]
        if path:
            drawn = "L".join(f"{x:.1f} {y:.1f}" for x, y in path)
            parts.append(f'<path d="M{drawn}" fill="none" stroke="{color}"/>')
        for pair in points:
            x, y = place(*pair)
            shown = escape(f"{name} {pair[0]:.4g}, {pair[1]:.4g}".strip())
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"><title>{shown}</title></circle>')
        parts.append(f'<text x="{RIGHT + 12}" y="{TOP + 18 * number}" fill="{color}">{escape(name)}</text>')
    for number, x, y, anchor in (
        (left, LEFT, BOTTOM + 20, "start"),
        (right, RIGHT, BOTTOM + 20, "end"),
        (low, LEFT - 6, BOTTOM, "end"),
        (high, LEFT - 6, TOP + 8, "end"),
    ):
        parts.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}">{number:.4g}</text>')
    middle = (LEFT + RIGHT) // 2
    parts.append(f'<text x="{middle}" y="{BOTTOM + 40}" text-anchor="middle">{escape(across)}</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP - 18}" text-anchor="middle">{escape(up)}</text>')
    style = 'font-family="sans-serif" font-size="13" fill="currentColor"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>{"".join(parts)}</svg>'
