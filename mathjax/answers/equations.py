"""The equations that a solution writes down, `<<48/2=24>>` or `48 / 2 = 24 clips`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_TEXT = 20_000  # characters of a solution that are looked at
LONGEST_SIDE = 60  # tokens

_ANNOTATION = re.compile(r"<<([^<>]*=[^<>]*)>>")
_LATEX = (
    (re.compile(r"\\(?:left|right|displaystyle|,|!|;| )"), " "),
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\(?:text|mathrm)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\(?:times|cdot)(?![A-Za-z])|[×·∙]"), "*"),
    (re.compile(r"\\div(?![A-Za-z])|÷"), "/"),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\\?\$|[€£]"), " "),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"\\(?:boxed|fbox)\s*\{([^{}]*)\}"), r" \1 "),
)
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]{1,3}(?:,[0-9]{3})++(?![0-9])|[0-9]++)(?:\.[0-9]++)?%?|\.[0-9]++%?)"
    r"|(?P<times>(?<=[0-9)% ])[xX](?=\s*[(.]?\s*[0-9(])|(?<= )[xX](?=\s+-\s?[0-9]))"
    r"|(?P<word>[A-Za-z](?:[-'’_]?[A-Za-z])*+)"
    r"|(?P<equal>=)"
    r"|(?P<operator>\*\*|[-+*/^])"
    r"|(?P<open>[(\[])|(?P<close>[)\]])"
    r"|(?P<stop>\.(?=\s|$)|\n)"
    r"|(?P<other>[^\s])"
)
_IS = ("is", "equals", "are")  # as in "9 + 20 is 29"
_WORDS = {"times": "*", "plus": "+", "minus": "-", "of": "*"}


@dataclass(frozen=True)
class Equation:
    """Sides that a solution says are equal, each a tuple of tokens, and where in its text the first begins."""

    start: int
    sides: tuple[tuple[str, ...], ...]


def find(text: str) -> list[Equation]:
    """The equations of a solution, in order: all annotations, and what is written out in lines without one.

    Units and currency signs are left out, LaTeX's signs are read, and letters beside numbers are algebra, which is
    not an equation between numbers. One side at least is an operation.
    """
    text, found, start = text[:LONGEST_TEXT], [], 0
    for line in text.splitlines(keepends=True):
        noted = list(_ANNOTATION.finditer(line))
        if noted:
            for match in noted:
                found += _equations(match[1], start + match.start())
        elif "=" in line or " is " in line or " are " in line or " equals " in line:
            found += _equations(line, start)
        start += len(line)
    return found


def numbers(text: str) -> list[str]:
    """The numbers in a text as they are written, without thousands separators; a text of one alone has its sign."""
    plain = _plain(text)
    found = [match[0].replace(",", "") for match in _TOKEN.finditer(plain) if match.lastgroup == "number"]
    return ["-" + found[0]] if len(found) == 1 and re.match(r"\s*-\s*[0-9.]", plain) else found


def _plain(text):
    """A text with plain signs in place of LaTeX's, each character where it was."""
    for pattern, by in _LATEX:
        text = pattern.sub(lambda match, by=by: match.expand(by).ljust(len(match[0])), text)
    return text


def _equations(line, start) -> Iterator[Equation]:
    """The equations between the numbers of one line, or of one annotation."""
    sides, side, begin = [], [], None
    for kind, text, place in (*_joined(_plain(line)), ("break", "", 0)):
        if kind == "break":
            if sides:
                yield from _chain([*sides, side], start + begin)
            sides, side, begin = [], [], None
            continue
        begin = place if begin is None else begin
        if kind == "equal":
            sides.append(side)
            side = []
        else:
            side.append((kind, text))


def _joined(line) -> Iterator[tuple[str, str, int]]:
    """The tokens of a line and their places; words that mean a sign are that sign, and sentences are apart."""
    tokens = [(match.lastgroup, match[0], match.start(), match.end()) for match in _TOKEN.finditer(line)]
    tokens = list(_with_mixed(tokens))
    for place, (kind, text, begin, _) in enumerate(tokens):
        yield *_meant(tokens, place, kind, text, begin), begin


def _with_mixed(tokens):
    """The tokens with mixed numbers, as `1 1/2`, in brackets as sums."""
    place = 0
    while place < len(tokens):
        four = tokens[place : place + 4]
        whole, above, sign, below = (text for _, text, *_ in four) if len(four) == 4 else [""] * 4
        if sign == "/" and whole.isdigit() and above.isdigit() and below.isdigit() and four[1][2] == four[0][3] + 1:
            begin, end = four[0][2], four[3][3]
            yield from (("open", "(", begin, begin), four[0], ("operator", "+", begin, begin), *four[1:])
            yield "close", ")", end, end
            place += 4
        else:
            yield tokens[place]
            place += 1


def _meant(tokens, place, kind, text, begin):
    """(kind, text) that the token at a place stands for among those around it."""
    before = tokens[place - 1] if place else ("stop", "", 0, 0)
    after = tokens[place + 1][0] if place + 1 < len(tokens) else "stop"
    if kind == "times":
        return "operator", "*"
    if kind == "operator" and text == "/" and after == "word" and tokens[place + 1][2] == begin + 1:
        return "word", text  # of a unit, as in 140 nuts/day
    if kind == "operator":
        signed = text == "-" and before[0] in ("word", "stop") and before[3] < begin and tokens[place + 1 :]
        sign = signed and tokens[place + 1][2] == begin + 1  # "so -2", and not "apples - 2"
        return "sign" if sign else "operator", {"^": "**"}.get(text, text)
    if kind == "word" and text.lower() in _IS and after == "number" and _operation(tokens, place):
        return "equal", "="
    if kind == "word" and text.lower() in _WORDS and before[0] in ("number", "close") and after == "number":
        sign = _WORDS[text.lower()]
        if text.lower() != "of" or before[1].endswith("%") or before[0] == "close" or _quotient(tokens, place):
            return "operator", sign
        return "word", text
    if kind == "word":
        attached = before[0] in ("number", "close") and before[3] == begin
        single = len(text) == 1 and (attached or text not in "aAI" or after == "operator")
        letter = single or before[0] == "operator" and not (before[1] == "/" and before[3] == begin)
        return "letter" if letter else "word", text
    if kind == "number":
        return "number", text.replace(",", "")
    if kind == "stop" or text in ",;:?!":
        return "break", text
    return kind, text


def _operation(tokens, place):
    """Whether an operation ends right before a place."""
    if place < 2 or tokens[place - 1][0] not in ("number", "close"):
        return False
    kind, text = tokens[place - 2][:2]
    if kind == "operator":
        return text in "+-*/"
    if kind == "word":
        return text.lower() in _WORDS and place > 2 and tokens[place - 3][0] in ("number", "close")
    return kind == "times" or tokens[place - 1][0] == "close"


def _quotient(tokens, place):
    return place >= 3 and tokens[place - 2][1] == "/" and tokens[place - 3][0] == "number"


def _chain(sides, start):
    """The equations of sides between equal signs: of the first its end counts, of the last its beginning."""
    read = []
    for place, side in enumerate(sides):
        read.append(_side(side, first=place == 0, last=place == len(sides) - 1))
    group = []
    for tokens in [*read, None]:
        if tokens:
            group.append(tokens)
            continue
        if len(group) > 1 and any(len(side) > 1 for side in group):
            yield Equation(start, tuple(group))
        group = []


def _side(side, first, last):
    """The tokens of the expression on a side; () where it has none that can be told from the words around it."""
    kinds = [kind for kind, _ in side]
    if "letter" in kinds or "other" in kinds:
        if not (first or last):
            return ()
        places = [place for place, kind in enumerate(kinds) if kind in ("letter", "other")]
        if last and not first and kinds[places[0]] == "letter":
            return ()
        if first and kinds[places[-1] + 1 : places[-1] + 2] == ["open"]:  # of a function
            return ()
        side = side[places[-1] + 1 :] if first else side[: places[0]]
        if first and side and side[0][0] == "operator" or last and side and side[-1][0] == "operator":
            return ()
    runs, run = [], []
    for kind, text in side:
        if kind == "word":
            if run and run[-1][0] in ("number", "close", "word"):
                run.append((kind, text))
            elif run:
                runs.append(run)
                run = []
            continue
        apart = run and (run[-1][0] == "word" or kind == "number" and run[-1][0] in ("number", "close"))
        if apart and kind in ("number", "open", "sign"):  # words between two values: a sentence
            runs.append(run)
            run = []
        elif run and run[-1][0] == "word":
            run = [one for one in run if one[0] != "word"]
        run.append((kind, text))
    runs = [*runs, run] if run else runs
    if not runs or not first and not last and len(runs) > 1:
        return ()
    chosen = runs[-1] if first else runs[0]
    if last and not first and side[0][0] == "word" or chosen[0][0] == "operator" and side[0][0] == "word":
        return ()
    return _balanced(tuple(text for kind, text in chosen if kind != "word"), first)


def _balanced(tokens, first):
    """The longest end (of a first side) or beginning of some tokens whose brackets close."""
    while tokens and len(tokens) <= LONGEST_SIDE:
        depth, good = 0, True
        for token in tokens:
            depth += (token in "([") - (token in ")]")
            good = good and depth >= 0
        if good and not depth and tokens[-1] not in "+-*/**([" and tokens[0] not in ("*", "/", "**", "+"):
            return tokens
        tokens = tokens[1:] if first else tokens[:-1]
        if first and tokens and tokens[0] in ("*", "/", "**", "+", "-", ")", "]"):
            return ()
    return ()
