"""Equations, inequalities and sets of real numbers."""

import functools

from mathjax.answers import evaluate, numbers_at, syntax, words
from mathjax.answers.evaluate import Unknown, context

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!=", "~": "~"}
INFINITY = ("constant", "infinity")
LOWEST = ("negative", INFINITY)
EVERYTHING = {"R", "mathbb_R", "reals"}
_OPENING, _CLOSING = {"(": True, "[": False}, {")": True, "]": False}


def is_set(tree) -> bool:
    """Whether a tree is a set of numbers: an interval, a union, the empty set, all real numbers."""
    match tree:
        case ("brackets", _, _, (_, _)) | ("union" | "intersection", _) | ("difference", _, _) | ("set", ()):
            return True
        case ("symbol", name):
            return name == "emptyset" or name in EVERYTHING
        case ("text", name):
            return words.prose(name) == "realnumber"
    return False


def same_set(a, b, equal) -> bool:
    """Whether two sets of real numbers are the same, piece by piece."""
    try:
        these, those = pieces(a), pieces(b)
    except Unknown:
        if a[0] == b[0] and a[0] in ("union", "intersection"):
            return len(a[1]) == len(b[1]) and all(any(equal(x, y) for y in b[1]) for x in a[1])
        raise
    if these is None or those is None:
        return False
    these, those = _ordered(these), _ordered(those)
    if these is None or those is None:
        return False
    return len(these) == len(those) and all(map(functools.partial(_same_piece, equal), these, those))


def _same_piece(equal, one, other):
    return one[2:] == other[2:] and equal(one[0], other[0]) and equal(one[1], other[1])


def pieces(tree):
    """Intervals (low, high, low is open, high is open) that make up a set; None where the tree is no set."""
    match tree:
        case ("brackets", opening, closing, (low, high)) if opening in _OPENING and closing in _CLOSING:
            return [(low, high, _OPENING[opening], _CLOSING[closing])]
        case ("brackets", "(" | "[", ")" | "]", (part,)):
            return pieces(part)
        case ("union", parts):
            found = [pieces(part) for part in parts]
            return None if None in found else [piece for part in found for piece in part]
        case ("set", parts):
            return [(part, part, False, False) for part in parts]
        case ("difference", whole, ("set", points)):
            return _without(pieces(whole), points)
        case ("symbol", "emptyset"):
            return []
        case ("symbol" | "text", name) if name in EVERYTHING or words.prose(name) == "realnumber":
            return [(LOWEST, INFINITY, True, True)]
        case ("words", inner, _):
            return pieces(inner)
        case ("relation", _):
            return _solutions(tree)
        case ("list", parts) if all(part[0] == "relation" for part in parts):
            return _intersected(parts)
        case ("list", parts) if all(part[0] == "brackets" for part in parts):
            return pieces(("union", parts))
    return None


def _without(found, points):
    """Pieces without single points."""
    for point in points:
        place = _size(point)
        after = []
        for low, high, open_low, open_high in found or ():
            if _size(low) < place < _size(high):
                after += [(low, point, open_low, True), (point, high, True, open_high)]
            else:
                after.append((low, high, open_low or _size(low) == place, open_high or _size(high) == place))
        found = after
    return found


def _solutions(tree):
    """The values of the one symbol of a relation for which it holds, where that can be read off; else None."""
    parts = tree[1]
    if len(parts) == 3 and parts[1] == "in":
        return pieces(parts[2])
    if len(parts) == 5 and parts[1] in ("<", "<=") and parts[3] in ("<", "<=") and _name(parts[2]):
        return [(parts[0], parts[4], parts[1] == "<", parts[3] == "<")]
    if len(parts) == 5 and parts[1] in (">", ">=") and parts[3] in (">", ">=") and _name(parts[2]):
        return [(parts[4], parts[0], parts[3] == ">", parts[1] == ">")]
    if len(parts) != 3 or parts[1] not in FLIPPED:
        return None
    left, sign, right = parts
    if right[0] == "symbol" and left[0] != "symbol":
        left, sign, right = right, FLIPPED[sign], left
    if left[0] != "symbol" or evaluate.symbols(right):
        return _from_line(parts)
    return _side(sign, right)


def _side(sign, bound):
    match sign:
        case "<" | "<=":
            return [(LOWEST, bound, True, sign == "<")]
        case ">" | ">=":
            return [(bound, INFINITY, sign == ">", True)]
        case "!=":
            return [(LOWEST, bound, True, True), (bound, INFINITY, True, True)]
        case "=":
            return [(bound, bound, False, False)]
    return None


def _from_line(parts):
    """The solutions of a linear relation in one symbol, from its values at two points."""
    left, sign, right = parts
    difference = ("sum", (left, ("negative", right)))
    names = evaluate.symbols(difference)
    if len(names) != 1:
        return None
    name = next(iter(names))
    at = [evaluate.value(difference, {name: evaluate.Fraction(place)}) for place in (0, 1, 3)]
    slope = at[1] - at[0]
    if not evaluate.exact(*at) or slope == 0 or at[2] - at[0] != 3 * slope:
        return None
    return _side(sign if slope > 0 else FLIPPED[sign], ("number", -at[0] / slope))


def _intersected(relations):
    """Relations that hold at once, as one interval."""
    low, high, open_low, open_high = LOWEST, INFINITY, True, True
    for relation in relations:
        found = _solutions(relation)
        if found is None or len(found) != 1:
            return None
        (bottom, top, open_bottom, open_top) = found[0]
        if _size(bottom) > _size(low):
            low, open_low = bottom, open_bottom
        if _size(top) < _size(high):
            high, open_high = top, open_top
    return [(low, high, open_low, open_high)]


def _ordered(found):
    """Pieces by size, those that touch joined, empty ones left out; None where one ends before it begins."""
    ordered = sorted(found, key=lambda piece: (_size(piece[0]), piece[2]))
    joined = []
    for piece in ordered:
        low, high, open_low, open_high = piece
        if _size(low) > _size(high):
            return None
        if _size(low) == _size(high) and (open_low or open_high):
            continue
        if joined and _touch(joined[-1], piece):
            before = joined[-1]
            if _size(high) >= _size(before[1]):
                both = open_high and (open_high == before[3] or _size(high) > _size(before[1]))
                joined[-1] = (before[0], high, before[2], both)
        else:
            joined.append(piece)
    return joined


def _touch(one, other):
    if _size(other[0]) < _size(one[1]):
        return True
    return _size(other[0]) == _size(one[1]) and not (one[3] and other[2])


def _size(tree):
    number = evaluate.value(words.bare(tree))
    if not evaluate.real(number):
        raise Unknown("a bound that is not real")
    return context.re(evaluate.inexact(number))


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
    if parts[-2] == "in" or (parts[-2] != "=" and (is_set(tree) or tree[0] in ("list", "set"))):
        if parts[-2] == "in" and not is_set(tree):
            return equal(parts[-1], tree)
        return same_set(relation, tree, equal)
    if parts[-2] not in ("=", "~"):
        return False
    if parts[1::2] != ("=",) * (len(parts) // 2) and parts[-2] != "~":
        return False
    left, right = parts[0], parts[-1]
    if (_name(left) or (named and _measure(left)) or not evaluate.symbols(left)) and equal(right, tree):
        return bool(_name(left) or evaluate.symbols(left) or equal(left, right))
    return right[0] == "symbol" and len(parts) == 3 and equal(left, tree)


def _name(tree):
    """Whether a tree is what an answer is called: a symbol, f(x), a tuple of symbols, words."""
    match tree:
        case ("symbol" | "text", _):
            return True
        case ("product", (("symbol", _), *rest)):
            return all(part[0] == "symbol" for part in rest)
        case ("brackets", _, _, parts) | ("list", parts):
            return all(part[0] == "symbol" for part in parts)
        case ("words", inner, _):
            return _name(inner)
        case ("quotient", above, below):
            return _name(above) and _name(below)
        case ("ratio", parts):
            return all(map(_name, parts))
        case ("function", _, arguments):
            return all(map(_name, arguments))
    return False


def assignments(tree):
    """The values that a tree gives to names, as (name, value) pairs in order; None where it does nothing else."""
    relations = tree[1] if tree[0] in ("list", "set") else (tree,)
    if len(relations) == 1 and relations[0][0] == "relation":
        parts = relations[0][1]
        if len(parts) == 3 and parts[1] == "=" and parts[0][0] == parts[2][0] == "brackets" and _name(parts[0]):
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
    return all(part[0] == "symbol" or (part[0] == "power" and part[1][0] == "symbol") or _name(part) for part in parts)


def _both(one, other, equal):
    if len(one) == len(other) == 3:
        return _same_line(one, other, equal)
    if one[1::2] == other[1::2] and all(equal(x, y) for x, y in zip(one[::2], other[::2], strict=False)):
        return len(one) == len(other)
    if len(one) == len(other) and {*one[1::2], *other[1::2]} <= FLIPPED.keys():
        turned = [FLIPPED[sign] for sign in one[1::2]][::-1]
        if turned == list(other[1::2]) and all(equal(x, y) for x, y in zip(one[::-2], other[::2], strict=True)):
            return True
    if set(one[1::2]) == set(other[1::2]) == {"="}:
        return equal(one[-1], other[-1]) and (_name(one[0]) or _name(other[0]) or equal(one[0], other[0]))
    these, those = pieces(("relation", one)), pieces(("relation", other))
    return these is not None and those is not None and same_set(("relation", one), ("relation", other), equal)


def _same_line(one, other, equal):
    """Two relations of one sign each: the same sides, or differences of sides that are multiples of each other."""
    (left, sign, right), (other_left, other_sign, other_right) = one, other
    if "in" in (sign, other_sign):
        these = right if sign == "in" else ("relation", one)
        those = other_right if other_sign == "in" else ("relation", other)
        return equal(these, those) if "relation" not in (these[0], those[0]) else same_set(these, those, equal)
    if sign == "~" or other_sign == "~":
        return equal(right, other_right)
    if sign == other_sign and equal(left, other_left) and equal(right, other_right):
        return True
    if sign == FLIPPED.get(other_sign) and equal(left, other_right) and equal(right, other_left):
        return True
    if sign not in FLIPPED or other_sign not in FLIPPED or not _numeric(one) or not _numeric(other):
        return False
    factor = _multiple(("sum", (left, ("negative", right))), ("sum", (other_left, ("negative", other_right))))
    if factor is None:
        return False
    return other_sign == (sign if factor > 0 or sign in ("=", "!=") else FLIPPED[sign])


def _numeric(parts):
    return all(part[0] not in ("text", "list", "set", "brackets", "matrix", "union") for part in parts[::2])


def _multiple(one, other):
    """The constant that makes one expression the other, None where there is none."""
    names = evaluate.symbols(one) | evaluate.symbols(other)
    if any(name.startswith("(") for name in names) and syntax.written(one) != syntax.written(other):
        raise Unknown("parts that are not worked out")
    point = {name: evaluate.Fraction(place * 37 + 11, 10) for place, name in enumerate(sorted(names), 1)}
    first, second = evaluate.value(one, point), evaluate.value(other, point)
    if first == 0 or second == 0 or not evaluate.real(first) or not evaluate.real(second):
        return 1 if first == second == 0 else None
    factor = context.re(evaluate.inexact(second)) / context.re(evaluate.inexact(first))
    ratio = ("quotient", _at(other, point), _at(one, point))
    return factor if numbers_at.same(other, ("product", (ratio, one))) else None


def _at(tree, point):
    """A tree with exact values in place of its symbols."""
    match tree:
        case ("symbol", name) if name in point:
            return ("number", point[name])
        case ("opaque", *_):
            return ("number", point[syntax.written(tree)])
    return syntax.with_children(tree, lambda part: _at(part, point))
