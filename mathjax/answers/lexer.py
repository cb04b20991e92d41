"""Mathematical text, in LaTeX, plain or Python's spelling, as tokens."""

import re

LONGEST = 10_000  # characters
MOST_TOKENS = 3_000

UNICODE = str.maketrans(
    {
        "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/", "π": "\\pi ", "∞": "\\infty ",
        "≤": "\\le ", "≥": "\\ge ", "≠": "\\ne ", "≈": "\\approx ", "∪": "\\cup ", "∩": "\\cap ", "∅": "\\emptyset ",
        "∈": "\\in ", "±": "\\pm ", "∓": "\\mp ", "√": "\\sqrt ", "°": "^\\circ ", "θ": "\\theta ", "α": "\\alpha ",
        "β": "\\beta ", "γ": "\\gamma ", "λ": "\\lambda ", "μ": "\\mu ", "φ": "\\phi ", "ω": "\\omega ", "ℝ": "\\R ",
        "ℤ": "\\Z ", "∖": "\\setminus ", "→": "\\to ", "½": "\\frac12 ", "⅓": "\\frac13 ", "⅔": "\\frac23 ",
        "¼": "\\frac14 ", "¾": "\\frac34 ", "⅕": "\\frac15 ", "⅛": "\\frac18 ", "⁰": "^0", "¹": "^1", "²": "^2",
        "³": "^3", "⁴": "^4", "⁵": "^5", "⁶": "^6", "⁷": "^7", "⁸": "^8", "⁹": "^9", "“": '"', "”": '"', "’": "'",
        "€": "", "£": "", "¥": "", "₹": "",
        "\u00a0": " ", "\u202f": " ", "\u2009": " ", "，": ",", "（": "(", "）": ")", "′": "'", "∠": "",
    }
)  # fmt: skip

FUNCTIONS = {  # names, in LaTeX or plain, of what `evaluate` can work out
    **{name: name for name in (
        "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "exp", "log", "ln", "lg", "sqrt", "abs",
        "floor", "gcd", "lcm", "max", "min", "binomial", "factorial", "arcsin", "arccos", "arctan", "cbrt", "root",
    )},
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "Abs": "abs", "ceiling": "ceil", "ceil": "ceil",
    "comb": "binomial", "Rational": "quotient", "Fraction": "quotient", "binom": "binomial", "coth": "coth",
    "sech": "sech", "csch": "csch", "arccot": "arccot", "Max": "max", "Min": "min",
}  # fmt: skip
CONSTANTS = {"pi": "pi", "oo": "infinity", "inf": "infinity", "infinity": "infinity", "I": "i", "E": "e"}
OPERATORS = {  # LaTeX commands that are operators, and their spelling here
    "cdot": "*", "times": "*", "ast": "*", "bullet": "*", "div": "/", "over": "/", "pm": "±", "mp": "∓",
    "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<", "gt": ">",
    "ne": "!=", "neq": "!=", "in": "in", "cup": "cup", "cap": "cap", "setminus": "setminus", "backslash": "setminus",
    "lbrace": "\\{", "rbrace": "\\}", "lvert": "|", "rvert": "|", "vert": "|", "mid": "|", "land": "and",
    "wedge": "and", "lor": "or", "vee": "or", "colon": ":", "equiv": "=", "approx": "~", "sim": "~", "simeq": "~",
    "iff": "iff", "Rightarrow": "iff", "implies": "iff", "to": "to", "rightarrow": "to", "langle": "<|",
    "rangle": "|>", "lfloor": "floor(", "rfloor": ")floor", "lceil": "ceil(", "rceil": ")ceil", "prime": "'",
    "lbrack": "[", "rbrack": "]", "bmod": "mod", "mod": "mod", "pmod": "mod", "%": "%", "&": "&", "|": "|",
}  # fmt: skip
SYMBOLS = set(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma "
    "Phi Psi Omega ell hbar nabla angle triangle R Z N Q "
    "C emptyset varnothing dots ldots cdots".split()
)
UNITS = set(
    "cm mm km kg mg ml mL ft yd mi lb lbs oz mph kph kmh rpm sec secs min mins hr hrs sq cu deg rad am pm AM PM usd "
    "USD Hz kHz MHz kPa Pa kW kWh mol cc cents".split()
)
LETTER_UNITS = set("mgshLJNWVAKCF")
SHORT_WORDS = set(
    "the is are not yes no of by for all any odd add even one two six ten day days if no None True False per "
    "each at".split()
)
NOTHING = set(
    "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr displaystyle textstyle limits nolimits quad qquad "
    ", ; : ! > < thinspace hfill hspace vspace mathop mathbin mathrel normalsize large small boldsymbol".split()
) | {" "}
TEXT = {"text", "textbf", "textit", "textrm", "textsf", "texttt", "mbox", "hbox", "textnormal", "emph"}
LETTERS = {
    "mathrm",
    "mathbf",
    "mathit",
    "mathsf",
    "mathbb",
    "mathcal",
    "operatorname",
    "bm",
    "boldsymbol",
    "vec",
    "hat",
}

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+(?![0-9A-Za-z]))?)"
    r"|\\(?P<command>[A-Za-z]+|.)"
    r"|(?P<word>[A-Za-z]+)"
    r"|(?P<operator>\*\*|<=|>=|!=|==|//|[-+*/^_=<>(){}\[\],;:|!%&'~±∓\"?.@#`])",
    re.DOTALL,
)


_TWICE = re.compile(r"\\\\(?=[A-Za-z{}%$,!])")


class Unreadable(ValueError):
    """The text is not written in the grammar of `syntax`."""


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_HALF_DAY = re.compile(r"(?<=[0-9}\s~,])([ap])\.?\s?m\b\.?(?![a-z])", re.IGNORECASE)
_UNIT = rf"(?:{'|'.join(sorted(UNITS, key=len, reverse=True))}|[{''.join(sorted(LETTER_UNITS))}])"
_UNITS_LAST = re.compile(
    r"(?<![^\s=(,$~])([-+]?[0-9][0-9.,/]*)(?:\s|~|\\[,;: ])+"
    rf"({_UNIT}(?:\s?(?:/|\\cdot|\*|\s)\s?{_UNIT})?(?:\^\{{?-?[0-9]\}}?)?)\s*\.?$"
)
_INTERVAL = re.compile(
    r"Interval(\.open|\.Ropen|\.Lopen)?\(([^(),]*(?:\([^()]*\))?[^(),]*),\s*([^(),]*(?:\([^()]*\))?[^(),]*)\)"
)
_SIDES = {None: "[]", ".open": "()", ".Ropen": "[)", ".Lopen": "(]"}
_UNION = re.compile(r"Union\((.*)\)")
_ASIDE = re.compile(r"(?<=[0-9}])\s+\(([a-zA-Z][a-zA-Z. ]*[a-zA-Z.])\)$")  # 36 (sq. inches)
_UNITS_BRACED = re.compile(rf"([0-9])\s?\{{({_UNIT})\}}$")
_OUTWARD = re.compile(r"([\[\]])([^\[\]]*,[^\[\]]*)([\[\]])")


def clean(text: str) -> str:
    """The text in plainer signs: no Unicode, no dollar signs, units and times of day marked as text."""
    text = _RAISED.sub(lambda match: "^{" + match[0].translate(_SUPERSCRIPTS) + "}", text)
    text = text.translate(UNICODE).replace("{,}", ",").replace("\\$", "").replace("$", "").strip()
    if "\\\\" in text and "\\begin" not in text:  # escaped twice, as JSON in JSON comes
        text = _TWICE.sub("\\\\", text)
    if "Interval" in text or text == "EmptySet":
        text = _sets(text)
    text = _HALF_DAY.sub(lambda match: f" \\text{{{match[1].lower()}m}}", text)
    text = _ASIDE.sub(r" \\text{\1}", text)
    text = _UNITS_BRACED.sub(r"\1 \\text{\2}", text)
    text = _UNITS_LAST.sub(lambda match: f"{match[1]} \\text{{{match[2]}}}", text)
    if (match := _OUTWARD.fullmatch(text)) and (match[1], match[3]) != ("[", "]"):  # ]2,5[ is (2,5)
        text = f"{'(' if match[1] == ']' else '['}{match[2]}{')' if match[3] == '[' else ']'}"
    return text


def _sets(text):
    """Sets as sympy prints them in the signs of mathematics."""
    text = _INTERVAL.sub(lambda match: f"{_SIDES[match[1]][0]}{match[2]}, {match[3]}{_SIDES[match[1]][1]}", text)
    if match := _UNION.fullmatch(text):
        text = re.sub(r"(?<=[)\]}]), (?=[(\[{])", r" \\cup ", match[1])
    return "\\emptyset" if text == "EmptySet" else text


def tokens(text: str) -> list[tuple[str, str]]:
    """Pairs of kind and text of a cleaned text: number, symbol, function, constant, structure, text, operator, space.

    Unreadable where it is too long or has a command or a sign that is not known.
    """
    if len(text) > LONGEST:
        raise Unreadable(f"{len(text)} characters, {LONGEST} at most")
    python = "\\" not in text
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Unreadable(f"sign {text[place]!r}")
        place = match.end()
        kind, piece = match.lastgroup, match[match.lastgroup]
        if kind == "command":
            place = _command(piece, text, place, found)
        elif kind == "word" and python and piece == "E" and text.startswith("**", place):
            found.append(("constant", "e"))
        elif kind == "word" and python and piece == "j" and found and found[-1][0] == "number":
            found.append(("constant", "i"))
        elif kind == "word":
            _word(piece, found)
        elif kind == "space":
            found.append(("space", " "))
        else:
            found.append((kind, {"**": "^", "==": "="}.get(piece, piece)))
        if len(found) > MOST_TOKENS:
            raise Unreadable(f"more than {MOST_TOKENS} tokens")
    return found


def _command(name, text, place, found):
    """Add the tokens of a LaTeX command; returns the place behind it and its argument, if that is text."""
    if name in TEXT:
        words, place = _group(text, place)
        found.append(("text", words))
    elif name in LETTERS:
        words, place = _group(text, place)
        word = words.strip().strip("\\")
        if _value_before(found) and re.fullmatch(rf"{_UNIT}(?:\s?[/ ]\s?{_UNIT})?(?:\^\{{?-?[0-9]\}}?)?", word):
            found.append(("text", word))
            return place
        if word.isalpha() and len(word) == 1:
            found.append(("symbol", word))
        elif word.isalpha() and word in FUNCTIONS:
            found.append(("function", FUNCTIONS[word]))
        elif word.isalpha():
            found.append(("text", word))
        else:
            found += tokens(words)
    elif name in ("dfrac", "tfrac", "cfrac", "frac"):
        found.append(("structure", "frac"))
    elif name in ("dbinom", "tbinom", "binom", "choose"):
        found.append(("structure", "binom" if name != "choose" else "choose"))
    elif name == "\\":
        found.append(("operator", "\\\\"))
    elif name in ("{", "}"):
        found.append(("operator", "\\" + name))
    elif name in ("begin", "end"):
        kind, place = _group(text, place)
        if name == "begin" and kind == "array":
            place = _group(text, place)[1]
        found.append((name, kind.strip("*")))
    elif name in ("circ", "degree"):
        found.append(("degree", "degree"))
    elif name in ("infty", "pi"):
        found.append(("constant", {"infty": "infinity"}.get(name, name)))
    elif name in FUNCTIONS:
        found.append(("function", FUNCTIONS[name]))
    elif name in OPERATORS:
        found.append(("operator", OPERATORS[name]))
    elif name == "dot":
        found.append(("structure", "overline"))
    elif name in ("overline", "int", "sum", "prod", "lim", "iint", "oint", "partial", "dots", "ldots", "cdots"):
        found.append(("structure", name))
    elif name in SYMBOLS:
        found.append(("symbol", "emptyset" if name == "varnothing" else name))
    elif name in NOTHING:
        found.append(("space", " "))
    elif name in ("hspace", "vspace", "phantom", "label", "tag", "color"):
        place = _group(text, place)[1]
    elif name.startswith("var") and name[3:] in SYMBOLS:
        found.append(("symbol", name[3:]))
    elif name.startswith(("quad", "qquad")):
        found.append(("space", " "))
        _word(name.removeprefix("q").removeprefix("quad"), found)
    else:
        raise Unreadable(f"command \\{name}")
    return place


def _word(word, found):
    """Letters without a backslash: a name that is known, a word of prose, or symbols side by side."""
    if word in FUNCTIONS:
        found.append(("function", FUNCTIONS[word]))
    elif word in ("percent", "pct") and _value_before(found):
        found.append(("operator", "%"))
    elif word in CONSTANTS and len(word) > 1:
        found.append(("constant", CONSTANTS[word]))
    elif word == "to" and _value_before(found):
        found.append(("operator", ":"))
    elif word in ("and", "or", "in", "mod"):
        found.append(("operator", word))
    elif len(word) == 1:
        found.append(("symbol", word))
    elif word in SHORT_WORDS:
        found.append(("text", word))
    elif found and word in UNITS and _value_before(found):
        found.append(("text", word))
    elif word[:-1] in FUNCTIONS and len(word) > 3 and word not in FUNCTIONS:  # sinx
        found += [("function", FUNCTIONS[word[:-1]]), ("symbol", word[-1])]
    elif len(word) <= 3 or not word.islower() and word.isupper():
        found += [("symbol", letter) for letter in word] if len(word) <= 3 else [("text", word)]
    else:
        found.append(("text", word))


def _value_before(found):
    """Whether a number is the last token but spaces."""
    return next((kind for kind, _ in reversed(found) if kind != "space"), None) in ("number", "degree", "text")


def _group(text, place):
    """What is in the braces at `place`, or the next sign, and the place behind."""
    while place < len(text) and text[place] == " ":
        place += 1
    if place >= len(text) or text[place] != "{":
        return text[place : place + 1], place + 1
    depth = 0
    for end in range(place, len(text)):
        depth += (text[end] == "{") - (text[end] == "}")
        if depth == 0:
            return text[place + 1 : end], end + 1
    raise Unreadable("a brace that is not closed")
