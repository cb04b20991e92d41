"""Verdicts in batches, in processes of their own."""

import json
import os
import pathlib
import signal
import threading

import pytest

from mathjax.records import Record
from mathjax.sandbox import Limits
from mathjax.verify import Case, Verifier, verify

EXAM = pathlib.Path(__file__).parent / "cases" / "answers.jsonl"


@pytest.fixture(scope="module")
def judge():
    with Verifier(2, limits=Limits(wall_seconds=2)) as verifier:
        yield verifier


def cot(answer, completion, **more):
    return {"answer": answer, "completion": completion, **more}


def without_time(verdict):
    return {name: getattr(verdict, name) for name in verdict.__dataclass_fields__ if name != "seconds"}


def test_verdicts_come_in_the_order_of_the_cases(judge):
    cases = [cot(str(number), f"\\boxed{{{number if number % 3 else number + 1}}}") for number in range(1000)]
    assert [verdict.correct for verdict in judge(cases)] == [number % 3 != 0 for number in range(1000)]


def test_records_and_mappings_are_judged_alike(judge):
    record = Record(question="?", answer="18")
    first, second = judge([Case(record, "#### 18"), cot("18", "#### 18")])
    assert without_time(first) == without_time(second) == without_time(verify(record, "#### 18"))


def test_a_batch_gives_the_verdicts_of_its_cases_one_by_one(judge):
    rows = [json.loads(text) for text in EXAM.read_text().splitlines()][:300]
    cases = [cot(row["gold"], row["completion"], style=row["style"], options=row.get("options")) for row in rows]
    alone = []
    for row in rows:
        options = tuple(row["options"]) if row.get("options") else None
        alone.append(
            verify(Record(question="", answer=row["gold"], style=row["style"], options=options), row["completion"])
        )
    assert [without_time(verdict) for verdict in judge(cases)] == [without_time(verdict) for verdict in alone]


def test_every_style_is_judged(judge, isolation):
    cases = [
        cot("4", "The answer is 4."),
        cot("4", "2+2=4", style="arithmetic", question="1+1+2="),
        cot("B", "I choose (B).", style="choice", options=["A) 1", "B) 2"]),
        cot("4", "print(2 + 2)", style="pot"),
        cot("[2, 3]", "from sympy import *\nx = symbols('x')\nprint(solve(x**2 - 5*x + 6, x))", style="pot"),
    ]
    verdicts = judge(cases)
    assert [verdict.correct for verdict in verdicts] == [True] * 5
    assert verdicts[3].level == "interpreter" and verdicts[4].level == judge.level == isolation


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("print(1/0)", "program_error"),
        ("import time\ntime.sleep(60)", "program_timeout"),
        ("x = [0] * (1 << 40)", "program_memory"),
        ("x = 5", "no_answer"),
        ("import os\nos.abort()", "program_killed"),
    ],
)
def test_what_became_of_a_program_is_told(judge, isolation, program, why):
    allowed = {why, "program_error"} if why == "program_memory" else {why}
    assert judge([cot("4", program, style="pot")])[0].why in allowed


def test_a_comparison_that_takes_too_long_is_a_timeout_and_the_next_one_is_judged():
    truth = ", ".join(f"\\sin({n})+1" for n in range(60))
    slow = cot(truth, "\\boxed{" + ", ".join(f"1+\\sin({n})+0" for n in reversed(range(60))) + "}")
    with Verifier(1, seconds=0.1) as judge:
        judge([cot("1", "1")])
        verdicts = judge([cot("1", "1"), slow, cot("2", "2")])
    assert [verdict.why for verdict in verdicts] == ["correct", "timeout", "correct"]
    assert not verdicts[1].decided and not verdicts[1].correct


def test_a_worker_that_is_killed_is_replaced(judge):
    judge([cot("1", "1")] * 300)
    workers = [judge._judges.get() for _ in range(judge.workers)]
    for worker in filter(None, workers):
        os.kill(worker.process.pid, signal.SIGKILL)
    for worker in workers:
        judge._judges.put(worker)
    assert any(workers)
    verdicts = judge([cot("1", "1")] * 300)
    assert sum(verdict.correct for verdict in verdicts) >= 299


def test_threads_may_share_a_verifier(judge):
    found = {}

    def ask(name):
        found[name] = [verdict.correct for verdict in judge([cot(str(name), str(name)), cot(str(name), "x")] * 200)]

    threads = [threading.Thread(target=ask, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: [True, False] * 200 for name in range(4)}


def test_a_stream_is_read_only_a_little_ahead(judge):
    taken = 0

    def cases():
        nonlocal taken
        for number in range(10_000):
            taken += 1
            yield cot(str(number), str(number))

    stream = judge.stream(cases())
    next(stream)
    assert taken < 2_000
    stream.close()


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"completion": "4"}, "case 1 needs answer, as text"),
        (cot("4", "4", style="prose"), "case 1: no verifier for style 'prose'; there are arithmetic, cot, choice, pot"),
        (cot("4", "4", style="arithmetic", question="1/0="), "case 1: .*the question has no value"),
        (cot("E", "A", style="choice", options=["1", "2"]), "case 1: .*the answer 'E' is none of the options"),
    ],
)
def test_a_case_that_cannot_be_judged_is_an_error_that_names_it(judge, case, message):
    with pytest.raises(ValueError, match=message):
        judge([cot("4", "4"), case])


def test_an_unknown_protocol_is_an_error_that_lists_the_known():
    with pytest.raises(ValueError, match=r"no protocol 'kind'; there are hendrycks, .*strict"):
        Verifier(protocol="kind")


def test_a_protocol_is_applied_to_the_styles_that_have_it():
    with Verifier(1, protocol="lm_eval_strict") as judge:
        verdicts = judge([cot("4", "The answer is 4."), cot("4", "4", style="arithmetic", question="2+2=")])
    assert [verdict.correct for verdict in verdicts] == [False, True]


OPTIONS = ("16", "19", "20")


@pytest.mark.parametrize(
    ("record", "completion", "protocol", "answer", "correct"),
    [
        (Record(question="", answer="19", style="pot"), "print(19.0)", "mammoth", "19", True),
        (Record(question="", answer="19", style="pot"), "print(18)", "mammoth", "18", False),
        (Record(question="", answer="19", style="pot"), "print(1/0)", "mammoth", None, False),
        (Record(question="", answer="19", style="pot"), "x = 19", "mammoth", "19", True),  # no program that prints
        (Record(question="", answer="2.5", style="pot"), "print(2.58)", "mammoth_math", "2.58", True),
        (Record(question="", answer="B", style="pot", options=OPTIONS), "print('B')", "mammoth_choice", "B", True),
        (Record(question="", answer="B", style="pot", options=OPTIONS), "print(19)", "mammoth_choice", None, False),
        (Record(question="", answer="B", style="pot", options=OPTIONS), "print(19)", "strict", "B", True),
        (Record(question="", answer="B", style="pot", options=OPTIONS), "print(20)", "strict", "C", False),
        (Record(question="", answer="B", style="pot", options=OPTIONS), "print(1/0)", "strict", None, False),
        (Record(question="", answer="B", style="pot", options=OPTIONS), "It is (B).", "strict", "B", True),
        (Record(question="", answer="B", style="choice", options=OPTIONS), "so (B)", "mammoth_choice", "B", True),
        (Record(question="", answer="900", solution="x=60*15=900"), "x=60*15=90", "mathglm", "x=60*15=90", False),
        (
            Record(question="", answer="900", solution="x=60*15=900"),
            "x=60*15=90",
            "mathglm_arithmetic",
            "x=60*15=90",
            True,
        ),
    ],
)
def test_a_case_can_name_its_protocol(judge, record, completion, protocol, answer, correct):
    (verdict,) = judge([Case(record, completion, protocol)])
    assert (verdict.answer, verdict.correct) == (answer, correct)


def test_a_protocol_of_another_style_and_one_without_its_reference_are_errors(judge):
    with pytest.raises(ValueError, match="case 0: no protocol 'rft' for choice; there are strict, mammoth_"):
        judge([Case(Record(question="", answer="A", style="choice", options=OPTIONS), "A", "rft")])
    with pytest.raises(ValueError, match=r"case 0: .*has no solution, which protocol mathglm compares with"):
        judge([Case(Record(question="", answer="900"), "x=60*15=900", "mathglm")])


def test_a_program_is_run_once_for_all_protocols(judge, isolation, tmp_path):
    program = "import random\nprint(random.randint(1, 10**12))"
    record = Record(question="", answer="1", style="pot")
    found = judge([Case(record, program, name) for name in ("strict", "mammoth", "mammoth_math")])
    assert len({verdict.answer for verdict in found}) == 1


def test_a_closed_verifier_says_so():
    judge = Verifier(1)
    judge.close()
    judge.close()
    with pytest.raises(RuntimeError, match="closed"):
        judge([cot("1", "1")])
