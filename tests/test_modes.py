"""How questions are asked: MAmmoTH's hybrid decoding by its rules."""

import pytest

from mathjax.evaluate import modes
from mathjax.records import Record
from mathjax.verify import Verifier

OPEN = Record(question="What is 3*5+4?", answer="19")
CHOICE = Record(question="What is 3*5+4?", answer="B", style="choice", options=("16", "19", "20"))
CRASH, SILENT, WRONG, PROGRAM = "print(1/0)", "x = 19\nprint()", "print(18)", "print(19)"


@pytest.fixture(scope="module")
def verifier():
    with Verifier(1) as verifier:
        yield verifier


def asked(verifier, record, replies, kind="svamp"):
    """The stages that were asked, each with its template and question, and the last attempt."""
    told = []

    def answer(stage, found, template):
        told.append((stage, template, found[0].question))
        return [{"index": i, "sample": 0, "completion": replies[stage]} for i in range(len(found))]

    def judge(pairs, rule):
        return modes.judged(pairs, rule, kind, verifier)

    ((last, row),) = modes.ask("hybrid", [record], "plain", answer, judge)
    return told, last, row


@pytest.mark.parametrize(
    ("program", "stages"),
    [
        (PROGRAM, ["pot"]),
        (WRONG, ["pot"]),  # a wrong answer is never asked again
        ("The answer is 19.", ["pot"]),  # words with an answer, where a program was asked for
        (CRASH, ["pot", "cot"]),
        (SILENT, ["pot", "cot"]),
        ("I cannot say.", ["pot", "cot"]),
        ("", ["pot", "cot"]),
        (f"{CRASH}\n### Instruction: print(19)", ["pot", "cot"]),
    ],
)
def test_an_open_question_is_asked_again_in_words_where_the_program_gave_nothing(verifier, program, stages):
    told, last, row = asked(verifier, OPEN, {"pot": program, "cot": "The answer is 19."})
    assert [stage for stage, *_ in told] == stages
    assert (row["stage"], last.style) == (stages[-1], stages[-1])


@pytest.mark.parametrize(
    ("program", "words", "stages"),
    [
        ("print('B')", "", ["pot"]),
        (CRASH, "The answer is (B).", ["pot", "choice"]),
        ("I cannot say.", "", ["pot", "closest"]),  # no program, so it is not asked in words
        (PROGRAM, "", ["pot", "closest"]),  # a number is no letter
        (SILENT, "The answer is B.", ["pot", "choice"]),
        (CRASH, "It is nineteen.", ["pot", "choice", "closest"]),
    ],
)
def test_a_choice_is_asked_again_where_a_program_gave_no_output_and_ends_with_a_letter(
    verifier, program, words, stages
):
    replies = {"pot": program, "choice": words, "closest": "The answer is B."}
    told, last, row = asked(verifier, CHOICE, replies, kind="aqua")
    assert [stage for stage, *_ in told] == stages
    assert row["stage"] == stages[-1]
    assert verifier([(last, row["completion"], "strict")])[0].correct


def test_the_templates_are_mammoths_and_the_closest_option_is_asked_for_with_the_answer(verifier):
    told, _, _ = asked(verifier, CHOICE, {"pot": PROGRAM, "closest": "B"}, kind="aqua")
    assert [template for _, template, _ in told] == ["mammoth_pot", "mammoth_choice"]
    assert told[1][2].endswith("Answer Choices: (A) 16 (B) 19 (C) 20")
    assert "19" in told[1][2].partition("\n")[0]


def test_attempts_keep_the_numbers_of_their_questions(verifier):
    found = [OPEN, Record(question="What is 1+1?", answer="2"), OPEN]

    def answer(stage, records, template):
        assert (stage, len(records)) in (("pot", 3), ("cot", 2))
        texts = [CRASH, "print(2)", CRASH] if stage == "pot" else ["The answer is 19."] * 2
        return [{"index": i, "sample": 0, "completion": text} for i, text in enumerate(texts)]

    pairs = modes.ask(
        "hybrid", found, "plain", answer, lambda pairs, rule: modes.judged(pairs, rule, "svamp", verifier)
    )
    assert [(record.question, row["index"], row["stage"]) for record, row in pairs] == [
        (OPEN.question, 0, "cot"),
        ("What is 1+1?", 1, "pot"),
        (OPEN.question, 2, "cot"),
    ]


def test_other_modes_ask_once_in_their_style():
    def answer(stage, records, template):
        return [{"index": i, "sample": 0, "completion": f"{stage} {template}"} for i in range(len(records))]

    for mode, style in (("", "cot"), ("cot", "cot"), ("pot", "pot"), ("calculator", "cot")):
        ((record, row),) = modes.ask(mode, [OPEN], "rft", answer, None)
        assert (record.style, row["completion"]) == (style, f"{mode} rft")
    ((record, _),) = modes.ask("cot", [CHOICE], "rft", answer, None)
    assert record.style == "choice"
