"""Whether two answers name the same thing: identical text, equal numbers, then trees compared by meaning.

Values are compared exactly where they are rational, otherwise at several points in fifty digits: a difference at one
point is a difference for sure. No tolerance is absolute, so 2^-99 and 2^-98 differ.
"""

import functools
import re
from dataclasses import dataclass

from mathjax.answers import lexer, numbers_at, quantities, relations, sets, signs, syntax, tables, words
from mathjax.answers import tree as tree_of
from mathjax.answers.lexer import Unreadable
from mathjax.answers.number import number

_ALL_TEXT = re.compile(r"\$?\\text\s*\{([^{}]*)\}\$?")
_INTEGERS = re.compile(r"(\\\{|[(\[])?((?:-?[0-9]{1,18},\s?)+-?[0-9]{1,18})(\\\}|[)\]])?")
_WITH_WORDS = re.compile(r"([-+]?\\?\$?[0-9][0-9,]*(?:\.[0-9]+)?) ([a-z]{3,}(?: [a-z]+){0,3})")
_NO_UNITS = re.compile(
    r"\b(?:and|or|to|in|mod|by|over|percent|pct|hundred|thousand|million|billion|trillion|dozen|pi|sin|cos|tan|log|ln|exp|sqrt|inf|infinity)"
)
_SUM = re.compile(r"[-+*/0-9., ()]+= ?\\?\$?(-?[0-9][0-9,]*(?:\.[0-9]+)?)")
_SEPARATORS = re.compile(r"\\[,!;: ]|[\s,$]|\{,\}")
LONGEST_LIST = 200


@dataclass(frozen=True, slots=True)
class Comparison:
    """`equal` is True, False, or None where it could not be decided; `why` says how it was found, in a few words."""

    equal: bool | None
    why: str


SAME_TEXT = Comparison(True, "same text")
SAME_NUMBER = Comparison(True, "same number")
OTHER_NUMBER = Comparison(False, "another number")


def same(truth: str, answer: str) -> Comparison:
    """Compare an answer with the truth, both as they stand in a text, without what surrounds them."""
    if truth == answer:
        return SAME_TEXT
    value = _number(truth)
    if value is not None and (found := number(answer)) is not None:
        return SAME_NUMBER if value == found or _printed(value, found) else OTHER_NUMBER
    if value is not None and (found := _counted_off(answer)) is not None:
        return SAME_NUMBER if value == found or _printed(value, found) else OTHER_NUMBER
    return _by_meaning(truth, answer)


def _counted_off(answer):
    """The number in an answer such as `18 dollars` or `3 + 1 = 4`, else None."""
    if (match := _WITH_WORDS.fullmatch(answer)) and not _NO_UNITS.search(match[2]):
        return number(match[1])
    match = _SUM.fullmatch(answer) if "=" in answer else None
    return number(match[1]) if match else None


def _printed(value, found):
    """Whether one of two numbers is a float printed in full, and the other the number it stands for."""
    return (numbers_at.printed(found) or numbers_at.printed(value)) and numbers_at.close(value, found)


@functools.lru_cache(maxsize=65536)
def _number(text):
    return number(text)


@functools.lru_cache(maxsize=65536)
def _by_meaning(truth, answer):
    if (plain := words.plain(truth)) == words.plain(answer) and plain:
        return SAME_TEXT
    if (long := _long(truth, answer)) is not None:
        return long
    if len(truth) > lexer.LONGEST or len(answer) > lexer.LONGEST:
        return Comparison(None if len(truth) > lexer.LONGEST else False, "too long")
    truths, why_not = _readings(truth)
    answers, unreadable = _readings(answer)
    if not truths:
        return _text(truth, answer, f"unreadable truth: {why_not}")
    if not answers:
        return Comparison(False, f"unreadable: {unreadable}")
    undecided = None
    for one in truths:
        for other in answers:
            try:
                if equal(_alone(one), _as_list(_alone(other), _alone(one))):
                    return Comparison(True, "same value")
            except quantities.Unknown as error:
                undecided = error
            except RecursionError:
                undecided = "nested too deep"
    return Comparison(None, f"undecided: {undecided}") if undecided else Comparison(False, "another value")


def _long(truth, answer):
    """The comparison of numbers and of lists of integers too long to be read as trees, else None."""
    if max(len(truth), len(answer)) < 900:
        return None
    these, those = _INTEGERS.fullmatch(truth.strip()), _INTEGERS.fullmatch(answer.strip())
    if these and those:
        if these[1] != those[1] or these[3] != those[3]:
            return Comparison(False, "other brackets")
        these, those = (match[2].replace(" ", "").split(",") for match in (these, those))
        alike = these == those if truth.strip()[0] in "([" else sorted(these) == sorted(those)
        return SAME_TEXT if alike else Comparison(False, "another list")
    digits = [_SEPARATORS.sub("", text).lstrip("+") for text in (truth, answer)]
    if all(re.fullmatch(r"-?[0-9]+", text) for text in digits):
        return SAME_NUMBER if digits[0] == digits[1] else OTHER_NUMBER
    return None


def _text(truth, answer, why):
    """The comparison with a truth that is no mathematics that could be read: perhaps it is a phrase."""
    if not re.search(r"[0-9\\]", truth):
        return SAME_TEXT if words.prose(truth) == words.prose(answer) else Comparison(False, "another text")
    return Comparison(None, why)


def _to_ten(tree):
    """The tree with logarithms without a base to base 10, as schools and engineers write them."""
    if tree[0] == "function" and tree[1] == "log" and len(tree[2]) == 1:
        return ("function", "lg", (_to_ten(tree[2][0]),))
    return tree_of.with_children(tree, _to_ten)


def _alone(tree):
    """The one value in square brackets, which are those of a list."""
    return tree[3][0] if tree[0] == "brackets" and tree[1:3] == ("[", "]") and len(tree[3]) == 1 else tree


def _as_list(answer, truth):
    """The list in brackets that a program prints, as the list or the one value that it stands for."""
    if answer[0] != "brackets" or answer[1:3] != ("[", "]") or truth[0] in ("brackets", "union", "relation", "matrix"):
        return answer
    return ("list", answer[3]) if truth[0] == "list" else answer


@functools.lru_cache(maxsize=8192)
def _readings(text):
    """The trees that a text can be read as, and why there are none: `1,234` is a number, or a list of two."""
    trees, why = [], ""
    if (match := _ALL_TEXT.fullmatch(text.strip())) and re.search(r"[0-9]", match[1]):
        text = match[1]
    for grouped in (True, False) if re.search(r"[0-9],[0-9]{3}", text) else (True,):
        try:
            tree = syntax.parse(text, grouped)
            trees += [one for one in (tree, _to_ten(tree)) if one not in trees]
        except Unreadable as error:
            why = str(error)
        except RecursionError:
            why = "nested too deep"
    return trees, why


def equal(a, b) -> bool:
    """Whether two trees mean the same. quantities.Unknown where that cannot be decided."""
    if a == b or tree_of.written(a) == tree_of.written(b):
        return True
    a, b = _without_words(a, b)
    a, b = _counted(a, b), _counted(b, a)
    for one, other in ((a, b), (b, a)):
        given = relations.assignments(one)
        if given is not None and (found := relations.same_assignments(given, other, equal)) is not None:
            return found
    if (a[0] == "text" or b[0] == "text") and not (sets.is_set(a) and sets.is_set(b)):
        return None not in (_spelled(a), _spelled(b)) and words.prose(_spelled(a)) == words.prose(_spelled(b))
    if a[0] == "relation" or b[0] == "relation":
        return relations.same_relation(a, b, equal)
    if {a[0], b[0]} == {"list", "union"}:
        return sets.same_set(a, b, equal)
    if "set" in (a[0], b[0]) and (sets.is_set(a) or sets.is_set(b)):
        return sets.same_set(a, b, equal)
    if _many(a) or _many(b):
        return _same_parts(_expanded(a), _expanded(b))
    if "matrix" in (a[0], b[0]) and not _many(a) and not _many(b):
        return _same_table(a, b)
    if sets.is_set(a) or sets.is_set(b):
        if a[0] == b[0] == "brackets" and (a[1] == b[1] == "(" or len(a[3]) != 2 or len(b[3]) != 2):
            return a[1:3] == b[1:3] and _elementwise(a[3], b[3])
        return sets.same_set(a, b, equal)
    if a[0] == "brackets" or b[0] == "brackets":
        return _same_table(a, b)
    if a[0] == b[0] == "ratio":
        return _same_ratio(a[1], b[1])
    if "ratio" in (a[0], b[0]):
        return False
    return _same_value(a, b)


def _counted(tree, other):
    """A number that is written in words, as a number where the other is one."""
    if (
        tree[0] == "text"
        and other[0] in ("number", "power", "product")
        and (value := words.spoken(tree[1])) is not None
    ):
        return ("number", value)
    return tree


def _spelled(tree):
    """What a tree of words and letters spells, None for other trees."""
    match tree:
        case ("text" | "symbol" | "constant", name):
            return name
        case ("product", parts) if all(part[0] in ("symbol", "constant") for part in parts):
            return "".join(part[1] for part in parts)
        case ("number", value):
            return str(value)
        case ("words", inner, remark) if (spelled := _spelled(inner)) is not None:
            return f"{remark} {spelled}"
    return None


def _without_words(a, b):
    """Both without units and remarks; where both have some that contradict each other, as texts that differ."""
    unit_a, unit_b = words.remarks(a), words.remarks(b)
    if unit_a and unit_b and words.contradict(unit_a, unit_b):
        return ("text", unit_a), ("text", unit_b)
    return words.bare(a), words.bare(b)


def _same_value(a, b):
    if "percent" in (a[0], b[0]) and a[0] != b[0]:  # 50% is 50 of percent, and one half
        bare = [tree[1] if tree[0] == "percent" else tree for tree in (a, b)]
        return numbers_at.same(*bare) or numbers_at.same(a, b)
    if "degrees" in (a[0], b[0]) and a[0] != b[0]:
        bare = [tree[1] if tree[0] == "degrees" else tree for tree in (a, b)]
        return numbers_at.same(*bare) or numbers_at.same(a, b)
    if "base" in (a[0], b[0]):
        return a[0] == b[0] and a[2] == b[2] and a[1].lstrip("0") == b[1].lstrip("0")
    return numbers_at.same(a, b)


def _many(tree):
    return tree[0] in ("list", "set") or signs.has_signs(tree)


def _expanded(tree):
    """The values a list or a set stands for, each sign of a plus-minus for itself."""
    parts = tree[1] if tree[0] in ("list", "set") else (tree,)
    if len(parts) > LONGEST_LIST:
        raise quantities.Unknown("a list out of bounds")
    return [one for part in parts for one in signs.expanded(words.bare(part))]


def _same_parts(these, those):
    """Whether two collections hold the same, in any order; twice the same counts once."""
    these, those = _distinct(these), _distinct(those)
    if len(these) != len(those):
        return False
    for one in these:
        place = next((place for place, other in enumerate(those) if equal(one, other)), None)
        if place is None:
            return False
        del those[place]
    return True


def _distinct(trees):
    found = []
    for tree in trees:
        if not any(tree == other or tree_of.written(tree) == tree_of.written(other) for other in found):
            found.append(tree)
    if len(found) <= 12:
        found = [tree for place, tree in enumerate(found) if not any(_alike(tree, other) for other in found[:place])]
    return found


def _alike(a, b):
    try:
        return equal(a, b)
    except quantities.Unknown:
        return False


def _elementwise(these, those):
    return len(these) == len(those) and all(map(equal, these, those))


def _same_table(a, b):
    """Tuples, lists in brackets, vectors and matrices; a vector may be written as a row, a column or a tuple."""
    rows, others = tables.rows_of(a), tables.rows_of(b)
    if rows is None or others is None or (a[0] == b[0] == "brackets" and a[1:3] != b[1:3]):
        return False
    if a[0] != b[0] and _vector(rows) and _vector(others):
        rows, others = ([[cell] for row in table for cell in row] for table in (rows, others))
    return len(rows) == len(others) and all(map(_elementwise, rows, others))


def _vector(rows):
    return len(rows) == 1 or all(len(row) == 1 for row in rows)


def _same_ratio(these, those):
    if len(these) != len(those):
        return False
    first, other = these[0], those[0]
    if any(part == ("number", 0) for part in (*these, *those)):  # a time of day
        return all(map(equal, these, those))
    return all(
        numbers_at.same(
            ("product", (words.bare(x), words.bare(other))), ("product", (words.bare(y), words.bare(first)))
        )
        for x, y in zip(these[1:], those[1:], strict=True)
    )
