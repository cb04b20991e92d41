"""Why wrong attempts are wrong, beside what people labelled."""

from collections import Counter

import pytest

from data_gen.sources import job
from mathjax.answers import equations, recompute
from mathjax.evaluate.diagnose import KINDS, counted, diagnose
from mathjax.records import Record
from mathjax.verify import Verdict, verify

SUM = Record(question="Ann has 5 bags of 3 apples and gets 4 more. How many?", answer="19")
THIRD = Record(question="10 cakes for 3 people: how much has each, to two decimals?", answer="3.33")
CHOICE = Record(question="5*3+4?", answer="B", style="choice", options=("16", "19", "20"))


def kind(record, completion, verdict=None):
    found = diagnose(record, completion, verdict or verify(record, completion))
    return found and found.kind


@pytest.mark.parametrize(
    ("record", "completion", "expected"),
    [
        (SUM, "5 * 3 = 15. 15 + 4 = 19. The answer is 19.", None),
        (SUM, "5 * 3 = <<5*3=15>>15\n15 + 4 = <<15+4=18>>18\n#### 18", "arithmetic"),
        (SUM, "5 * 3 = 16 apples. 16 + 4 = 20. The answer is 20.", "arithmetic"),  # the slip is carried on
        (SUM, "5 + 3 = 8. 8 + 4 = 12. The answer is 12.", "logic"),
        (SUM, "5 + 3 = 9. 9 + 4 = 13. The answer is 13.", "logic"),  # a slip, and wrong without it
        (SUM, "Ann has 20 apples. The answer is 20.", "logic"),
        (SUM, "I do not know.", "format"),
        (SUM, "", "format"),
        (THIRD, "10 / 3 = 3.4. The answer is 3.4", "arithmetic"),
        (THIRD, "10 / 4 = 2.5. The answer is 2.5", "logic"),
        (CHOICE, "5 * 3 = 12, 12 + 4 = 16. The answer is (A).", "arithmetic"),
        (CHOICE, "5 + 3 + 4 = 12. The answer is (C).", "logic"),
        (CHOICE, "", "format"),
    ],
)
def test_a_wrong_answer_is_explained_by_its_own_equations(record, completion, expected):
    assert kind(record, completion) == expected


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("print(5 * 3 + 4)", None),
        ("print(5 + 3 + 4)", "logic"),
        ("print(1 / 0)", "program_error"),
        ("x = 5", "format"),
    ],
)
def test_a_program_is_wrong_in_its_logic_or_failed(completion, expected):
    assert kind(Record(question="?", answer="19", style="pot"), completion) == expected


@pytest.mark.parametrize(
    ("completion", "expected"),
    [("15", None), ("14", "arithmetic"), ("", "format"), ("12+", "format"), ("abc", "format")],
)
def test_wrong_arithmetic_is_arithmetic(completion, expected):
    assert kind(Record(question="12+3=", style="arithmetic"), completion) == expected


@pytest.mark.parametrize("why", ["undecided", "timeout", "memory"])
def test_what_is_not_decided_is_neither(why):
    assert kind(SUM, "x", Verdict(answer="x", correct=False, why=why)) == "undecided"


def test_a_completion_that_was_cut_off_has_no_answer_unless_it_gave_one():
    for text, expected in (("First, 5 * 3 = 15 apples. Then add 4 to", "format"), ("The answer is 12. And", "logic")):
        assert diagnose(SUM, text, verify(SUM, text), "length").kind == expected
        assert diagnose(SUM, text, verify(SUM, text), "stop").kind == "logic"


def test_the_place_of_the_first_slip_is_told():
    text = "5 * 3 = 15.\n15 + 4 = 18.\nThe answer is 18."
    assert text[diagnose(SUM, text, verify(SUM, text)).slip :].startswith("15 + 4")


def test_counts_add_up_to_the_wrong_attempts():
    texts = ["The answer is 19.", "5*3=15, 15+4=18. The answer is 18.", "The answer is 12.", "?", "The answer is 3."]
    counts = counted(diagnose(SUM, text, verify(SUM, text)) for text in texts)
    assert counts == {"logic": 2, "arithmetic": 1, "format": 1}
    assert set(counts) <= set(KINDS)


def first_false(record):
    """Where the first false equation of a solution begins, None without one."""
    return next((one.start for one in recompute.worked(equations.find(record.solution)) if not one.true), None)


def step_at(record, start):
    """The step of a labelled solution in which a place is, None for none."""
    end = 0
    for place, step in enumerate(record.extra["steps"] if start is not None else ()):
        end += len(step) + 1
        if start < end:
            return place
    return None


def labelled(public_data, name, file):
    path = public_data / "steps" / file
    return [record for record in job.read(name, path) if record.style == "cot"]


def test_the_first_false_equation_is_the_step_that_people_marked(public_data):
    """BIG-Bench-Mistake: 185 of 200. In 8 more the label says that a trace with a false equation has no mistake."""
    found = Counter()
    for record in labelled(public_data, "bbmistake_arithmetic", "bbmistake_arithmetic_0-199.jsonl"):
        human = record.step_labels.index(-1) if -1 in record.step_labels else None
        ours = step_at(record, first_false(record))
        found["same" if ours == human else "human sees none" if human is None else "other"] += 1
    assert found["same"] >= 185
    assert found["human sees none"] <= 8
    assert found["other"] <= 7


def test_what_is_called_arithmetic_in_models_solutions_is_where_people_saw_the_error(public_data):
    """MR-GSM8K: of 30 wrong answers by arithmetic alone, 29 have their slip in the step that people marked."""
    found = Counter()
    for record in labelled(public_data, "mr_gsm8k", "mr_gsm8k_wrong.jsonl"):
        if record.answer is None:
            continue
        said = diagnose(record, record.solution, verify(record, record.solution))
        if said is not None and said.kind == "arithmetic":
            found[step_at(record, said.slip) == record.step_labels.index(-1)] += 1
    assert found[True] >= 29
    assert found[False] <= 1


def test_right_solutions_hardly_have_a_false_equation(public_data):
    """GSM8K's own 1,319 test solutions, as completions: none is wrong, and so none is explained."""
    for record in job.read("gsm8k", public_data / "gsm8k" / "test.jsonl"):
        assert diagnose(record, record.solution, verify(record, record.solution)) is None
