"""Exact evaluation: what has a value, which, and that nothing else takes long."""

import ast
import json
import operator
import random
import re
import time
from fractions import Fraction

import pytest

from mathjax.expression import ExpressionError, decimal, places, value

VALUES = {
    "7": 7,
    " 3 + 4\t* 2 ": 11,
    "1.5": Fraction(3, 2),
    ".5+5.": Fraction(11, 2),
    "007": 7,
    "5+4/2*1": 7,
    "10-3-2": 5,
    "8/4/2": 1,
    "7//2": 3,
    "7//-2": -4,
    "7.5//.5*2": 30,
    "5255--3": 5258,
    "2*-3": -6,
    "-+-5": 5,
    "9598%": Fraction(9598, 100),
    "4.0/1%": 400,
    "-50%": Fraction(-1, 2),
    "50%^2": Fraction(1, 4),
    "-2**2": -4,
    "-2^2": -4,
    "(-2)^2": 4,
    "2**-1": Fraction(1, 2),
    "2**-3**2": Fraction(1, 512),
    "2^3^2": 512,
    "2*3**2": 18,
    "0^0": 1,
    "(-2)^-3": Fraction(-1, 8),
    "1^99999999999999": 1,
    "(-1)^-99999999999999": -1,
    "4^0.5": 2,
    "(1/4)^-1.5": 8,
    "8^(2/3)": 4,
    "[2*(3+4)]": 14,
    "(4/72)+(95/72)": Fraction(11, 8),
    "123456789012345678901234567890*10": 1234567890123456789012345678900,
}

ERRORS = {  # and what the message says
    "": "character 1: expected a number, got the end",
    "()": "character 2: expected a number, got ')'",
    "3+": "character 3: expected a number",
    "*3": "character 1: expected a number, got '*'",
    "2(3)": "character 2: expected an operator, got '('",
    "(2)3": "character 4: expected an operator, got '3'",
    "1 2": "character 3: expected an operator, got '2'",
    "1,000": "character 2: expected an operator, got ','",
    "1e5": "character 2: expected an operator, got 'e'",
    "1_000": "character 2: expected an operator, got '_'",
    "3x": "expected an operator, got 'x'",
    "x": "expected a number, got 'x'",
    "٣": "expected a number",
    "²": "expected a number",
    "5%%": "character 3: expected an operator, got '%'",
    "(5)%": "character 4: expected an operator, got '%'",
    "5%3": "character 3: expected an operator, got '3'",
    "1.2.3": "expected an operator, got '.3'",
    ".": "expected a number, got '.'",
    "1+1=2": "character 4: expected an operator, got '='",
    "(3": "character 1: '(' is not closed",
    "3)": "character 2: no bracket is open",
    "(3]": "character 3: no bracket is open that ']' could close",
    "[(3])": "no bracket is open",
    "1/0": "character 2: division by zero",
    "5//(3-3)": "character 2: division by zero",
    "0^-1": "character 2: zero to a negative power",
    "2^0.5": "character 2: a fractional power without an exact value",
    "(-4)^0.5": "without an exact value",
    "1\n+1": "expected an operator",
}

TOO_LARGE = [
    "9**9**9",
    "9^9^9",
    "9**9**9**9",
    "2^1000000000000",
    "2^-1000000000000",
    "10^4000*10^4000",
    "1" * 5_000,
    "(" * 1_000_000,
    "(" * 5_000 + "1" + ")" * 5_000,
    "-" * 1_000_000 + "1",
    "1+" * 500_000 + "1",
    "9^4000*" * 1_400 + "1",
]

CHECK_VALUES = {  # of MathGLM's test set, section 4.5
    "5255/9316%": "56.41",
    "3468*4046/7424": "1890.02",
    "118%+1591+-2454+[(9830%/3901.54129)]": "-861.79",
    "-5846*[(-9047*5092%)-7050%]/-9533.8": "-282521.96",
}


@pytest.mark.parametrize(("text", "expected"), VALUES.items())
def test_an_expression_has_its_exact_value(text, expected):
    found = value(text)
    assert type(found) is Fraction
    assert found == expected


@pytest.mark.parametrize(("text", "message"), ERRORS.items())
def test_all_else_is_an_error_that_names_reason_and_place(text, message):
    with pytest.raises(ExpressionError, match=re.escape(message)):
        value(text)


@pytest.mark.parametrize("text", TOO_LARGE, ids=lambda text: text[:12] + str(len(text)))
def test_what_is_too_large_is_an_error_at_once(text):
    began = time.process_time()
    with pytest.raises(ExpressionError) as caught:
        value(text)
    assert time.process_time() - began < 0.5
    assert len(str(caught.value)) < 300


def test_many_roots_do_not_take_long():
    began = time.process_time()
    assert value("+".join(["(9^80)^.5"] * 900)) == 900 * 9**40
    assert time.process_time() - began < 1


def test_deep_brackets_within_the_budget_have_a_value():
    assert value("[(" * 2_000 + "1" + ")]" * 2_000) == 1
    assert value("-" * 9_000 + "1") == 1


def test_the_budget_is_of_characters():
    assert value("1+1", budget=3) == 2
    with pytest.raises(ExpressionError, match="at most 2 characters are evaluated, got 3"):
        value("1+1", budget=2)


def test_every_value_can_be_written():
    assert len(str(value("2^13999"))) == 4215
    with pytest.raises(ExpressionError, match="bits"):
        value("2^13999*2")


@pytest.mark.parametrize(("text", "expected"), CHECK_VALUES.items())
def test_mathglm_check_values(text, expected):
    assert decimal(value(text), 2) == expected


def test_random_expressions_have_the_value_python_gives_them():
    chance = random.Random(0)
    checked = 0
    while checked < 2_000:
        text = _random(chance, 4)
        try:
            expected = _by_python(ast.parse(text, mode="eval").body)
        except (ZeroDivisionError, OverflowError):
            continue
        assert value(text) == expected, text
        checked += 1


def test_every_annotation_of_gsm8k_is_true_by_the_rule_of_rft(public_data):
    annotations = wrong = none = 0
    for line in (public_data / "gsm8k" / "train.jsonl").read_text(encoding="utf-8").splitlines():
        spans = re.findall(r"<<([^>]*)>>", json.loads(line)["answer"])
        annotations += len(spans)
        none += not spans
        wrong += sum(not _true(span) for span in spans)
    assert (annotations, none, wrong) == (23_716, 95, 0)


@pytest.mark.parametrize(
    ("span", "true"), {"1/3=0.333": True, "2+2=5": False, "5%=0.05": True, "2*3": False, "$5+1=6": False}.items()
)
def test_the_rule_of_rft_tells_true_from_false(span, true):
    assert _true(span) is true


@pytest.mark.parametrize(
    ("number", "text"),
    {
        Fraction(0): "0",
        Fraction(-3): "-3",
        Fraction(1200): "1200",
        Fraction(1, 8): "0.125",
        Fraction(-5, 4): "-1.25",
        Fraction(1, 10**8): "0.00000001",
        Fraction(10**30 + 1, 10): "1" + "0" * 29 + ".1",
    }.items(),
)
def test_a_decimal_is_written_exactly(number, text):
    assert decimal(number) == text
    assert value(text) == number


@pytest.mark.parametrize(
    ("number", "at_most", "text"),
    [(Fraction(2, 3), 2, "0.67"), (Fraction(1, 8), 2, "0.12"), (Fraction(3, 8), 2, "0.38"), (Fraction(-1, 3), 0, "0"),
     (Fraction(5, 2), 4, "2.5"), (Fraction(2), 2, "2")],
)  # fmt: skip
def test_a_decimal_is_rounded_where_places_are_given(number, at_most, text):
    assert decimal(number, at_most) == text


def test_a_fraction_that_does_not_end_is_no_decimal():
    assert places(Fraction(1, 3)) is None
    with pytest.raises(ValueError, match="1/3 cannot be written as a decimal"):
        decimal(Fraction(1, 3))


@pytest.mark.parametrize(("number", "count"), [(Fraction(7), 0), (Fraction(1, 8), 3), (Fraction(1, 500), 3)])
def test_places_are_counted(number, count):
    assert places(number) == count


def _true(span):
    """RFT's rule (section 1.2): left and right of the first `=`, less than 1e-3 apart; what cannot be read is wrong."""
    left, equals, rest = span.partition("=")
    try:
        return bool(equals) and abs(value(left) - Fraction(float(rest.partition("=")[0]))) < Fraction(1, 1000)
    except ValueError:
        return False


def _random(chance, depth):
    if depth == 0 or chance.random() < 0.2:
        return chance.choice(["{}", "{}", "({})", "-{}"]).format(chance.randrange(20))
    left, right = _random(chance, depth - 1), _random(chance, depth - 1)
    if chance.random() < 0.1:
        return f"({left})**{chance.choice(['2', '-1', '0', '-2'])}"
    text = f"{left}{chance.choice(['+', '-', '*', '/', '//'])}{right}"
    return f"({text})" if chance.random() < 0.4 else text


def _by_python(node):
    match node:
        case ast.Constant():
            return Fraction(node.value)
        case ast.UnaryOp():
            return -_by_python(node.operand)
        case ast.BinOp():
            return OPERATORS[type(node.op)](_by_python(node.left), _by_python(node.right))


OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda a, b: Fraction(a // b),
    ast.Pow: lambda a, b: a ** int(b),
}
