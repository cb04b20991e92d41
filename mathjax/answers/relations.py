"""Equations and inequalities, and the values they give to names."""

from fractions import Fraction

from mathjax.answers import evaluate, numbers_at, sets
from mathjax.answers import tree as tree_of
from mathjax.answers.quantities import Unknown, context, inexact, real


def same_relation(a, b, equal) -> bool:
    """Whether two equations or inequalities say the same, or one of them is `x = ` in front of the other."""
    a, b = _exactly(a), _exactly(b)
    if a[0] == b[0]:
        return _both(a[1], b[1], equal)
    if a[0] == "relation":
        return _one(a, b, equal)
    if b[0] == "relation":
        return _one(b, a, equal, named=True)
    return equal(a, b)


def _exactly(tree):
    """A relation without what comes after a sign for "about": that is not its value, but near it."""
    if tree[0] != "relation" or "~" not in tree[1][1::2]:
        return tree
    parts = tree[1][: tree[1].index("~")]
    if len(parts) > 1:
        return ("relation", parts)
    return tree if evaluate.symbols(parts[0]) else parts[0]


def _one(relation, tree, equal, named=False):
    """A relation beside something else: a set it describes, or the value it gives to what stands left of it.

    That is a name, or where `named` also a measure such as a + b; 2x + z = 1 is not an answer of 1.
    """
    parts = relation[1]
    if parts[-2] == "in" or (parts[-2] != "=" and (sets.is_set(tree) or tree[0] in ("list", "set"))):
        if parts[-2] == "in" and not sets.is_set(tree):
            return equal(parts[-1], tree)
        return sets.same_set(relation, tree, equal)
    if parts[-2] not in ("=", "~"):
        return False
    if parts[1::2] != ("=",) * (len(parts) // 2) and parts[-2] != "~":
        return False
    left, right = parts[0], parts[-1]
    if (sets.is_name(left) or (named and _measure(left)) or not evaluate.symbols(left)) and equal(right, tree):
        return bool(sets.is_name(left) or evaluate.symbols(left) or equal(left, right))
    return right[0] == "symbol" and len(parts) == 3 and equal(left, tree)


def assignments(tree):
    """The values that a tree gives to names, as (name, value) pairs in order; None where it does nothing else."""
    relations = tree[1] if tree[0] in ("list", "set") else (tree,)
    if len(relations) == 1 and relations[0][0] == "relation":
        parts = relations[0][1]
        if len(parts) == 3 and parts[1] == "=" and parts[0][0] == parts[2][0] == "brackets" and sets.is_name(parts[0]):
            names, values = parts[0][3], parts[2][3]
            return (
                [(name[1], value) for name, value in zip(names, values, strict=True)]
                if len(names) == len(values)
                else None
            )
    pairs = []
    for relation in relations:
        if relation[0] != "relation" or len(relation[1]) != 3 or relation[1][1] != "=" or relation[1][0][0] != "symbol":
            return None
        pairs.append((relation[1][0][1], relation[1][2]))
    return pairs if len(pairs) > 1 and len({name for name, _ in pairs}) == len(pairs) else None


def same_assignments(these, b, equal):
    """Whether values given to names are the same as another tree's: by name, or in order as a tuple; else None."""
    those = assignments(b)
    if those is not None:
        if {name for name, _ in these} != {name for name, _ in those}:
            return None
        return all(equal(value, dict(those)[name]) for name, value in these)
    if b[0] == "brackets" and b[1] == "(" and len(b[3]) == len(these):
        return all(equal(value, other) for (_, value), other in zip(these, b[3], strict=True))
    return None


def _measure(tree):
    """Whether a tree is a sum of symbols and their powers, each once, as questions ask for: a + b, x^2 + y^2."""
    parts = tree[1] if tree[0] == "sum" else (tree,)
    return all((part[0] == "power" and part[1][0] == "symbol") or sets.is_name(part) for part in parts)


def _both(one, other, equal):
    if len(one) == len(other) == 3:
        return _same_line(one, other, equal)
    if one[1::2] == other[1::2] and all(equal(x, y) for x, y in zip(one[::2], other[::2], strict=False)):
        return len(one) == len(other)
    if len(one) == len(other) and {*one[1::2], *other[1::2]} <= sets.FLIPPED.keys():
        turned = [sets.FLIPPED[sign] for sign in one[1::2]][::-1]
        if turned == list(other[1::2]) and all(equal(x, y) for x, y in zip(one[::-2], other[::2], strict=True)):
            return True
    if set(one[1::2]) == set(other[1::2]) == {"="}:
        return equal(one[-1], other[-1]) and (sets.is_name(one[0]) or sets.is_name(other[0]) or equal(one[0], other[0]))
    these, those = sets.pieces(("relation", one)), sets.pieces(("relation", other))
    return these is not None and those is not None and sets.same_set(("relation", one), ("relation", other), equal)


def _same_line(one, other, equal):
    """Two relations of one sign each: the same sides, or differences of sides that are multiples of each other."""
    (left, sign, right), (other_left, other_sign, other_right) = one, other
    if "in" in (sign, other_sign):
        these = right if sign == "in" else ("relation", one)
        those = other_right if other_sign == "in" else ("relation", other)
        return equal(these, those) if "relation" not in (these[0], those[0]) else sets.same_set(these, those, equal)
    if sign == "~" or other_sign == "~":
        return equal(right, other_right)
    if sign == other_sign and equal(left, other_left) and equal(right, other_right):
        return True
    if sign == sets.FLIPPED.get(other_sign) and equal(left, other_right) and equal(right, other_left):
        return True
    if sign not in sets.FLIPPED or other_sign not in sets.FLIPPED or not _numeric(one) or not _numeric(other):
        return False
    factor = _multiple(("sum", (left, ("negative", right))), ("sum", (other_left, ("negative", other_right))))
    if factor is None:
        return False
    return other_sign == (sign if factor > 0 or sign in ("=", "!=") else sets.FLIPPED[sign])


def _numeric(parts):
    return all(part[0] not in ("text", "list", "set", "brackets", "matrix", "union") for part in parts[::2])


def _multiple(one, other):
    """The constant that makes one expression the other, None where there is none."""
    names = evaluate.symbols(one) | evaluate.symbols(other)
    if any(name.startswith("(") for name in names) and tree_of.written(one) != tree_of.written(other):
        raise Unknown("parts that are not worked out")
    point = {name: Fraction(place * 37 + 11, 10) for place, name in enumerate(sorted(names), 1)}
    first, second = evaluate.value(one, point), evaluate.value(other, point)
    if first == 0 or second == 0 or not real(first) or not real(second):
        return 1 if first == second == 0 else None
    factor = context.re(inexact(second)) / context.re(inexact(first))
    ratio = ("quotient", _at(other, point), _at(one, point))
    return factor if numbers_at.same(other, ("product", (ratio, one))) else None


def _at(tree, point):
    """A tree with exact values in place of its symbols."""
    match tree:
        case ("symbol", name) if name in point:
            return ("number", point[name])
        case ("opaque", *_):
            return ("number", point[tree_of.written(tree)])
    return tree_of.with_children(tree, lambda part: _at(part, point))
