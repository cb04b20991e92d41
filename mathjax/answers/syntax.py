"""Mathematical text as a tree, by a grammar of our own: nothing in it is ever executed.

A tree is a tuple whose first member says what it is:
("number", Fraction), ("constant", name), ("symbol", name), ("text", words), ("sum", parts), ("product", parts),
("quotient", a, b), ("power", a, b), ("negative", a), ("plus_minus", sign, a), ("function", name, arguments),
("percent", a), ("degrees", a), ("base", digits, base), ("words", a, words), ("ratio", parts),
("relation", (a, sign, b, sign, ...)), ("list", parts), ("brackets", open, close, parts), ("set", parts),
("union" | "intersection", parts), ("difference", a, b), ("matrix", rows), ("opaque", name, parts).
"""

import functools
import re
from fractions import Fraction

from mathjax.answers import lexer, number, words
from mathjax.answers.lexer import Unreadable, clean, tokens

DEEPEST = 40  # brackets, powers and arguments within each other
RELATIONS = {"=", "<", ">", "<=", ">=", "!=", "in", "~", "iff", "to"}
CLOSING = {"(": (")", "]"), "[": ("]", ")"), "\\{": ("\\}",), "<|": ("|>",), "{": ("}",)}
SETS = {"cup": "union", "cap": "intersection"}
BASES = {
    word: base for base, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2)
} | {"sixteen": 16, "hex": 16, "binary": 2, "ternary": 3, "octal": 8}
MATRICES = {"matrix", "pmatrix", "bmatrix", "vmatrix", "Bmatrix", "array", "smallmatrix"}


@functools.lru_cache(maxsize=4096)
def parse(text: str, grouped: bool = True) -> tuple:
    """The tree of a text. Unreadable where it is none, too long or too deep.

    `grouped` says whether `1,234` is one number, where no space follows the comma, or a list of two.
    """
    if len(text) > lexer.LONGEST:
        raise Unreadable(f"{len(text)} characters, {lexer.LONGEST} at most")
    text = clean(text)
    return _Parser(tokens(_grouped(text) if grouped else text)).whole()


def _grouped(text):
    return re.sub(r"(?<![0-9.,])[0-9]{1,3}(?:,(?:\\!\s*|\\,| ?\\ )?[0-9]{3})+(?![0-9])", _without_commas, text)


def _without_commas(match):
    return re.sub(r"[^0-9]", "", match[0])


class _Parser:
    """Recursive descent over tokens; `spaced[i]` says whether a space stood before token i."""

    def __init__(self, found):
        self.kinds, self.texts, self.spaced = [], [], []
        space = False
        for kind, text in found:
            if kind == "space":
                space = True
                continue
            if kind == "operator" and text in ("&", '"', "`", "#", "@") and text != "&":
                continue
            self.kinds.append(kind)
            self.texts.append(text)
            self.spaced.append(space)
            space = False
        self.kinds.append("end")
        self.texts.append("")
        self.spaced.append(False)
        self.place = self.depth = 0
        self.bars = self.conditions = 0

    def whole(self):
        tree = self.items()
        while self.texts[self.place] in (".", ",", ";", ":", "?", "!", "\\\\"):
            self.place += 1
        if self.kinds[self.place] != "end":
            raise Unreadable(f"{self.texts[self.place]!r} where the answer should end")
        return tree

    def items(self, stop=()):
        """Relations between commas, semicolons, `and`, `or`; one of them alone is no list."""
        parts, separators = [], []
        self._enter()
        while True:
            while self._separator() and self.texts[self.place] not in stop:
                separators.append(self.texts[self.place])
                self.place += 1
            if self.kinds[self.place] == "end" or self.texts[self.place] in stop or self._closes():
                break
            parts.append(self.relation())
            if not self._separator():
                break
        self.depth -= 1
        if not parts:
            raise Unreadable("nothing")
        if len(parts) == 1 and not (separators and stop):
            return parts[0]
        if "or" in map(_word, separators) and all(part[0] == "relation" and "=" not in part[1] for part in parts):
            return ("union", tuple(parts))
        return ("list", tuple(parts))

    def relation(self):
        if self._operator({"~", "="}):
            self.place += 1
        left = self.ratio()
        if not self._operator(RELATIONS):
            return left
        chain = [left]
        while self._operator(RELATIONS):
            sign = self.texts[self.place]
            self.place += 1
            if self.kinds[self.place] == "end":
                break
            chain += [sign, self.ratio()]
        return ("relation", tuple(chain)) if len(chain) > 1 else left

    def ratio(self):
        left = self.sets()
        if not self._operator({":"}) or self.conditions:
            return left
        parts = [left]
        while self._operator({":"}):
            self.place += 1
            parts.append(self.sets())
        return ("ratio", tuple(parts))

    def sets(self):
        left = self.sum()
        while self._operator({"cup", "cap", "setminus"}):
            sign = self.texts[self.place]
            self.place += 1
            right = self.sum()
            if sign == "setminus":
                left = ("difference", left, right)
            elif left[0] == SETS[sign]:
                left = (left[0], (*left[1], right))
            else:
                left = (SETS[sign], (left, right))
        return left

    def sum(self):
        parts = [self.term()]
        while self._operator({"+", "-", "±", "∓"}):
            sign = self.texts[self.place]
            self.place += 1
            term = self.term()
            parts.append({"+": term, "-": ("negative", term)}.get(sign) or ("plus_minus", sign, term))
        if len(parts) == 1:
            return parts[0]
        return ("sum", tuple(parts))

    def term(self):
        left = self.signed()
        while True:
            if self._operator({"*", "/", "//"}):
                sign = self.texts[self.place]
                self.place += 1
                right = self.signed()
                if sign == "*":
                    left = _product(left, right)
                elif sign == "/":
                    left = ("quotient", left, right)
                else:
                    left = ("function", "floor", (("quotient", left, right),))
            elif (self.kinds[self.place], self.texts[self.place]) == ("structure", "choose"):
                self.place += 1
                left = ("function", "binomial", (left, self.term()))
            elif self._operator({"mod"}):
                self.place += 1
                left = ("function", "mod", (left, self.signed()))
            elif self._starts():
                left = self.beside(left)
            else:
                return left

    def beside(self, left):
        """What stands beside the last factor: a mixed number, words, or a factor."""
        if self.kinds[self.place] == "text":
            return self.words(left)
        if left[0] == "number" and left[1].denominator == 1 and (part := self.mixed()) is not None:
            return self.postfix(("number", left[1] + part))
        return _product(left, self.power())

    def mixed(self):
        """The fraction of a mixed number at this place, such as `1/2` or `\\frac12`; None where there is none."""
        start = self.place
        if self.kinds[start] == "number" and self.spaced[start] and self.texts[start + 1] == "/":
            above, below = self.texts[start], self.texts[start + 2]
            if above.isdigit() and below.isdigit() and int(below) and self.texts[start + 3] not in ("^", "!"):
                self.place += 3
                return Fraction(int(above), int(below))
            return None
        if (self.kinds[start], self.texts[start]) != ("structure", "frac"):
            return None
        tree = self.atom()
        value = (
            tree[1][1] / tree[2][1]
            if tree[0] == "quotient" and tree[1][0] == tree[2][0] == "number" and tree[2][1]
            else None
        )
        plain = not self._operator({"^", "!", "_"})
        if plain and value is not None and value > 0 and all(side[1].denominator == 1 for side in tree[1:]):
            return value
        self.place = start
        return None

    def words(self, left):
        """Words behind a value: its unit, or what it is a number of."""
        behind = []
        while True:
            if self.kinds[self.place] == "text" and not self._separator():
                behind.append(self.texts[self.place])
                self.place += 1
            elif behind and self.texts[self.place] == "^" and self.kinds[self.place + 1] == "number":
                behind.append("^" + self.texts[self.place + 1])
                self.place += 2
            elif behind and self.texts[self.place] == "^" and self.texts[self.place + 1] == "{":
                end = self.place + 2
                behind.append("^" + self.texts[end])
                self.place = end + 2 if self.texts[end + 1] == "}" else end + 1
            elif behind and self.texts[self.place] in ("/", ".") and self.kinds[self.place + 1] == "text":
                behind.append(self.texts[self.place])
                self.place += 1
            else:
                break
        found = " ".join(behind).strip()
        if found.lower() in words.SCALES and left[0] == "number":
            return ("number", left[1] * words.SCALES[found.lower()])
        if left[0] == "symbol" and left[1] in ("a", "A"):
            return ("text", f"{left[1]} {found}")
        return ("words", left, found) if found else left

    def signed(self):
        if self._operator({"-", "+", "±", "∓"}):
            sign = self.texts[self.place]
            self.place += 1
            self._enter()
            inner = self.signed()
            self.depth -= 1
            if sign == "-":
                return ("number", -inner[1]) if inner[0] == "number" else ("negative", inner)
            return inner if sign == "+" else ("plus_minus", sign, inner)
        return self.power()

    def power(self):
        base = self.postfix(self.atom())
        while self._operator({"^"}):
            self.place += 1
            if self.kinds[self.place] == "degree":
                self.place += 1
                base = ("degrees", base)
                continue
            if self._operator({"'"}):
                self.place += 1
                base = ("symbol", f"{base[1]}'") if base[0] == "symbol" else base
                continue
            self._enter()
            exponent = self.signed() if not self._operator({"{"}) else self.group()
            self.depth -= 1
            if exponent == ("degrees", None):
                base = ("degrees", base)
            else:
                base = self.postfix(("power", base, exponent))
        return base

    def postfix(self, base):
        while True:
            text, kind = self.texts[self.place], self.kinds[self.place]
            if kind == "operator" and text == "!" and self.texts[self.place + 1] != "=":
                base = ("function", "factorial", (base,))
            elif kind == "operator" and text == "%":
                base = ("percent", base)
            elif kind == "degree":
                base = ("degrees", base)
            elif kind == "operator" and text == "_":
                self.place += 1
                base = self.subscript(base)
                continue
            elif kind == "operator" and text == "'" and base[0] == "symbol":
                base = ("symbol", base[1] + "'")
            else:
                return base
            self.place += 1

    def subscript(self, base):
        below = self.group() if self._operator({"{"}) else self.atom()
        if below[0] == "words" and "base" in below[2]:
            below = below[1]
        elif below[0] == "text" and below[1].strip().lower() in BASES:
            below = ("number", Fraction(BASES[below[1].strip().lower()]))
        if base[0] == "number" and base[1].denominator == 1 and base[1] >= 0 and below[0] == "number":
            return ("base", str(base[1]), below[1])
        if base[0] in ("symbol", "text"):
            return ("symbol", f"{base[1]}_{written(below)}")
        return ("opaque", "subscript", (base, below))

    def atom(self):
        kind, text = self.kinds[self.place], self.texts[self.place]
        self.place += 1
        match kind:
            case "number":
                return self.numeral(text)
            case "constant":
                return ("constant", text)
            case "symbol":
                return ("constant", {"I": "i"}.get(text, text)) if text in "eiI" else ("symbol", text)
            case "function":
                return self.function(text)
            case "structure":
                return self.structure(text)
            case "text":
                return self.text(text)
            case "begin":
                return self.environment(text)
            case "degree":
                return ("degrees", None)
        if kind == "operator":
            return self.bracketed(text)
        raise Unreadable(f"{text or 'the end'!r} where a value should be")

    def numeral(self, text):
        if self.texts[self.place] == "." and self._repeats(self.place + 1) and "." not in text:
            self.place += 2
            return ("number", _repeating(text, "", self.repeated()))
        if "." in text and self._repeats(self.place):
            self.place += 1
            return ("number", _repeating(*text.split("."), self.repeated()))
        value = number.number(text) if len(text) <= number.LONGEST else None
        if value is None and len(text) < 40 and "e" in text.lower():  # beyond what can be written out
            mantissa, exponent = re.split("[eE]", text)
            tens = ("power", ("number", Fraction(10)), ("number", Fraction(int(exponent))))
            return ("product", (("number", number.number(mantissa)), tens))
        if value is None:
            raise Unreadable(f"the number {text[:20]}...")
        return ("number", value)

    def _repeats(self, place):
        return (self.kinds[place], self.texts[place]) == ("structure", "overline")

    def repeated(self):
        group = self.group()
        start = self.place - 2
        digits = self.texts[start]
        if group[0] != "number" or not digits.isdigit():
            raise Unreadable("a repeating decimal")
        return digits

    def text(self, words):
        while self.kinds[self.place] == "text" and not self._separator():
            words += " " + self.texts[self.place]
            self.place += 1
        plain = words.strip().lower()
        if plain in ("and", "or", "") and self.kinds[self.place] != "end":
            raise Unreadable(f"{words!r} where a value should be")
        if self._starts() or self._operator({"-"}):
            return ("words", self.signed(), words.strip())
        return ("text", words.strip())

    def function(self, name):
        """A function and its argument: in brackets, or the factors that follow."""
        if name == "sqrt" and self._operator({"["}):
            self.place += 1
            index = self.items(("]",))
            self._close("]")
            return ("function", "root", (self.argument(), index))
        power = base = None
        while self._operator({"^", "_"}):
            sign = self.texts[self.place]
            self.place += 1
            self._enter()
            part = self.group() if self._operator({"{"}) else self.signed() if sign == "^" else self.atom()
            self.depth -= 1
            power, base = (part, base) if sign == "^" else (power, part)
        arguments = self.arguments()
        if power == ("number", Fraction(-1)) and name in ("sin", "cos", "tan", "cot", "sec", "csc"):
            name, power = "arc" + name, None
        if base is not None:
            arguments = (*arguments, base)
        tree = ("quotient", *arguments) if name == "quotient" and len(arguments) == 2 else ("function", name, arguments)
        return tree if power is None else ("power", tree, power)

    def arguments(self):
        if self._operator({"("}) or self._operator({"["}):
            tree = self.atom()
            if tree[0] == "brackets":
                return tree[3]
            return (tree,)
        if self._operator({"{"}):
            tree = self.group()
            return tree[1] if tree[0] == "list" else (tree,)
        self._enter()
        parts = [self.signed()]
        while self._starts() and self.kinds[self.place] not in ("function", "text", "structure", "begin"):
            parts.append(self.power())
        self.depth -= 1
        return (functools.reduce(_product, parts),)

    def structure(self, name):
        match name:
            case "frac":
                return ("quotient", self.argument(), self.argument())
            case "binom":
                return ("function", "binomial", (self.argument(), self.argument()))
            case "overline":
                return ("opaque", "overline", (self.argument(),))
            case "dots" | "ldots" | "cdots":
                return ("opaque", "dots", ())
        return self.opaque(name)

    def argument(self):
        """A group in braces, or the one digit or letter that LaTeX takes where there is none."""
        if self._operator({"{"}):
            return self.group()
        kind, text = self.kinds[self.place], self.texts[self.place]
        if kind == "number" and len(text) > 1 and text.isdigit():
            self.texts[self.place] = text[1:]
            self.spaced[self.place] = False
            return ("number", Fraction(int(text[0])))
        return self.atom()

    def opaque(self, name):
        """An integral, a sum, a limit: kept as it stands, with all that follows it in its term."""
        parts = []
        while self._operator({"_", "^"}):
            sign = self.texts[self.place]
            self.place += 1
            self._enter()
            parts.append(("opaque", sign, (self.limits(),)))
            self.depth -= 1
        self._enter()
        parts.append(self.term())
        self.depth -= 1
        return ("opaque", name, tuple(parts))

    def limits(self):
        if not self._operator({"{"}):
            return self.atom()
        self.place += 1
        tree = self.items(("}",))
        self._close("}")
        return tree

    def group(self):
        """What stands in braces."""
        self._close("{")
        self._enter()
        if self._operator({"}"}):
            self.place += 1
            self.depth -= 1
            return ("text", "")
        tree = self.items(("}",))
        self._close("}")
        self.depth -= 1
        if tree[0] == "list":
            return ("list", tuple(map(_entry, tree[1])))
        return _entry(tree)

    def environment(self, name):
        if name == "cases" or name not in MATRICES:
            raise Unreadable(f"environment {name}")
        rows, row = [], []
        self._enter()
        while True:
            if self.kinds[self.place] == "end" and self.texts[self.place] == "":
                raise Unreadable(f"{name} that does not end")
            if self.kinds[self.place] == "end":
                break
            if self._operator({"&"}):
                self.place += 1
            elif self._operator({"\\\\"}):
                self.place += 1
                rows, row = [*rows, tuple(row)] if row else rows, []
            else:
                row.append(self.relation())
        self.place += 1
        self.depth -= 1
        rows = [*rows, tuple(row)] if row else rows
        return ("function", "determinant", (("matrix", tuple(rows)),)) if name == "vmatrix" else ("matrix", tuple(rows))

    def bracketed(self, opening):
        if opening == "|":
            return self.absolute()
        if opening in ("floor(", "ceil("):
            name = opening[:-1]
            tree = self.items((")" + name,))
            self._close(")" + name)
            return ("function", name, (tree,))
        if opening not in CLOSING:
            raise Unreadable(f"{opening!r} where a value should be")
        if opening == "{":
            self.place -= 1
            tree = self.group()
            return ("set", tree[1]) if tree[0] == "list" else tree
        if self.texts[self.place] in CLOSING[opening]:
            self.place += 1
            return ("symbol", "emptyset") if opening == "\\{" else ("brackets", opening, self.texts[self.place - 1], ())
        bars, self.bars = self.bars, int(opening == "\\{")  # a bar or a colon in a set begins its condition
        self.conditions += opening == "\\{"
        tree = self.items((*CLOSING[opening], "|", ":")) if opening == "\\{" else self.items(CLOSING[opening])
        self.conditions -= opening == "\\{"
        if opening == "\\{" and self.texts[self.place] in ("|", ":"):  # the set of all that fulfil a condition
            self.place += 1
            tree = self.items(CLOSING[opening])
            self._close(*CLOSING[opening])
            self.bars = bars
            return tree
        self.bars = bars
        self._close(*CLOSING[opening])
        closing = self.texts[self.place - 1]
        parts = tree[1] if tree[0] == "list" else (tree,)
        if opening == "\\{":
            return ("set", parts)
        if opening == "<|":
            return ("brackets", "(", ")", parts)
        if opening + closing in ("()", "[]") and (tree[0] == "matrix" or (opening == "(" and tree[0] != "list")):
            return tree
        return ("brackets", opening, closing, parts)

    def absolute(self):
        self.bars += 1
        tree = self.items(("|",))
        self._close("|")
        self.bars -= 1
        return ("function", "abs", (tree,))

    def _starts(self):
        """Whether a factor can start here without an operator before it."""
        kind, text = self.kinds[self.place], self.texts[self.place]
        if kind in ("number", "constant", "symbol", "function", "structure", "begin"):
            return text != "choose"
        if kind == "text":
            return not self._separator()
        return kind == "operator" and (
            text in ("(", "{", "\\{", "[", "floor(", "ceil(", "<|") or (text == "|" and not self.bars)
        )

    def _operator(self, signs):
        return self.kinds[self.place] == "operator" and self.texts[self.place] in signs

    def _separator(self):
        kind, text = self.kinds[self.place], self.texts[self.place]
        if kind == "text":
            return _word(text) in ("and", "or", "")
        return kind == "operator" and text in (",", ";", "and", "or")

    def _closes(self):
        return self.kinds[self.place] == "operator" and self.texts[self.place] in (")", "]", "}", "\\}", "|>")

    def _close(self, *signs):
        if self.kinds[self.place] != "operator" or self.texts[self.place] not in signs:
            raise Unreadable(f"{self.texts[self.place] or 'the end'!r} where {' or '.join(signs)} should be")
        self.place += 1

    def _enter(self):
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unreadable(f"more than {DEEPEST} levels of brackets")


def _word(text):
    return text.strip(" ,").lower()


def _entry(tree):
    """An entry of a dict of Python, `x: 3`, as the equation it stands for."""
    if tree[0] == "ratio" and len(tree[1]) == 2 and tree[1][0][0] == "symbol":
        return ("relation", (tree[1][0], "=", tree[1][1]))
    return tree


def _product(left, right):
    return ("product", (*left[1], right)) if left[0] == "product" else ("product", (left, right))


def _repeating(whole, digits, repeated):
    scale = 10 ** len(digits)
    return Fraction(int(whole + digits), scale) + Fraction(int(repeated), scale * (10 ** len(repeated) - 1))


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
