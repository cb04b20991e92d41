"""The equations that solutions write down, and what they come to."""

import json
import re
from fractions import Fraction

import pytest

from mathjax.answers import equations, recompute


def sides(text):
    return [["".join(side) for side in one.sides] for one in equations.find(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("48/2 = <<48/2=24>>24 clips", [["48/2", "24"]]),
        ("<<2*3=6>>6 and <<6+1=7>>7", [["2*3", "6"], ["6+1", "7"]]),
        ("Lloyd earns $10 x 5 = $50 a week.", [["10*5", "50"]]),
        ("70 mph - 55 mph = 15 mph", [["70-55", "15"]]),
        ("20 total gnomes – 12 gnomes = 8 gnomes.", [["20-12", "8"]]),
        ("20% of 50 = 10", [["20%*50", "10"]]),
        ("1/2 of 30 = 15", [["1/2*30", "15"]]),
        ("So 9 + 20 is 29.", [["9+20", "29"]]),
        ("5 times 3 is 15", [["5*3", "15"]]),
        ("total = 5 + 3 = 8 apples", [["5+3", "8"]]),
        ("A = (-9 - 5 - 0) = (-14) = -14.", [["(-9-5-0)", "(-14)", "-14"]]),
        ("1,000 + 2,500 = 3,500 dollars", [["1000+2500", "3500"]]),
        (r"$\frac{1}{2} \times 30 = 15$", [["((1)/(2))*30", "15"]]),
        (r"so $3 \cdot 4 = \boxed{12}$", [["3*4", "12"]]),
        ("8 x 1 1/2 = 12 rolls", [["8*(1+1/2)", "12"]]),
        ("7 - 9 = -2, so -2 + 5 = 3", [["7-9", "-2"], ["-2+5", "3"]]),
        ("60 + 60 + 20 = 140 nuts/day.", [["60+60+20", "140"]]),
        ("$5/hour * 8 hours = $40", [["5*8", "40"]]),
        ("3x + 2 = 5", []),
        ("x - 5 = 3", []),
        ("2x-5=13", []),
        ("f(5) = 2*5-3", []),
        ("Darcy = 2*Dexter = 2*8 = 16", [["2*8", "16"]]),
        ("3 boxes of 12 = 36 eggs", []),
        ("in 2018 it is 100 + 10 = 110 metres", [["100+10", "110"]]),
        ("x = 5", []),
        ("5 = 5", []),
    ],
)
def test_equations_between_numbers_are_found_and_algebra_is_none(text, found):
    assert sides(text) == found


@pytest.mark.parametrize(
    ("text", "claimed", "exact", "true"),
    [
        ("5 * 3 = 15", 15, 15, True),
        ("5 * 3 = 16", 16, 15, False),
        ("10/3 = 3.33", "3.33", "10/3", True),
        ("10/3 = 3.34", "3.34", "10/3", True),  # rounded up is rounded
        ("10/3 = 3.4", "3.4", "10/3", True),
        ("10/3 = 3.5", "3.5", "10/3", False),
        ("7/2 = 4", 4, "7/2", True),
        ("6/2 = 4", 4, 3, False),
        ("5/20 = 25%", "0.25", "0.25", True),
        ("5/20*100 = 25%", "0.25", "0.25", True),
        ("4/12*100 = 33.33%", "0.3333", "100/3", True),
        ("5/20*100 = 30%", "0.3", 25, False),
    ],
)
def test_an_equation_holds_up_to_the_rounding_of_its_last_side(text, claimed, exact, true):
    (one,) = recompute.worked(equations.find(text))
    assert (one.claimed, one.exact, one.true) == (Fraction(claimed), Fraction(exact), true)


def test_a_wrong_value_is_put_right_wherever_it_is_used():
    worked = recompute.worked(equations.find("5 * 3 = 16. Then 16 + 4 = 20. And 20 * 2 = 41."))
    assert [(one.claimed, one.exact, one.true) for one in worked] == [(16, 15, False), (20, 19, True), (41, 38, False)]


def test_a_value_that_is_worked_out_anew_is_right_again():
    worked = recompute.worked(equations.find("5 * 3 = 16. 4 * 4 = 16. 16 + 1 = 17."))
    assert worked[-1].exact == 17


@pytest.mark.parametrize(
    ("answer", "value"), [("18", 18), ("-5", -5), ("$1,200.50", Fraction("1200.5")), ("18 dollars", 18), ("none", None)]
)
def test_the_number_of_an_answer(answer, value):
    assert recompute.answered(answer) == value


@pytest.mark.parametrize(
    "text", ["=" * 5000, "1+" * 5000 + "=3", "((" * 4000 + "=1", "9**9**9**9 = 5", "1" * 19_000 + "*2=3", "x=" * 9000]
)
def test_no_text_takes_long_or_fails(text):
    recompute.worked(equations.find(text))


def test_the_annotations_of_gsm8k_all_hold(public_data):
    texts = [json.loads(line)["answer"] for line in (public_data / "gsm8k" / "train.jsonl").read_text().splitlines()]
    noted = [line for text in texts for line in text.splitlines() if "<<" in line]
    worked = [one for line in noted for one in recompute.worked(equations.find(line))]
    assert len(worked) == 23_716 - 355  # which are numbers said again, as <<12=12>>
    assert sum(not one.true for one in worked) == 0


def test_the_same_equations_are_found_where_they_are_only_written_out(public_data):
    texts = [json.loads(line)["answer"] for line in (public_data / "gsm8k" / "train.jsonl").read_text().splitlines()]
    worked = [one for text in texts[:2000] for one in recompute.worked(equations.find(re.sub("<<[^>]*>>", "", text)))]
    assert len(worked) > 6_000  # of 6,362 annotations, and others that have none
    assert sum(not one.true for one in worked) < 0.01 * len(worked)
