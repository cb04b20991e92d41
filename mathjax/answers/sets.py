"""Sets of real numbers, and the inequalities that describe them."""

import functools
from fractions import Fraction

from mathjax.answers import evaluate, quantities, words
from mathjax.answers.quantities import Unknown, context

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
    if len(parts) == 5 and parts[1] in ("<", "<=") and parts[3] in ("<", "<=") and is_name(parts[2]):
        return [(parts[0], parts[4], parts[1] == "<", parts[3] == "<")]
    if len(parts) == 5 and parts[1] in (">", ">=") and parts[3] in (">", ">=") and is_name(parts[2]):
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
    at = [evaluate.value(difference, {name: Fraction(place)}) for place in (0, 1, 3)]
    slope = at[1] - at[0]
    if not quantities.exact(*at) or slope == 0 or at[2] - at[0] != 3 * slope:
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
    if not quantities.real(number):
        raise Unknown("a bound that is not real")
    return context.re(quantities.inexact(number))


def is_name(tree):
    """Whether a tree is what an answer is called: a symbol, f(x), a tuple of symbols, words."""
    match tree:
        case ("symbol" | "text", _):
            return True
        case ("product", (("symbol", _), *rest)):
            return all(part[0] == "symbol" for part in rest)
        case ("brackets", _, _, parts) | ("list", parts):
            return all(part[0] == "symbol" for part in parts)
        case ("words", inner, _):
            return is_name(inner)
        case ("quotient", above, below):
            return is_name(above) and is_name(below)
        case ("ratio", parts):
            return all(map(is_name, parts))
        case ("function", _, arguments):
            return all(map(is_name, arguments))
    return False
