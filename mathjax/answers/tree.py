"""Trees of mathematics.

A tree is a tuple whose first member says what it is:
("number", Fraction), ("constant", name), ("symbol", name), ("text", words), ("sum", parts), ("product", parts),
("quotient", a, b), ("power", a, b), ("negative", a), ("plus_minus", sign, a), ("function", name, arguments),
("percent", a), ("degrees", a), ("base", digits, base), ("words", a, words), ("ratio", parts),
("relation", (a, sign, b, sign, ...)), ("list", parts), ("brackets", open, close, parts), ("set", parts),
("union" | "intersection", parts), ("difference", a, b), ("matrix", rows), ("opaque", name, parts).
"""


def children(tree):
    """The trees right beneath a tree."""
    for part in tree[1:]:
        if isinstance(part, tuple) and part:
            yield from (part,) if isinstance(part[0], str) else _flat(part)


def _flat(parts):
    for part in parts:
        if isinstance(part, tuple) and part:
            yield from (part,) if isinstance(part[0], str) else _flat(part)


def with_children(tree, change):
    """The tree with each tree right beneath it changed."""
    return tuple(_changed(part, change) if isinstance(part, tuple) else part for part in tree)


def _changed(part, change):
    if part and isinstance(part[0], str):
        return change(part)
    return tuple(_changed(one, change) if isinstance(one, tuple) else one for one in part)


def written(tree) -> str:
    """A tree as text that is the same for trees that differ in the order of sums, products, lists and sets only."""
    match tree:
        case ("number", value):
            return str(value)
        case ("constant" | "symbol" | "text", name):
            return name.replace(" ", "_")
        case ("sum" | "product" | "set" | "list" | "union" | "intersection" as kind, parts):
            return f"{kind}({','.join(sorted(map(written, parts)))})"
    return "(" + ",".join(written(part) if isinstance(part, tuple) else str(part) for part in tree) + ")"


def product(left, right):
    """The product of two trees, of which the first may be a product already."""
    return ("product", (*left[1], right)) if left[0] == "product" else ("product", (left, right))
