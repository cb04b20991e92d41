"""What attempts add up to, and the picture of a learning curve."""

import json
import random

import pytest

from data_gen.sources import job
from mathjax import config, records
from mathjax.evaluate import benchmarks, chart, corpus, judged, report, statistics
from mathjax.records import Record
from mathjax.verify import Verifier

EVIL = "<script>alert('x')</script>&\"'\ud800\x00"

# question, completion
ATTEMPTS = [
    ("12+3=", "15"),
    ("12-3=", "8"),
    ("12*3=", "36"),
    ("5+4/2*1=", "5+3*1=5+3=8"),
    ("5+4/2*1=", "5+2*1=5+2=8"),
    ("5+4/2*1=", "5+3*1=5+2=7"),
    ("200*50=", "10001"),
    ("1/8=", "0.13"),
    ("9-9=", ""),
    ("7*8=", EVIL),
]


WORDS = Record(question="Ann has 5 bags of 3 apples and gets 4 more. How many?", answer="19")


@pytest.fixture(scope="module")
def verifier():
    with Verifier(1) as verifier:
        yield verifier


@pytest.fixture(scope="module")
def summarise(verifier):
    def summarise(pairs=ATTEMPTS, protocols=("strict", "mathglm"), **settings):
        made = [
            (Record(question=question, style="arithmetic"), {"index": i, "sample": 0, "completion": completion})
            for i, (question, completion) in enumerate(pairs)
        ]
        return report.summarise(judge(made, verifier, protocols), **{"groups": benchmarks.ARITHMETIC} | settings)

    return summarise


def judge(made, verifier, protocols):
    return judged.judge([(record, row | {"finish": "stop"}, protocols) for record, row in made], verifier)


def sampled(verifier, texts, protocols=("strict",), **columns):
    """The summary of questions with several attempts each, all with the truth 19."""
    made = [
        (Record(question=f"{i}: {WORDS.question}", answer="19"), {"index": i, "sample": j, "completion": text} | told)
        for i, group in enumerate(texts)
        for j, (text, told) in enumerate(
            zip(group, [{name: value[i][j] for name, value in columns.items()} for j in range(len(group))], strict=True)
        )
    ]
    return report.summarise(judge(made, verifier, protocols), groups={"first": lambda record: [record.question[0]]})


def test_shares_are_counted_with_their_intervals(summarise):
    result = summarise()
    assert (result["n"], result["correct"], result["accuracy"]) == (10, 3, 0.3)
    assert result["interval"] == list(statistics.wilson(3, 10))
    assert result["chains"]["relative_error_1pct"]["correct"] == 4  # 10001 for 10000 is close
    assert result["chains"]["exact"]["correct"] == 3
    assert sum(result["why"].values()) == 10
    assert result["why"] == {"wrong_value": 5, "correct": 3, "no_answer": 1, "unreadable": 1}


def test_each_group_holds_every_question_at_least_once(summarise):
    groups = summarise()["groups"]
    assert {name: (part["correct"], part["n"]) for name, part in groups["operator"].items()} == {
        "*": (2, 6),
        "+": (2, 4),
        "-": (0, 2),
        "/": (1, 4),
    }
    assert {name: part["n"] for name, part in groups["operations"].items()} == {"1": 7, "3": 3}
    assert list(groups["digits"]) == ["1", "2", "3"]


def test_groups_of_numbers_are_in_the_order_of_size(summarise):
    pairs = [("1" * digits + "+1=", "2") for digits in (11, 2, 1, 10, 9)]
    assert list(summarise(pairs)["groups"]["digits"]) == ["1", "2", "9", "10", "11"]


def test_the_operation_that_failed_first_is_told(summarise):
    assert summarise()["chains"]["first_wrong_operation"] == {"/": 2, "*": 1, "-": 1, "+": 1, "other": 2}
    assert summarise()["chains"]["right_by_a_wrong_chain"] == 1


@pytest.mark.parametrize(
    ("question", "completion", "failed"),
    [("2+3*4=", "2+13=15", "*"), ("2+3*4=", "15", "several"), ("2+3=", "", "other"), ("2+3=", "2+3+1=6", "other")],
)
def test_the_failed_operation_is_what_the_first_wrong_segment_lost(summarise, question, completion, failed):
    assert summarise([(question, completion)])["chains"]["first_wrong_operation"] == {failed: 1}


def test_protocols_are_counted_beside_each_other(summarise):
    pairs = [("2.675*1=", "2.67"), ("1+1=", "2"), ("1+1=", "3")]
    result = summarise(pairs)
    assert {name: part["correct"] for name, part in result["protocols"].items()} == {"strict": 1, "mathglm": 2}
    assert result["changed"] == [{"index": 0, "sample": 0, "verdicts": {"strict": False, "mathglm": True}}]
    assert (result["protocols"]["mathglm"]["only_here"], result["protocols"]["mathglm"]["only_headline"]) == (1, 0)
    assert summarise(pairs, protocols=["mathglm"])["correct"] == 2


def test_covered_and_other_forms_add_up_to_all(summarise):
    part = config.Expressions(operations=(1, 1), digits=(1, 2), subtract=0.0)
    covers = corpus.covers([config.Arithmetic(parts=[part], train=1)])
    result = summarise(parts=corpus.parts(covers, seen={"12+3="}))
    parts = result["parts"]
    assert {name: part["n"] for name, part in parts.items()} == {"covered": 3, "not_covered": 7, "covered_unseen": 2}
    assert parts["covered"]["correct"] + parts["not_covered"]["correct"] == result["correct"]
    assert [words for _, words, _ in report.rows({"exam": result})] == [
        "",
        "forms of the corpus",
        "of these, not trained on",
        "other forms",
    ]


def test_a_part_that_holds_everything_or_nothing_has_no_line_of_its_own(summarise):
    parts = corpus.parts(lambda question: True, seen=set())
    assert [words for _, words, _ in report.rows({"exam": summarise(parts=parts)})] == [""]
    assert summarise()["parts"] == {}


def test_the_share_of_nothing_is_none():
    assert report.share([]) == {"accuracy": None, "correct": 0, "attempts": 0, "n": 0, "interval": [0.0, 1.0]}
    assert report.summarise([], groups={})["n"] == 0


RIGHT, SLIP, WRONG, NONE = "5*3=15, 15+4=19. The answer is 19.", "5*3=15, 15+4=18. So 18.", "The answer is 12.", ""


def test_errors_add_up_and_stand_beside_arithmetic_accuracy(verifier):
    result = sampled(verifier, [[RIGHT], [SLIP], [WRONG], [WRONG], [NONE]])
    assert result["errors"] == {"format": 1, "arithmetic": 1, "logic": 2, "undecided": 0}
    assert sum(result["errors"].values()) == result["n"] - result["correct"]
    assert (result["accuracy"], result["arithmetic_accuracy"]["accuracy"]) == (0.2, 0.4)


def test_several_attempts_at_a_question_are_passed_voted_and_drawn_by_question(verifier):
    texts = [[RIGHT, RIGHT, WRONG, NONE], [WRONG, "The answer is 19/1", "It is 12.0", NONE], [SLIP] * 4, [RIGHT] * 4]
    result = sampled(verifier, texts)
    assert (result["n"], result["samples"], result["attempts"], result["correct"]) == (4, 4, 16, 7)
    assert result["accuracy"] == pytest.approx((0.5 + 0.25 + 0 + 1) / 4)
    assert result["interval"] == list(statistics.bootstrap([0.5, 0.25, 0, 1]))
    passed = {k: one["accuracy"] for k, one in result["votes"]["pass_at"].items()}
    assert passed == pytest.approx({"1": 7 / 16, "2": (5 / 6 + 1 / 2 + 0 + 1) / 4, "4": 3 / 4})
    assert {k: one["correct"] for k, one in result["votes"]["majority_at"].items()} == {"1": 2, "2": 2, "4": 2}
    assert "weighted_majority" not in result["votes"]
    assert {name: (one["n"], one["correct"]) for name, one in result["groups"]["first"].items()} == {
        "0": (1, 2),
        "1": (1, 1),
        "2": (1, 0),
        "3": (1, 4),
    }


def test_word_problems_of_mathglm_have_both_of_its_accuracies(verifier, tmp_path):
    rows = [  # of our own, in its published form
        {"question": "每箱苹果重60千克，15箱重多少千克？", "answer": "x=60*15=900"},
        {"question": "甲有2.75吨，用去1(5/6)吨，还剩多少吨？", "answer": "x=2.75-1(5/6)=(11/12)"},
        {"question": "90的75%是多少？", "answer": "x=90*75%=67.5"},
    ]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    records.write(tmp_path / "records.jsonl", job.read("mathglm_mwp", tmp_path / "test.jsonl"))
    asked = config.Benchmark(name="mwp", path=str(tmp_path / "records.jsonl"), kind="mathglm_mwp", rows=3)
    found = benchmarks.read(asked)
    texts = ["x=60*15=800", "x=2.75-1(5/6)=0.91667", "x=90-75%=89.25"]
    made = [
        (one, {"index": i, "sample": 0, "completion": text})
        for i, (one, text) in enumerate(zip(found, texts, strict=True))
    ]
    result = report.summarise(judge(made, verifier, benchmarks.protocols("mathglm_mwp", "cot", [])), groups={})
    counts = {name: share["correct"] for name, share in result["protocols"].items()}
    assert counts == {"strict": 0, "mathglm": 1, "mathglm_arithmetic": 2}


def test_scores_weigh_the_votes(verifier):
    texts = [[WRONG, WRONG, RIGHT], [RIGHT, WRONG, WRONG]]
    result = sampled(verifier, texts, score=[[0.1, 0.2, 0.9], [0.3, 0.9, 0.1]])
    assert result["votes"]["majority_at"]["3"]["correct"] == 0
    assert result["votes"]["weighted_majority"]["correct"] == 1


def test_the_share_of_a_vote_is_held_against_what_came_true(verifier):
    fit = sampled(verifier, [[RIGHT] * 4, [WRONG, WRONG, WRONG, RIGHT]])["votes"]["calibration"]
    assert fit["bins"] == [[0.7, 0.8, 1, 0.75, 0.0], [0.9, 1.0, 1, 1.0, 1.0]]
    assert fit["error"] == pytest.approx(0.375)


def test_the_curve_goes_through_the_points_within_the_picture():
    points = [{"step": 10, "loss": 4.0}, {"step": 20, "loss": 2.0, "heldout_loss": 2.0}, {"step": 40, "loss": None}]
    drawing = chart.curve(points)
    left, right = chart.LEFT, chart.WIDTH - chart.RIGHT
    top, bottom = chart.TOP, chart.HEIGHT - chart.BOTTOM
    middle = (left + right) / 2
    assert f'<path class="seen" d="M{middle:.1f} {top:.1f}L{right:.1f} {(top + bottom) / 2:.1f}"/>' in drawing
    assert drawing.count("<circle") == 1


def test_a_curve_needs_two_points():
    assert chart.curve([]) == chart.curve([{"step": 1, "loss": 2.0}]) == ""


@pytest.mark.parametrize(
    ("high", "expected"),
    [(4, [0, 1, 2, 3, 4]), (1500, [0, 500, 1000, 1500]), (0.3, [0, 0.1, 0.2, 0.3]), (0, [0, 1])],
)
def test_ticks_are_round_numbers_that_hold_the_range(high, expected):
    assert chart.ticks(0, high) == expected


def test_a_thousand_hostile_answers_are_summed_up_in_no_time(summarise):
    rng = random.Random(0)
    pairs = [("12+3=", "".join(rng.choice("0123456789+-*/()=%<>") for _ in range(200))) for _ in range(1000)]
    pairs += [("12+3=", "1" * 20_000), ("12+3=", "=" * 20_000), ("12+3=", "(" * 20_000)]
    result = summarise(pairs)
    assert result["correct"] == 0
    json.dumps(result, allow_nan=False)
