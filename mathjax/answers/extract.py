"""Where in a text its answer is: one pass, linear in the length of the text."""

import collections
import re
from dataclasses import dataclass

LONGEST_TEXT = 200_000  # characters, from the end, that are looked at
LONGEST_ANSWER = 150_000


@dataclass(frozen=True, slots=True)
class Found:
    """The text of an answer, and the rule that found it: one of RULES."""

    text: str
    rule: str


RULES = ("answer tag", "box", "hash", "phrase", "math", "number", "whole", "output", "option")

_NUMBER = (
    r"[-+−]?\s?(?:\\?\$|[€£¥])?\s?"
    r"(?:[0-9]{1,3}(?:,[0-9]{3})++(?:\.[0-9]++)?|[0-9]++(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?|\.[0-9]++)"
    r"(?:\s?/\s?[0-9]++)?(?:\s?\\?%)?"
)
_LAST_NUMBER = re.compile(rf"(?<![\w.]){_NUMBER}|(?<=[a-zA-Z]){_NUMBER}")
_NEAR = re.compile(r"[ =][0-9]{1,15}(?=[ .\n])(?=[^$\\\d]*\Z)")  # a plain last number, with no formula behind it
_HASH = re.compile(r"####[ \t]*([^\n]*)")
_VALUE = re.compile(r"[0-9\\$]")
_NEXT_QUESTION = re.compile(
    r"\n[ \t]*(?:Question|Q|Problem|### Instruction|Instruction|User|Human) ?[0-9]{0,4} ?:"
    r"|<\|im_start\|>|<\|im_end\|>|<\|endoftext\|>|</s>|<eos>|<end_of_turn>"
)
_NEXT = ("<", "Question", "Q", "Problem", "Instruction", "User", "Human")  # what the next question begins with
_PHRASE = re.compile(
    r"(?:answers?|result|value of [^.\n]{1,40}?)\*{0,2}\s{0,2}(?:\([^()\n]{1,30}\) ?)?"
    r"(?:(?:is|are|would be|must be|should be|equals|:|=|：)\*{0,2} ?"
    r"(?:therefore|thus|also|then|simply|just|indeed)? ?:?)"
    r"|answer ?:? ?\*\* ?:?|\nA ?: ",
    re.IGNORECASE,
)
_FINAL = re.compile(r"[Tt]he final answer is:?\s+(?=\S)")
_LEADS = ("answer", "result", "value of", "\na")  # what the phrases begin with
_MATH = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$([^$\n]+?)(?<!\\)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")
_SPACE = r"(?:\\?[$)\](\[]|\s|\\[,;! ]|\\q?quad\b)*"
_JOINS = re.compile(
    rf"{_SPACE}(?:(?:,|;)?{_SPACE}(?:\\text\s*\{{\s*(?:and|or)\s*\}}|and|or|&)?){_SPACE}(?:[a-zA-Z](?:_\{{?\w+\}}?)?\s*=\s*)?",
    re.IGNORECASE,
)
_WORDS = re.compile(
    r"(?<![\\A-Za-z{])(?:[A-Za-z]{2,}[\s',]+){2}[A-Za-z]{2,}"
    r"|\b(?:the|is|are|so|there|it|that|we|not it)\s+[a-zA-Z$\\0-9]",
    re.IGNORECASE,
)
_TWO_WORDS = re.compile(r"[A-Za-z]{2,}\s+[A-Za-z]{3,}")
_ASIDE = re.compile(r"\s\((?=[^()]*[a-z]{3})[^()]*\)$")
_AT_ONCE = re.compile(r"\$?(-?[0-9]{1,12}(?:\.[0-9]{1,12})?)\.?\s*\Z")  # a plain number and the end of the text
_DENIED = re.compile(r"[\s*:]{0,4}(?:not|n't)\b(?![^.\n]* but )")
_END = re.compile(
    r"(?<=[^.\s])[.!](?:\s|$)|\n|(?<=[0-9a-z)\]}$])\.?\s*(?:I hope|Therefore|This|Thus|So|Hence|because|since|which)\b"
    r"|;\s|,\s(?:which|so|because|since|as|where|with)\b"
)
_IS = re.compile(
    r"\b(?:is|are|be|equals?|=|of|was|were|to)\b\s*(?:about|approximately|exactly|equal to|only|simply|:)?\s*"
)
_FENCED = re.compile(r"```[a-zA-Z]*\n.*?```", re.DOTALL)
_OUTPUT = re.compile(r"```output\n(.*?)```", re.DOTALL)


def find(text: str) -> Found | None:
    """The answer of a completion, None where it gives none.

    In this order: what follows the last `</think>`, and not what a model goes on to ask itself; the last `<answer>`;
    the last box (boxes with nothing but a comma or `and` between them are one answer; an empty box, or one that does
    not end, is no answer); the first `####`; what follows the last "answer is"; else the last formula or number,
    whichever comes later; for a text without either, a line that is an answer by itself.
    """
    text = text[-LONGEST_TEXT:]
    place = text.rfind("</think>")
    if place >= 0:
        text = text[place + 8 :]
    if any(sign in text for sign in _NEXT) and (match := _NEXT_QUESTION.search(text, 1)):
        text = text[: match.start()]
    place = text.rfind("<answer>")
    if place >= 0:
        inner = text[place + 8 :].split("</answer>", 1)[0].strip()
        if not inner:
            return None
        if "\\boxed" in inner:
            return find(inner)
        return _after(inner) if _WORDS.search(inner) else _found(_line(inner), "answer tag")
    if "\\boxed" in text or "\\fbox" in text:
        return _restated(text) or _boxed(text)
    for match in _HASH.finditer(text) if "####" in text else ():
        line = _line(match[1])
        if line and (_VALUE.search(line) or not text[match.end() :].strip()):  # and no heading
            return _found(line, "hash")
    return _loose(text)


def reference(text: str) -> str:
    """The answer in a reference: what is in its last box or behind its `####`, else the text without dollar signs."""
    text = text.strip()
    if "\\boxed" in text or "\\fbox" in text:
        found = _boxed(text)
        return found.text if found else ""
    place = text.rfind("####")
    if place >= 0:
        return _line(text[place + 4 :].split("\n", 1)[0])
    match = _MATH.fullmatch(text)
    if match:
        return next(filter(None, match.groups())).strip()
    if _WORDS.search(text) and "$" in text and (found := find(text)):
        return found.text
    return text


def _restated(text):
    """What is given as the final answer behind the last box, if anything is."""
    tail = text[max(text.rfind("\\boxed"), text.rfind("\\fbox")) :]
    match = _FINAL.search(tail)
    return _after(tail[match.end() :]) if match else None


def _loose(text):
    """The answer of a text without box, tag or hash."""
    for end in _phrases(text):
        if _DENIED.match(text, end):
            return None
        if found := _after(text[end:]):
            return found
    return _last(text)


def _phrases(text):
    """Where phrases such as "the answer is" end, the last three of them, from the last."""
    lower, place = text.lower(), len(text)
    for _ in range(12):
        place = max(lower.rfind(word, 0, place) for word in _LEADS)
        if place < 0:
            return
        if match := _PHRASE.match(text, place):
            yield match.end()


def _after(text):
    """The answer that opens what follows a phrase such as "the answer is"."""
    text = text[:LONGEST_ANSWER].lstrip(" *:\n\t")
    if not text:
        return None
    if match := _AT_ONCE.match(text):
        return Found(match[1], "phrase")
    if match := _MATH.match(text):
        return _found(_line(text[: _stop(text, match.end())]), "phrase")
    sentence = text[: _stop(text, 0)]
    if sentence.lower().startswith(("not ", "n't ")):  # what it is not, and perhaps what it is
        sentence = sentence.partition(" but ")[2]
    if _WORDS.search(sentence):  # a sentence, in which the answer comes last
        parts = _IS.split(sentence)
        last = parts[-1].strip() if len(parts) > 1 else ""
        if last and not _WORDS.search(last) and re.search(r"[0-9]|\$|\\", last):
            return _found(_line(last), "phrase")
        return _last(sentence, number_first=True) or _found(_line(sentence), "phrase")
    return _found(_line(sentence), "phrase")


def _stop(text, start):
    """Where the answer that begins a text ends: at the end of its sentence, outside of formulas."""
    for match in _END.finditer(text, start):
        before = text[: match.start()]
        if before.count("$") % 2 == 0 and before.count("\\(") == before.count("\\)"):
            if before.rstrip()[-4:].lower() in ("p.m", "a.m") or before[-3:] in ("p.m", "a.m"):
                continue
            return match.start() + (text[match.start()] not in ".!\n;" and text[match.start()].isalnum())
    return len(text)


def _last(text, number_first=False):
    """The last formula or the last number of a text, whichever ends later."""
    if len(text) > 400 and (found := _NEAR.search(text, len(text) - 200)) and "```" not in text:
        return _found(_last_of(_LAST_NUMBER, text, found.start())[0].strip().rstrip("."), "number")
    tail = text[-2_000:]
    math = _last_of(_MATH, tail, 0)
    bare = _FENCED.sub("", tail) if "```" in tail else tail
    number = _last_of(_LAST_NUMBER, bare, math.end() if math and bare is tail else 0)
    if number is not None and (math is None or bare is tail or number_first):
        if not math and not number_first and _whole(text) and not _TWO_WORDS.search(text):
            return _found(_line(text), "whole")
        return _found(number[0].strip().rstrip("."), "number")
    if math is not None and bare is tail:
        return _found(next(filter(None, math.groups())).strip(), "math")
    if "```output" in text:
        outputs = _OUTPUT.findall(text)
        lines = outputs[-1].strip().splitlines() if outputs else []
        if lines:
            return _found(lines[-1], "output")
    return _found(_line(text), "whole") if _whole(text) else None


def _last_of(pattern, text, start):
    found = collections.deque(pattern.finditer(text, start), maxlen=1)
    return found[0] if found else None


def _whole(text):
    """Whether a text is an answer by itself: short, on one line, no sentence."""
    text = text.strip()
    return bool(text) and len(text) <= LONGEST_ANSWER and "\n\n" not in text and not _WORDS.search(text)


def _line(text):
    """An answer without what closes a sentence or marks it up."""
    text = text.strip().strip("*").strip()
    if text.endswith((".", ",", ";", ":")) and not text.endswith(("p.m.", "a.m.")):
        text = text[:-1].rstrip()
    text = _ASIDE.sub("", text.strip("*`").strip())
    if (match := _MATH.fullmatch(text)) is not None:
        return next(filter(None, match.groups())).strip()
    return text


def _boxed(text):
    places = [match.end() for match in _BOX.finditer(text, max(text.find("\\boxed"), 0) if "\\fbox" not in text else 0)]
    if not places:
        return _loose(text)
    place = places[-1]
    inner, _ = _content(text, place)
    if inner is None or not inner.strip():
        return None
    parts = [inner]
    start = text.rfind("\\", 0, place)
    for before in reversed(places[:-1][-10:]):
        earlier, stop = _content(text, before)
        between = text[stop:start]
        if earlier is None or stop > start or not re.search(r",|;|\band\b|\bor\b|&", between):
            break
        if len(between) > 40 or not _JOINS.fullmatch(between):
            break
        parts.insert(0, earlier)
        start = text.rfind("\\", 0, before)
    return _found(", ".join(part.strip() for part in parts), "box")


def _content(text, place):
    """What is in the box whose braces open at `place`, and where it ends; None where it does not end."""
    if text[place : place + 1] != "{":
        match = re.compile(r"[^\s$\\{}.]+").match(text, place)
        return (match[0], match.end()) if match else (None, place)
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, place):
        sign = match[0]
        depth += (sign == "{") - (sign == "}")
        if depth == 0:
            return text[place + 1 : match.start()], match.end()
    return None, len(text)


def _found(text, rule):
    text = text.strip()
    return Found(text, rule) if text else None
