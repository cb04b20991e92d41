"""Values, functions, brackets: what stands between operators. `parser` is a `syntax.Parser` at the place of one."""

import functools
import re
from fractions import Fraction

from mathjax.answers import number
from mathjax.answers import tree as tree_of
from mathjax.answers.lexer import Unreadable

CLOSING = {"(": (")", "]"), "[": ("]", ")"), "\\{": ("\\}",), "<|": ("|>",), "{": ("}",)}
MATRICES = {"matrix", "pmatrix", "bmatrix", "vmatrix", "Bmatrix", "array", "smallmatrix"}


def atom(parser):
    kind, text = parser.kinds[parser.place], parser.texts[parser.place]
    parser.place += 1
    match kind:
        case "number":
            return _numeral(parser, text)
        case "constant":
            return ("constant", text)
        case "symbol":
            return ("constant", {"I": "i"}.get(text, text)) if text in "eiI" else ("symbol", text)
        case "function":
            return _function(parser, text)
        case "structure":
            return _structure(parser, text)
        case "text":
            return _text(parser, text)
        case "begin":
            return _environment(parser, text)
        case "degree":
            return ("symbol", "degree")
    if kind == "operator":
        return _bracketed(parser, text)
    raise Unreadable(f"{text or 'the end'!r} where a value should be")


def _numeral(parser, text):
    if parser.texts[parser.place] == "." and _repeats(parser, parser.place + 1) and "." not in text:
        parser.place += 2
        return ("number", _repeating(text, "", _repeated(parser)))
    if "." in text and _repeats(parser, parser.place):
        parser.place += 1
        return ("number", _repeating(*text.split("."), _repeated(parser)))
    value = number.number(text) if len(text) <= number.LONGEST else None
    if value is None and len(text) < 40 and "e" in text.lower():  # beyond what can be written out
        mantissa, exponent = re.split("[eE]", text)
        tens = ("power", ("number", Fraction(10)), ("number", Fraction(int(exponent))))
        return ("product", (("number", number.number(mantissa)), tens))
    if value is None:
        raise Unreadable(f"the number {text[:20]}...")
    return ("number", value)


def _repeats(parser, place):
    return (parser.kinds[place], parser.texts[place]) == ("structure", "overline")


def _repeated(parser):
    inner = group(parser)
    start = parser.place - 2
    digits = parser.texts[start]
    if inner[0] != "number" or not digits.isdigit():
        raise Unreadable("a repeating decimal")
    return digits


def _text(parser, words):
    while parser.kinds[parser.place] == "text" and not parser.separator():
        words += " " + parser.texts[parser.place]
        parser.place += 1
    plain = words.strip().lower()
    if plain in ("and", "or", "") and parser.kinds[parser.place] != "end":
        raise Unreadable(f"{words!r} where a value should be")
    if parser.starts() or parser.operator({"-"}):
        return ("words", parser.signed(), words.strip())
    return ("text", words.strip())


def _function(parser, name):
    """A function and its argument: in brackets, or the factors that follow."""
    if name == "sqrt" and parser.operator({"["}):
        parser.place += 1
        index = parser.items(("]",))
        parser.close("]")
        return ("function", "root", (_argument(parser), index))
    power = base = None
    while parser.operator({"^", "_"}):
        sign = parser.texts[parser.place]
        parser.place += 1
        parser.enter()
        part = group(parser) if parser.operator({"{"}) else parser.signed() if sign == "^" else atom(parser)
        parser.depth -= 1
        power, base = (part, base) if sign == "^" else (power, part)
    arguments = _arguments(parser)
    if power == ("number", Fraction(-1)) and name in ("sin", "cos", "tan", "cot", "sec", "csc"):
        name, power = "arc" + name, None
    if base is not None:
        arguments = (*arguments, base)
    tree = ("quotient", *arguments) if name == "quotient" and len(arguments) == 2 else ("function", name, arguments)
    return tree if power is None else ("power", tree, power)


def _arguments(parser):
    if parser.operator({"("}) or parser.operator({"["}):
        tree = atom(parser)
        if tree[0] == "brackets":
            return tree[3]
        return (tree,)
    if parser.operator({"{"}):
        tree = group(parser)
        return tree[1] if tree[0] == "list" else (tree,)
    parser.enter()
    parts = [parser.signed()]
    while parser.starts() and parser.kinds[parser.place] not in ("function", "text", "structure", "begin"):
        parts.append(parser.power())
    parser.depth -= 1
    return (functools.reduce(tree_of.product, parts),)


def _structure(parser, name):
    match name:
        case "frac":
            return ("quotient", _argument(parser), _argument(parser))
        case "binom":
            return ("function", "binomial", (_argument(parser), _argument(parser)))
        case "overline":
            return ("opaque", "overline", (_argument(parser),))
        case "dots" | "ldots" | "cdots":
            return ("opaque", "dots", ())
    return _opaque(parser, name)


def _argument(parser):
    """A group in braces, or the one digit or letter that LaTeX takes where there is none."""
    if parser.operator({"{"}):
        return group(parser)
    kind, text = parser.kinds[parser.place], parser.texts[parser.place]
    if kind == "number" and len(text) > 1 and text.isdigit():
        parser.texts[parser.place] = text[1:]
        parser.spaced[parser.place] = False
        return ("number", Fraction(int(text[0])))
    return atom(parser)


def _opaque(parser, name):
    """An integral, a sum, a limit: kept as it stands, with all that follows it in its term."""
    parts = []
    while parser.operator({"_", "^"}):
        sign = parser.texts[parser.place]
        parser.place += 1
        parser.enter()
        parts.append(("opaque", sign, (_limits(parser),)))
        parser.depth -= 1
    parser.enter()
    parts.append(parser.term())
    parser.depth -= 1
    return ("opaque", name, tuple(parts))


def _limits(parser):
    if not parser.operator({"{"}):
        return atom(parser)
    parser.place += 1
    tree = parser.items(("}",))
    parser.close("}")
    return tree


def group(parser):
    """What stands in braces."""
    parser.close("{")
    parser.enter()
    if parser.operator({"}"}):
        parser.place += 1
        parser.depth -= 1
        return ("text", "")
    tree = parser.items(("}",))
    parser.close("}")
    parser.depth -= 1
    if tree[0] == "list":
        return ("list", tuple(map(_entry, tree[1])))
    return _entry(tree)


def _environment(parser, name):
    if name == "cases" or name not in MATRICES:
        raise Unreadable(f"environment {name}")
    rows, row = [], []
    parser.enter()
    while True:
        if parser.kinds[parser.place] == "end" and parser.texts[parser.place] == "":
            raise Unreadable(f"{name} that does not end")
        if parser.kinds[parser.place] == "end":
            break
        if parser.operator({"&"}):
            parser.place += 1
        elif parser.operator({"\\\\"}):
            parser.place += 1
            rows, row = [*rows, tuple(row)] if row else rows, []
        else:
            row.append(parser.relation())
    parser.place += 1
    parser.depth -= 1
    rows = [*rows, tuple(row)] if row else rows
    return ("function", "determinant", (("matrix", tuple(rows)),)) if name == "vmatrix" else ("matrix", tuple(rows))


def _bracketed(parser, opening):
    if opening == "|":
        return _absolute(parser)
    if opening in ("floor(", "ceil("):
        name = opening[:-1]
        tree = parser.items((")" + name,))
        parser.close(")" + name)
        return ("function", name, (tree,))
    if opening not in CLOSING:
        raise Unreadable(f"{opening!r} where a value should be")
    if opening == "{":
        parser.place -= 1
        tree = group(parser)
        return ("set", tree[1]) if tree[0] == "list" else tree
    if parser.texts[parser.place] in CLOSING[opening]:
        parser.place += 1
        return ("symbol", "emptyset") if opening == "\\{" else ("brackets", opening, parser.texts[parser.place - 1], ())
    bars, parser.bars = parser.bars, int(opening == "\\{")  # a bar or a colon in a set begins its condition
    parser.conditions += opening == "\\{"
    tree = parser.items((*CLOSING[opening], "|", ":")) if opening == "\\{" else parser.items(CLOSING[opening])
    parser.conditions -= opening == "\\{"
    if opening == "\\{" and parser.texts[parser.place] in ("|", ":"):  # the set of all that fulfil a condition
        parser.place += 1
        tree = parser.items(CLOSING[opening])
        parser.close(*CLOSING[opening])
        parser.bars = bars
        return tree
    parser.bars = bars
    parser.close(*CLOSING[opening])
    closing = parser.texts[parser.place - 1]
    parts = tree[1] if tree[0] == "list" else (tree,)
    if opening == "\\{":
        return ("set", parts)
    if opening == "<|":
        return ("brackets", "(", ")", parts)
    if opening + closing in ("()", "[]") and (tree[0] == "matrix" or (opening == "(" and tree[0] != "list")):
        return tree
    return ("brackets", opening, closing, parts)


def _absolute(parser):
    parser.bars += 1
    tree = parser.items(("|",))
    parser.close("|")
    parser.bars -= 1
    return ("function", "abs", (tree,))


def _entry(tree):
    """An entry of a dict of Python, `x: 3`, as the equation it stands for."""
    if tree[0] == "ratio" and len(tree[1]) == 2 and tree[1][0][0] == "symbol":
        return ("relation", (tree[1][0], "=", tree[1][1]))
    return tree


def _repeating(whole, digits, repeated):
    scale = 10 ** len(digits)
    return Fraction(int(whole + digits), scale) + Fraction(int(repeated), scale * (10 ** len(repeated) - 1))
