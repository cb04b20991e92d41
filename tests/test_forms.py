"""The form of an expression, read from its text."""

import random
from collections import Counter
from fractions import Fraction

import pytest

from mathjax import expression
from mathjax.evaluate import forms

# text, operations, operators, formats, brackets, odd, digits
CASES = [
    ("5+4/2*1=", 3, "+/*", "integer", False, False, 1),
    ("48*125", 1, "*", "integer", False, False, 3),
    ("27=", 0, "", "integer", False, False, 2),
    ("0*0=", 1, "*", "integer", False, False, 1),
    ("5255--3=", 1, "-", "integer negative", False, False, 4),
    ("-5+3=", 1, "+", "integer negative", False, False, 1),
    ("2 + 3 =", 1, "+", "integer", False, False, 1),
    ("1.75-0.5=", 1, "-", "decimal", False, False, 1),
    ("118%+1591+-2454+[(9830%/3901.54129)]=", 4, "+/", "percent integer decimal negative", True, False, 4),
    ("(4/72)+(95/72)=", 1, "+", "fraction", False, False, 2),
    ("(30-12)/2=", 2, "-/", "integer", True, False, 2),
    ("(1+2)%*3=", 2, "+*", "integer percent", True, False, 1),
    ("2^3**2=", 2, "^", "integer", False, False, 1),
    ("3*(-2)^2=", 2, "*^", "integer negative", False, False, 1),
    ("7//2=", 1, "//", "integer", False, False, 1),
    (".5*3=", 1, "*", "decimal integer", False, True, 1),
    ("5.*3=", 1, "*", "decimal integer", False, True, 1),
    ("1.50+3=", 1, "+", "decimal integer", False, True, 1),
    ("007+3=", 1, "+", "integer", False, True, 1),
    ("+18=", 0, "", "integer", False, True, 2),
    ("1-(-2)=", 1, "-", "integer negative", True, True, 1),
    ("100.05+200=", 1, "+", "decimal integer", False, False, 3),
]


@pytest.mark.parametrize(("text", "operations", "operators", "formats", "brackets", "odd", "digits"), CASES)
def test_the_form_is_read_from_the_text(text, operations, operators, formats, brackets, odd, digits):
    form = forms.form(text)
    assert form.operations == operations
    assert set("".join(form.operators)) == set(operators)
    assert form.formats == set(formats.split())
    assert (form.brackets, form.odd, form.digits) == (brackets, odd, digits)


def test_a_fraction_can_be_read_as_a_division_in_brackets():
    form = forms.form("(20/100)*25=", forms.lowest)
    assert (form.operations, form.operators, form.brackets, form.formats) == (2, {"/", "*"}, True, {"integer"})


def test_a_number_knows_the_operators_beside_it():
    numbers = forms.form("2*(3+-4)^5=").numbers
    assert [(number.text, number.left, number.right) for number in numbers] == [
        ("2", "", "*"),
        ("3", "", "+"),
        ("-4", "+", ""),
        ("5", "^", ""),
    ]


@pytest.mark.parametrize("text", ["12a+3=", "1,000*2=", "٣+1=", "1=2="])
def test_a_character_of_no_expression_is_an_error_that_names_it(text):
    with pytest.raises(ValueError, match=r"not an arithmetic expression: .* at place"):
        forms.form(text)


def test_operators_between_values_are_counted_and_signs_are_not():
    assert forms.operators("-1+2*-3*4+(5-6)") == Counter({"+": 2, "*": 2, "-": 1})


def random_expression(rng, depth=4):
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(["", "", "-"]) + rng.choice(
            [str(rng.randint(0, 99)), f"{rng.randint(1, 99)}.5", "7%", "(3/4)"]
        )
    left, right = random_expression(rng, depth - 1), random_expression(rng, depth - 1)
    return rng.choice(["{}", "({})", "[{}]", "-({})", "({})%"]).format(
        left + rng.choice(["+", "-", "*", "/", "//"]) + right
    )


def test_the_last_step_gives_the_value_that_expression_gives():
    rng = random.Random(0)
    agreed = 0
    while agreed < 300:
        text = random_expression(rng)
        try:
            value = expression.value(text)
        except expression.ExpressionError:
            continue
        if work := forms.steps(f"{text}+0"):
            agreed += 1
            assert work[-1].result == value
            assert len(work) == forms.form(text, lambda text: False).operations + 1
    assert forms.steps("2^3^2-(-2^2)")[-1].result == 516


def test_steps_are_exact_and_in_an_order_that_can_be_done():
    assert forms.steps("1/3*6+2=") == [
        ("/", 1, 3, Fraction(1, 3)),
        ("*", Fraction(1, 3), 6, 2),
        ("+", 2, 2, 4),
    ]


def test_a_long_hostile_text_is_read_in_no_time():
    assert forms.form("1" * 20_000).digits == 20_000
    assert forms.operators("(1" * 5_000).total() == 0
