"""Whether two answers name the same thing."""

import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathjax.answers.equivalence import same
from mathjax.answers.number import number

EQUAL = [
    ("0.5", "\\frac{1}{2}"),
    ("1,234", "1234"),
    ("3/2", "1\\frac12"),
    ("5000", "5e3"),
    ("\\$10", "10"),
    ("10", "10.0"),
    ("\\frac{\\sqrt2}{2}", "1/\\sqrt2"),
    ("x^2-1", "(x-1)(x+1)"),
    ("\\ln 8", "3\\ln 2"),
    ("1", "\\sin^2 x+\\cos^2 x"),
    ("\\pm 2", "2,-2"),
    ("x \\ge 5", "[5,\\infty)"),
    ("1<x<3", "x \\in (1,3)"),
    ("x \\neq 3", "(-\\infty,3)\\cup(3,\\infty)"),
    ("x<1", "-x>-1"),
    ("2x+3y=6", "4x+6y=12"),
    ("k=1", "1"),
    ("(p,q)=(3,2)", "(3,2)"),
    ("x=3, y=-1", "(3,-1)"),
    ("25\\%", "25"),
    ("0.5", "50\\%"),
    ("4:30 p.m.", "4:30 PM"),
    ("30^\\circ", "30"),
    ("\\pi/6", "30^\\circ"),
    ("11:21", "22:42"),
    ("3+4i", "4i+3"),
    ("(-1)^n", "\\cos(n\\pi)"),
    ("1/3", "0.\\overline{3}"),
    ("2/3", "0.6666666666666666"),
    ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(1,2)"),
    ("\\text{Friday}", "friday"),
    ("8", "x=8"),
    ("2^{10}", "2**10"),
    ("\\binom{9}{4}", "126"),
    ("100!", "100 \\cdot 99!"),
    ("\\sqrt{2}^2-2", "0"),
    ("800 \\text{ square feet}", "800"),
]
DIFFERENT = [
    ("12345", "12346"),
    ("1/3", "0.333"),
    ("\\pi", "3.14"),
    ("2^{-99}", "2^{-98}"),
    ("1/2004!", "1/2006!"),
    ("100!", "101!"),
    ("x^2-1", "(x-1)(x+2)"),
    ("|x|", "x"),
    ("\\sqrt{x^2}", "x"),
    ("(0,1)", "[0,1)"),
    ("(0,1)", "\\{0,1\\}"),
    ("(1,2)", "(2,1)"),
    ("x<1", "x>-1"),
    ("x=5, y=2", "x=2, y=5"),
    ("n=3k", "n=3"),
    ("1", "2x+z=1"),
    ("101_2", "101_3"),
    ("4:30 pm", "4:30 am"),
    ("5 \\text{ cm}", "5 \\text{ m}"),
    ("\\infty", "-\\infty"),
    ("e^{-200}", "0"),
    ("e^{\\pi\\sqrt{163}}", "640320^3+744"),
    ("\\text{Friday}", "\\text{not Friday}"),
    ("-2,1", "-2"),
    ("1-1/e", "1+1/e"),
    ("9999", "10000"),
    ("12:00", "1:00"),
]
BOMBS = [
    "9**9**9**9",
    "5^{5^{5^{5^{5}}}}",
    "(10^{10})!",
    "\\binom{1000000000}{500000000}",
    "(x+y+z+w)^{400}",
    "{" * 4000 + "5",
    "(" * 4000,
    "-" * 9000 + "6",
    "\\frac{1}{" * 900,
    "1e999999999",
    "\\sqrt{" * 900,
    "\\sum_{k=1}^{10^{12}} k",
    "2^" * 900 + "2",
    "\\sin" * 2000 + "1",
    "1+" * 4000 + "1",
    "\\left(" * 1500,
    "9!!!!!!!!!!!!",
    "\\text{" * 2000,
    "x_" * 2000 + "1",
    "|" * 4000,
    "\\int" * 1500,
    "1,2;" * 2000,
    "\\pm" * 2000 + "1",
    "[" * 3000 + "]" * 3000,
    "5\\cup" * 1500,
    "=" * 5000,
    "a^{b^{c^{d^{e^{f}}}}}",
]


@pytest.mark.parametrize(("truth", "answer"), EQUAL)
def test_one_value_may_be_written_in_many_ways(truth, answer):
    assert same(truth, answer).equal is True
    assert same(answer, truth).equal is True


@pytest.mark.parametrize(("truth", "answer"), DIFFERENT)
def test_small_differences_are_differences(truth, answer):
    assert same(truth, answer).equal is False
    assert same(answer, truth).equal is False


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_no_answer_of_five_and_takes_no_time(bomb):
    begun = time.thread_time()
    assert not same("5", bomb).equal
    assert not same(bomb, "5").equal
    assert same(bomb, bomb).equal is True
    assert time.thread_time() - begun < 1


def test_what_cannot_be_worked_out_is_undecided():
    assert same("\\frac12", "\\int_0^1 x dx").equal is None
    assert same("2^{1000000}", "2^{1000000}+1").equal is None


def test_a_truth_that_cannot_be_read_is_undecided_and_an_answer_that_cannot_be_read_is_wrong():
    assert same("\\unknown{3}", "3").equal is None
    assert same("3", "\\unknown{3}").equal is False


@settings(max_examples=200, deadline=None)
@given(st.fractions(max_denominator=10**6))
def test_every_spelling_of_a_rational_number_is_read_exactly(value):
    a, b = value.numerator, value.denominator
    for text in (f"{a}/{b}", f"\\frac{{{a}}}{{{b}}}", f"${a}/{b}$"):
        assert number(text) == value


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**15), 10**15), st.integers(0, 9))
def test_decimals_with_and_without_separators_are_read_exactly(digits, places):
    value = Fraction(digits, 10**places)
    text = f"{abs(digits) // 10**places:,}" + (f".{abs(digits) % 10**places:0{places}d}" if places else "")
    text = "-" + text if digits < 0 else text
    assert number(text) == number(text.replace(",", "")) == value


EXPRESSIONS = st.recursive(
    st.integers(0, 12).map(str) | st.sampled_from("xy"),
    lambda parts: st.tuples(parts, st.sampled_from("+-*/"), parts).map("({0[0]}{0[1]}{0[2]})".format),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS)
def test_an_expression_equals_itself_doubled_and_halved_but_not_itself_plus_one(text):
    doubled = same(text, f"\\frac{{2({text})}}{{2}}").equal
    assert doubled is not False  # undecided where it has no value, such as 1/0
    assert same(text, f"({text})+1").equal is not True


PIECES = (
    "1 2 9 10 0.5 x y n e i \\pi ^ _ { } ( ) [ ] \\{ \\} | , ; : = < > \\le \\in + - * / ! % & \\\\ ' . \\pm \\mp "
    "\\cup \\frac \\sqrt \\binom \\sin \\log \\ln \\sum \\int \\text{a} \\text{cm} \\overline{3} \\begin{pmatrix} "
    "\\end{pmatrix} \\circ \\infty to and or mod"
).split()


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join))
def test_no_text_makes_the_comparison_fail(text):
    assert same("5", text).equal in (True, False, None)
    assert same(text, "x+1").equal in (True, False, None)
    assert same(text, text).equal is True or not text
