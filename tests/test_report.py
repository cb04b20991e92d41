"""What attempts add up to, and the page that shows it."""

import html.parser
import json
import random

import pytest

from mathjax import config
from mathjax.evaluate import benchmarks, chart, corpus, page, report, statistics
from mathjax.records import Record

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


def attempts(pairs=ATTEMPTS, finish="stop"):
    return [
        (Record(question=question, style="arithmetic"), {"completion": completion, "finish": finish})
        for question, completion in pairs
    ]


def summarise(pairs=ATTEMPTS, **settings):
    settings = {"protocols": ["strict", "mathglm"], "groups": benchmarks.ARITHMETIC} | settings
    return report.summarise(attempts(pairs), **settings)


def whole(**changes):
    """A report of one benchmark, complete enough to be shown."""
    result = summarise() | {"cost": {"tokens_per_second": 1234.5, "seconds": 2.0}}
    return {
        "title": "Title",
        "checkpoint": {"path": "runs/a/checkpoints/7", "step": 7, "parameters": 12345},
        "recipe": {"template": "plain"},
        "learning_curve": [{"step": step, "loss": 3 / step, "tokens_seen": 100 * step} for step in range(1, 30)],
        "device": "1 x cpu",
        "versions": {"mathjax": "0"},
        "seconds": 1.0,
        "benchmarks": {"exam": result},
    } | changes


def test_shares_are_counted_with_their_intervals():
    result = summarise()
    assert (result["n"], result["correct"], result["accuracy"]) == (10, 3, 0.3)
    assert result["interval"] == list(statistics.wilson(3, 10))
    assert result["relative_error_1pct"]["correct"] == 4  # 10001 for 10000 is close
    assert result["exact"]["correct"] == 3
    assert sum(result["why"].values()) == 10
    assert result["why"] == {"wrong_value": 5, "correct": 3, "no_answer": 1, "unreadable": 1}


def test_each_group_holds_every_question_at_least_once():
    groups = summarise()["groups"]
    assert {name: (part["correct"], part["n"]) for name, part in groups["operator"].items()} == {
        "*": (2, 6),
        "+": (2, 4),
        "-": (0, 2),
        "/": (1, 4),
    }
    assert {name: part["n"] for name, part in groups["operations"].items()} == {"1": 7, "3": 3}
    assert list(groups["digits"]) == ["1", "2", "3"]


def test_groups_of_numbers_are_in_the_order_of_size():
    pairs = [("1" * digits + "+1=", "2") for digits in (11, 2, 1, 10, 9)]
    assert list(summarise(pairs)["groups"]["digits"]) == ["1", "2", "9", "10", "11"]


def test_the_operation_that_failed_first_is_told():
    assert summarise()["first_wrong_operation"] == {"/": 2, "*": 1, "-": 1, "+": 1, "other": 2}
    assert summarise()["right_by_a_wrong_chain"] == 1


@pytest.mark.parametrize(
    ("question", "completion", "failed"),
    [("2+3*4=", "2+13=15", "*"), ("2+3*4=", "15", "several"), ("2+3=", "", "other"), ("2+3=", "2+3+1=6", "other")],
)
def test_the_failed_operation_is_what_the_first_wrong_segment_lost(question, completion, failed):
    assert summarise([(question, completion)])["first_wrong_operation"] == {failed: 1}


def test_protocols_are_counted_beside_each_other():
    pairs = [("2.675*1=", "2.67"), ("1+1=", "2"), ("1+1=", "3")]
    result = summarise(pairs)
    assert {name: part["correct"] for name, part in result["protocols"].items()} == {"strict": 1, "mathglm": 2}
    assert result["protocols_differ"] == 1
    assert summarise(pairs, protocols=["mathglm"])["correct"] == 2


def test_covered_and_other_forms_add_up_to_all():
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


def test_a_part_that_holds_everything_or_nothing_has_no_line_of_its_own():
    parts = corpus.parts(lambda question: True, seen=set())
    assert [words for _, words, _ in report.rows({"exam": summarise(parts=parts)})] == [""]
    assert summarise()["parts"] == {}


def test_examples_are_wrong_answers_from_everywhere_and_no_more_than_asked():
    pairs = [(f"{i}+1=", str(i)) for i in range(100)]
    shown = summarise(pairs, examples=5)["wrong_answers"]
    assert [entry["chain"][0] for entry in shown] == ["0+1", "20+1", "40+1", "60+1", "80+1"]
    assert summarise(pairs, examples=0)["wrong_answers"] == []
    assert summarise([("1+1=", "2")])["wrong_answers"] == []


def test_the_share_of_nothing_is_none():
    assert report.share([]) == {"accuracy": None, "correct": 0, "n": 0, "interval": [0.0, 1.0]}


class Page(html.parser.HTMLParser):
    """The tags of a page, whether each is closed, and the texts."""

    VOID = ("meta", "br", "path", "rect", "circle", "text")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.texts, self.attributes, self.marked = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
        if self.open and self.open[-1] == "mark":
            self.marked.append(data)


def test_the_page_is_closed_and_asks_for_nothing_from_outside():
    text = page.render(whole())
    seen = Page(text)
    assert seen.open == []
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(seen.tags)
    assert not {"src", "href"} & {name for name, _ in seen.attributes}
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert "url(" not in page.STYLE
    assert "@import" not in page.STYLE


def test_every_text_of_a_model_or_a_recipe_is_escaped():
    evil = whole(title=EVIL, recipe={EVIL: EVIL}, device=EVIL)
    evil["benchmarks"] = {EVIL: evil["benchmarks"].pop("exam")}
    for entry in evil["benchmarks"][EVIL]["wrong_answers"]:
        entry["chain"] = [EVIL] * 3
    text = page.render(evil)
    assert "<script" not in text
    assert "script" not in Page(text).tags
    text.encode("utf-8", "replace")


def test_the_first_wrong_segment_is_marked():
    seen = Page(page.render(whole()))
    assert "5+3*1" in seen.marked
    assert "8" in seen.marked
    assert "5+2*1" not in seen.marked


def test_the_page_and_the_table_show_the_numbers_of_the_report():
    value = whole()
    texts = " ".join(Page(page.render(value)).texts)
    for shown in ("30.0%", "10.8 – 60.3", "40.0%", "3 of 10 right"):
        assert shown in texts
    lines = report.table(value["benchmarks"]).splitlines()
    assert lines[1].split() == ["exam", "10", "30.0%", "10.8", "–", "60.3", "40.0%", "30.0%"]


def test_a_report_without_a_learning_curve_is_shown_without_one():
    assert "Learning curve" in page.render(whole())
    assert "Learning curve" not in page.render(whole(learning_curve=[]))


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


def test_a_thousand_hostile_answers_are_summed_up_in_no_time():
    rng = random.Random(0)
    pairs = [("12+3=", "".join(rng.choice("0123456789+-*/()=%<>") for _ in range(200))) for _ in range(1000)]
    pairs += [("12+3=", "1" * 20_000), ("12+3=", "=" * 20_000), ("12+3=", "(" * 20_000)]
    result = summarise(pairs)
    assert result["correct"] == 0
    json.dumps(result, allow_nan=False)
