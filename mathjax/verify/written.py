"""Styles `cot` and `choice`: an answer found in a text and compared with the truth."""

import functools
import re

from mathjax.answers import equivalence, extract, protocols, words
from mathjax.records import Record, lettered
from mathjax.verify.verdict import Verdict

STYLES = ("cot", "choice", "pot")  # that the rules of published scores are for
LONGEST_ANSWER = 500  # characters of an answer that a verdict keeps

_CHOSEN = re.compile(
    r"(?:answer|option|choice|choose|chosen|correct|leaves)\b[^A-Za-z]{0,12}(?:is|:|=|are)?[^A-Za-z]{0,12}"
    r"(?:option|choice)?[^A-Za-z]{0,4}\(?([A-Z])\b(?!')",
    re.IGNORECASE,
)
_MARKED = re.compile(r"(?<![A-Za-z])[(*]{1,3}([A-Z])[)*]{1,3}(?![A-Za-z])|(?:^|\n)\s*([A-Z])[).:]")
_LETTERS = re.compile(r"(?<![A-Za-z])[A-J](?![A-Za-z'])")
_EITHER = re.compile(r"\b(?:or|and)\b|[,/]")


@functools.lru_cache(maxsize=65536)
def reference(text: str) -> str:
    """The answer in a reference, as `extract.reference` finds it."""
    return extract.reference(text)


def judge(record: Record, completion: str, protocol: str = "strict") -> Verdict:
    """The verdict on a completion in words, by our own rules (`strict`) or by those of a row of `protocols`."""
    if record.answer is None:
        raise ValueError(f"record {record.question[:80]!r} has no answer to compare with")
    if protocol != "strict":
        return published(record, completion, protocol)
    found = extract.find(completion)
    if found is None:
        return Verdict(answer=None, correct=False, why="no_answer")
    return compared(record.answer, found.text, found.rule)


def published(record: Record, completion: str, protocol: str) -> Verdict:
    """The verdict by a row of `protocols`; ValueError where a record lacks what that is held against."""
    truth = getattr(record, wanted := protocols.PROTOCOLS[protocol].reference)
    if truth is None:
        raise ValueError(f"record {record.question[:80]!r} has no {wanted}, which protocol {protocol} compares with")
    answer, correct = protocols.judge(protocol, truth, completion)
    why = "correct" if correct else "wrong_value" if answer else "no_answer"
    return Verdict(answer=answer[:LONGEST_ANSWER] if answer else None, correct=correct, why=why, rule=protocol)


def compared(truth: str, answer: str, rule: str) -> Verdict:
    """The verdict on an answer that was found."""
    comparison = equivalence.same(reference(truth), answer)
    if comparison.equal is None:
        why = "undecided"
    elif comparison.equal:
        why = "correct"
    else:
        why = "unreadable" if comparison.why.startswith("unreadable") else "wrong_value"
    return Verdict(
        answer=answer[:LONGEST_ANSWER], correct=bool(comparison.equal), why=why, rule=rule, detail=comparison.why
    )


def judge_choice(record: Record, completion: str, protocol: str = "strict") -> Verdict:
    """The verdict on the choice of an option: its letter, or in place of it what the option says.

    The truth is a letter, or the text of an option. Options are given with their letters or without, in order.
    """
    if record.answer is None:
        raise ValueError(f"record {record.question[:80]!r} has no answer to compare with")
    if protocol != "strict":
        return published(record, completion, protocol)
    options = dict(lettered(record.options or ()))
    truth = _letter_of(record.answer, options)
    if truth is None:
        raise ValueError(f"record {record.question[:80]!r}: the answer {record.answer!r} is none of the options")
    letter, answer, rule = choice(completion, options)
    if letter is None:
        why = "no_answer" if answer is None else "wrong_value"
        return Verdict(answer=answer, correct=False, why=why, rule=rule)
    correct = letter == truth
    return Verdict(answer=letter, correct=correct, why="correct" if correct else "wrong_value", rule=rule)


def choice(completion: str, options: dict[str, str]) -> tuple[str | None, str | None, str | None]:
    """The letter that a completion chooses, the text taken for its answer, and the rule that found it."""
    letters = options.keys() or set("ABCDEFGHIJ")
    found = extract.find(completion)
    if found is not None and len(set(_LETTERS.findall(found.text))) > 1 and _EITHER.search(found.text):
        return None, found.text[:LONGEST_ANSWER], found.rule
    if found is not None and found.rule not in ("number", "math", "output"):
        if letter := _named(found.text, options, letters):
            return letter, found.text[:LONGEST_ANSWER], found.rule
    tail = completion[-2_000:]
    for pattern in (_CHOSEN, _MARKED):
        for match in reversed(list(pattern.finditer(tail))):
            letter = (match[1] or match[match.lastindex]).upper()
            if letter in letters and not (pattern is _CHOSEN and match[1].islower()):
                return letter, letter, "option"
    if found is not None and (letter := _named(found.text, options, letters)):
        return letter, found.text[:LONGEST_ANSWER], found.rule
    last = words.prose(re.split(r"[.\n]\s*(?=\S)", completion.strip()[-2_000:])[-1])
    repeated = [letter for letter, option in options.items() if len(option) > 3 and words.prose(option) in last]
    if len(repeated) == 1:
        return repeated[0], options[repeated[0]], "option"
    return None, found.text[:LONGEST_ANSWER] if found else None, found.rule if found else None


def _named(text, options, letters):
    """The letter of the option that a text names or repeats."""
    bare = re.sub(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}", r"\1", text).strip(" $*.\\{}")
    match = re.fullmatch(r"\(?\s*([A-Za-z])\s*\)?[).:]?(?:\s.*)?", bare, re.DOTALL)
    if match and match[1].upper() in letters and (len(bare) <= 4 or re.match(r"\(?[A-Za-z]\s*[).:]", bare)):
        return match[1].upper()
    matching = [letter for letter, option in options.items() if option.strip() == bare]
    if not matching:
        matching = [letter for letter, option in options.items() if equivalence.same(option, text).equal]
    return matching[0] if len(matching) == 1 else None


def _letter_of(answer, options):
    bare = answer.strip()
    match = re.fullmatch(r"\(?([A-Za-z])\)?[.:)]?", bare.strip("$ ").removeprefix("\\text{").removesuffix("}"))
    if match and (not options or match[1].upper() in options):
        return match[1].upper()
    return _named(reference(answer), options, options.keys())
