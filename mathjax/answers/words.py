"""Words in answers: names, units, remarks."""

import re
from fractions import Fraction

_WRAPPED = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mbox|operatorname|emph)\s*\{([^{}]*)\}")
_LAYOUT = re.compile(r"\\(?:left|right|big|Big|bigg|Bigg|displaystyle|quad|qquad|[,;:! ])(?![A-Za-z])|[$~]|\s+")
_FRACTIONS = re.compile(r"\\[dt]frac")
_PROSE = re.compile(r"[^\W_]+|[+%<>=*/^-]")
ARTICLES = set("a an the there is are it they exist exists i".split())
SAME_PHRASES = {
    "allrealnumber": "realnumber", "allreal": "realnumber", "nosolutions": "nosolution", "norealsolution": "nosolution",
}  # fmt: skip
SAME_UNITS = {  # by other names
    "centimeter": "cm", "centimetre": "cm", "meter": "m", "metre": "m", "kilometer": "km", "kilometre": "km",
    "millimeter": "mm", "millimetre": "mm", "inch": "in", "inche": "in", "feet": "ft", "foot": "ft", "yard": "yd",
    "mile": "mi", "gram": "g", "kilogram": "kg", "pound": "lb", "ounce": "oz", "liter": "l", "litre": "l",
    "second": "s", "sec": "s", "minute": "min", "hour": "h", "hr": "h", "degree": "deg", "radian": "rad",
    "dollar": "usd", "buck": "usd", "cent": "cents", "milliliter": "ml", "percent": "%", "a.m.": "am", "p.m.": "pm",
}  # fmt: skip
KINDS = {  # of units that can contradict each other
    "am": "half", "pm": "half", "cm": "length", "m": "length", "km": "length", "mm": "length", "in": "length",
    "ft": "length", "yd": "length", "mi": "length", "g": "mass", "kg": "mass", "mg": "mass", "lb": "mass",
    "oz": "mass", "s": "time", "min": "time", "h": "time", "day": "time", "week": "time", "month": "time",
    "year": "time", "usd": "money", "cents": "money", "l": "volume", "ml": "volume", "deg": "angle", "rad": "angle",
}  # fmt: skip
_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
SPOKEN = {word: value for value, word in enumerate([*_ONES, "seventeen", "eighteen", "nineteen"])} | {
    word: 10 * place for place, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
SAYS_NOTHING = set("is are the about approximately exactly only just a an total of in all equals answer final".split())
DENIES = set("not no never except less more than without minus negative".split())


def plain(text: str) -> str:
    """The text without layout, wrappers of text and case: equal for answers written alike."""
    text = _WRAPPED.sub(r" \1 ", text)
    text = _FRACTIONS.sub(r"\\frac", text.replace("\\%", "%").replace("\\$", ""))
    return _LAYOUT.sub("", text).lower().rstrip(".,;:")


def prose(text: str) -> str:
    """The words of a text, for names and phrases: without articles, plurals and punctuation."""
    text = _WRAPPED.sub(r" \1 ", text).lower().replace("\\", " ")
    words = [word[:-1] if word.endswith("s") and len(word) > 3 else word for word in _PROSE.findall(text)]
    found = "".join(word for word in words if word not in ARTICLES) or "".join(words)
    return SAME_PHRASES.get(found, found)


def spoken(text: str) -> Fraction | None:
    """The value of an integer in English words, such as "two hundred and five"; None where it is none."""
    total = group = 0
    found = re.findall(r"[a-z]+", text.lower())
    if not found or len(found) > 20:
        return None
    for place, word in enumerate(found):
        if word in SPOKEN:
            group += SPOKEN[word]
        elif word in SCALES:
            group = (group or 1) * SCALES[word]
            if SCALES[word] > 100:
                total, group = total + group, 0
        elif not (word in ("a", "and") and place + 1 < len(found)):
            return None
    return Fraction(total + group)


def remarks(tree) -> str:
    """The words that stand beside a value: its unit, or a remark; empty where there are none."""
    if tree[0] == "words":
        return f"{tree[2]} {remarks(tree[1])}".strip()
    if tree[0] in ("negative", "ratio", "sum", "relation", "list"):
        last = tree[1][-1] if tree[0] != "negative" else tree[1]
        return remarks(last) if isinstance(last, tuple) else ""
    return ""


def bare(tree):
    """The tree without the words beside its values."""
    match tree:
        case ("words", inner, _):
            return bare(inner)
        case ("negative", inner):
            return ("negative", bare(inner))
        case ("ratio" | "sum" | "relation" | "list" as kind, parts):
            return (kind, tuple(bare(part) if isinstance(part, tuple) else part for part in parts))
    return tree


def contradict(one: str, other: str) -> bool:
    """Whether two remarks cannot both be true of one value: other units of one kind, or a word that denies."""
    these, those = units(one), units(other)
    if these & DENIES != those & DENIES:
        return True
    kinds, other_kinds = ({KINDS[unit]: unit for unit in found if unit in KINDS} for found in (these, those))
    return any(unit != other_kinds.get(kind, unit) for kind, unit in kinds.items())


def units(remark: str) -> set[str]:
    """The words of a remark, units by one name each."""
    found = set()
    for word in re.findall(r"[a-z%]+(?:\.[a-z]\.?)?", remark.lower().replace("per ", "/")):
        word = word if word.endswith(".") and word in SAME_UNITS else word.replace(".", "")
        single = word[:-1] if word.endswith("s") and len(word) > 2 else word
        found.add(SAME_UNITS.get(word, SAME_UNITS.get(single, single)))
    return found - SAYS_NOTHING
