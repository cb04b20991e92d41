"""Mathematical text as a tree, by a grammar of our own: nothing in it is ever executed."""

import functools
import re
from fractions import Fraction

from mathjax.answers import atoms, lexer, words
from mathjax.answers import tree as tree_of
from mathjax.answers.lexer import Unreadable, clean, tokens

DEEPEST = 40  # brackets, powers and arguments within each other
_BEYOND = 5  # ends behind the last token, for whoever looks ahead
RELATIONS = {"=", "<", ">", "<=", ">=", "!=", "in", "~", "iff", "to"}
SETS = {"cup": "union", "cap": "intersection"}
BASES = {
    word: base for base, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2)
} | {"sixteen": 16, "hex": 16, "binary": 2, "ternary": 3, "octal": 8}


@functools.lru_cache(maxsize=4096)
def parse(text: str, grouped: bool = True) -> tuple:
    """The tree of a text. Unreadable where it is none, too long or too deep.

    `grouped` says whether `1,234` is one number, where no space follows the comma, or a list of two.
    """
    if len(text) > lexer.LONGEST:
        raise Unreadable(f"{len(text)} characters, {lexer.LONGEST} at most")
    text = clean(text)
    return Parser(tokens(_grouped(text) if grouped else text)).whole()


def _grouped(text):
    return re.sub(r"(?<![0-9.,])[0-9]{1,3}(?:,(?:\\!\s*|\\,| ?\\ )?[0-9]{3})+(?![0-9])", _without_commas, text)


def _without_commas(match):
    return re.sub(r"[^0-9]", "", match[0])


class Parser:
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
        self.kinds += ["end"] * _BEYOND
        self.texts += [""] * _BEYOND
        self.spaced += [False] * _BEYOND
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
        self.enter()
        while True:
            while self.separator() and self.texts[self.place] not in stop:
                separators.append(self.texts[self.place])
                self.place += 1
            if self.kinds[self.place] == "end" or self.texts[self.place] in stop or self.closes():
                break
            parts.append(self.relation())
            if not self.separator():
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
        if self.operator({"~", "="}):
            self.place += 1
        left = self.ratio()
        if not self.operator(RELATIONS):
            return left
        chain = [left]
        while self.operator(RELATIONS):
            sign = self.texts[self.place]
            self.place += 1
            if self.kinds[self.place] == "end":
                break
            chain += [sign, self.ratio()]
        return ("relation", tuple(chain)) if len(chain) > 1 else left

    def ratio(self):
        left = self.sets()
        if not self.operator({":"}) or self.conditions:
            return left
        parts = [left]
        while self.operator({":"}):
            self.place += 1
            parts.append(self.sets())
        return ("ratio", tuple(parts))

    def sets(self):
        left = self.sum()
        while self.operator({"cup", "cap", "setminus"}):
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
        while self.operator({"+", "-", "±", "∓"}):
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
            if self.operator({"*", "/", "//"}):
                sign = self.texts[self.place]
                self.place += 1
                right = self.signed()
                if sign == "*":
                    left = tree_of.product(left, right)
                elif sign == "/":
                    left = ("quotient", left, right)
                else:
                    left = ("function", "floor", (("quotient", left, right),))
            elif (self.kinds[self.place], self.texts[self.place]) == ("structure", "choose"):
                self.place += 1
                left = ("function", "binomial", (left, self.term()))
            elif self.operator({"mod"}):
                self.place += 1
                left = ("function", "mod", (left, self.signed()))
            elif self.starts():
                left = self.beside(left)
            else:
                return left

    def beside(self, left):
        """What stands beside the last factor: a mixed number, words, or a factor."""
        if self.kinds[self.place] == "text":
            return self.words(left)
        if left[0] == "number" and left[1].denominator == 1 and (part := self.mixed()) is not None:
            return self.postfix(("number", left[1] + part))
        return tree_of.product(left, self.power())

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
        tree = atoms.atom(self)
        value = (
            tree[1][1] / tree[2][1]
            if tree[0] == "quotient" and tree[1][0] == tree[2][0] == "number" and tree[2][1]
            else None
        )
        plain = not self.operator({"^", "!", "_"})
        if plain and value is not None and value > 0 and all(side[1].denominator == 1 for side in tree[1:]):
            return value
        self.place = start
        return None

    def words(self, left):
        """Words behind a value: its unit, or what it is a number of."""
        behind = []
        while True:
            if self.kinds[self.place] == "text" and not self.separator():
                behind.append(self.texts[self.place])
                self.place += 1
            elif behind and self.texts[self.place] == "^" and self.kinds[self.place + 1] == "number":
                behind.append("^" + self.texts[self.place + 1])
                self.place += 2
            elif behind and self.texts[self.place] == "^" and self.texts[self.place + 1] == "{":
                end = self.place + 2
                behind.append("^" + self.texts[end])
                self.place = min(end + 2 if self.texts[end + 1] == "}" else end + 1, len(self.texts) - _BEYOND)
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
        if self.operator({"-", "+", "±", "∓"}):
            sign = self.texts[self.place]
            self.place += 1
            self.enter()
            inner = self.signed()
            self.depth -= 1
            if sign == "-":
                return ("number", -inner[1]) if inner[0] == "number" else ("negative", inner)
            return inner if sign == "+" else ("plus_minus", sign, inner)
        return self.power()

    def power(self):
        base = self.postfix(atoms.atom(self))
        while self.operator({"^"}):
            self.place += 1
            if self.kinds[self.place] == "degree":
                self.place += 1
                base = ("degrees", base)
                continue
            if self.operator({"'"}):
                self.place += 1
                base = ("symbol", f"{base[1]}'") if base[0] == "symbol" else base
                continue
            self.enter()
            exponent = self.signed() if not self.operator({"{"}) else atoms.group(self)
            self.depth -= 1
            if exponent == ("symbol", "degree"):
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
        below = atoms.group(self) if self.operator({"{"}) else atoms.atom(self)
        if below[0] == "words" and "base" in below[2]:
            below = below[1]
        elif below[0] == "text" and below[1].strip().lower() in BASES:
            below = ("number", Fraction(BASES[below[1].strip().lower()]))
        if base[0] == "number" and base[1].denominator == 1 and base[1] >= 0 and below[0] == "number":
            return ("base", str(base[1]), below[1])
        if base[0] in ("symbol", "text"):
            return ("symbol", f"{base[1]}_{tree_of.written(below)}")
        return ("opaque", "subscript", (base, below))

    def starts(self):
        """Whether a factor can start here without an operator before it."""
        kind, text = self.kinds[self.place], self.texts[self.place]
        if kind in ("number", "constant", "symbol", "function", "structure", "begin"):
            return text != "choose"
        if kind == "text":
            return not self.separator()
        return kind == "operator" and (
            text in ("(", "{", "\\{", "[", "floor(", "ceil(", "<|") or (text == "|" and not self.bars)
        )

    def operator(self, signs):
        return self.kinds[self.place] == "operator" and self.texts[self.place] in signs

    def separator(self):
        kind, text = self.kinds[self.place], self.texts[self.place]
        if kind == "text":
            return _word(text) in ("and", "or", "")
        return kind == "operator" and text in (",", ";", "and", "or")

    def closes(self):
        return self.kinds[self.place] == "operator" and self.texts[self.place] in (")", "]", "}", "\\}", "|>")

    def close(self, *signs):
        if self.kinds[self.place] != "operator" or self.texts[self.place] not in signs:
            raise Unreadable(f"{self.texts[self.place] or 'the end'!r} where {' or '.join(signs)} should be")
        self.place += 1

    def enter(self):
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unreadable(f"more than {DEEPEST} levels of brackets")


def _word(text):
    return text.strip(" ,").lower()
