"""Verdicts on arithmetic: MathGLM's two metrics, the chain, and completions that mean harm."""

import random
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathjax.records import Record
from mathjax.verify import styles, verify
from mathjax.verify.arithmetic import LONGEST_ANSWER, LONGEST_TEXT, chain, python_value, truth


def judge(question, completion, protocol="strict", answer=None):
    return verify(Record(question=question, answer=answer, style="arithmetic"), completion, protocol)


# question, completion, answer found, why: correct is why == "correct"
CASES = [
    ("5+4/2*1=", "5+2*1=5+2=7", "7", "correct"),
    ("5+4/2*1=", "7", "7", "correct"),
    ("5+4/2*1", "5+2*1=5+2=7", "7", "correct"),
    ("5+4/2*1=", "5+2*1=5+2=8", "8", "wrong_value"),
    ("5255/9316%=", "56.41", "56.41", "correct"),
    ("5255/9316%=", "56.408", "56.408", "correct"),
    ("5255/9316%=", "56.42", "56.42", "wrong_value"),
    ("3468*4046/7424=", "1890.02", "1890.02", "correct"),
    ("118%+1591+-2454+[(9830%/3901.54129)]=", "-861.79", "-861.79", "correct"),
    ("-5846*[(-9047*5092%)-7050%]/-9533.8=", "-282521.96", "-282521.96", "correct"),
    ("(4/72)+(95/72)=", "(99/72)", "(99/72)", "correct"),
    ("(4/72)+(95/72)=", "99/72", "99/72", "correct"),
    ("(4/72)+(95/72)=", "(11/8)", "(11/8)", "correct"),
    ("(4/72)+(95/72)=", "1.38", "1.38", "correct"),  # 1.375 is a tie and rounds to the even 1.38
    ("(4/72)-(95/72)=", "-(91/72)", "-(91/72)", "correct"),
    ("2-7=", "-5", "-5", "correct"),
    ("1/4=", ".25", ".25", "correct"),
    ("1/4=", "0.250", "0.250", "correct"),
    ("8-8=", "0", "0", "correct"),
    ("8-8=", "-0", "-0", "correct"),
    ("1/8=", "0.12", "0.12", "correct"),  # a tie: half to even
    ("1/8=", "0.13", "0.13", "wrong_value"),
    ("12+3=", "", None, "no_answer"),
    ("12+3=", "15=", None, "no_answer"),
    ("12+3=", "  ", None, "no_answer"),
    ("12+3=", " 15\n", "15", "correct"),
    ("12+3=", "12+3", "12+3", "unfinished"),
    ("12*3=", "12*3", "12*3", "unfinished"),
    ("12/3=", "12/3", "12/3", "unfinished"),  # the question again is no answer, though its value is right
    ("12/3=", "(12/3)", "(12/3)", "unfinished"),
    ("5*5=", "+25", "+25", "unreadable"),
    ("10000000000000000*1=", "1e+16", "1e+16", "unreadable"),
    ("1/3=", "1/0", "1/0", "unreadable"),
    ("2*3=", "six", "six", "unreadable"),
    ("2*3=", "6.6.6", "6.6.6", "unreadable"),
    ("2*3=", "6 6", "6 6", "unreadable"),
    ("2*3=", "٦", "٦", "unreadable"),  # a digit of another script
    ("2*3=", "６", "６", "unreadable"),
    ("2*3=", "NaN", "NaN", "unreadable"),
    ("2*3=", "inf", "inf", "unreadable"),
    ("2*3=", "6_0", "6_0", "unreadable"),
    ("2*3=", "600%", "600%", "unreadable"),
]


@pytest.mark.parametrize(("question", "completion", "answer", "why"), CASES)
def test_the_answer_is_after_the_last_equals_sign_and_right_to_two_decimals(question, completion, answer, why):
    verdict = judge(question, completion)
    assert (verdict.answer, verdict.why, verdict.correct) == (answer, why, why == "correct")


@pytest.mark.parametrize(
    ("completion", "exact", "close"),
    [
        ("1000", True, True),
        ("1000.0", True, True),
        ("1000.001", False, True),
        ("1010", False, True),
        ("1010.01", False, False),
        ("990", False, True),
        ("-1000", False, False),
        ("", False, False),
        ("10*100", False, False),
    ],
)
def test_exact_means_the_truth_itself_and_close_within_one_percent_of_it(completion, exact, close):
    verdict = judge("10*100=", completion)
    assert (verdict.exact, verdict.close) == (exact, close)


@pytest.mark.parametrize(("completion", "close"), [("0", True), ("-0.0", True), ("0.001", False)])
def test_a_truth_of_zero_is_close_only_to_zero(completion, close):
    assert judge("7-7=", completion).close is close


@pytest.mark.parametrize(
    ("completion", "wrong_segment"),
    [
        ("5+2*1=5+2=7", None),
        ("5+3*1=5+3=8", 1),
        ("5+2*1=5+3=8", 2),
        ("5+2*1=5+2=8", 3),
        ("5+2*1=5+2=", 3),
        ("5+2*1=5+=7", 2),
        ("5+3*1=5+2=7", 1),
        ("7", None),
        ("", 1),
    ],
)
def test_the_first_wrong_segment_tells_where_the_chain_broke(completion, wrong_segment):
    assert judge("5+4/2*1=", completion).wrong_segment == wrong_segment


def test_a_right_answer_after_a_wrong_step_is_correct_and_the_step_is_told():
    verdict = judge("5+4/2*1=", "5+3*1=5+2=7")
    assert verdict.correct
    assert verdict.wrong_segment == 1


def test_the_two_protocols_differ_where_floats_do():
    question, exact = "9007199254740993*1/1=", "9007199254740993"  # 2**53 + 1 is no float
    assert judge(question, exact).correct
    assert judge(question, "9007199254740992").why == "wrong_value"
    assert judge(question, "9007199254740992", "mathglm").correct


def test_a_tie_of_decimals_is_exact_in_one_protocol_and_a_matter_of_floats_in_the_other():
    assert not judge("2.675*1=", "2.67").correct  # half to even of 2.675 is 2.68
    assert judge("2.675*1=", "2.67", "mathglm").correct  # the float 2.675 lies below


@pytest.mark.parametrize("answer", ["1e-06", "0.000001", "(1/1000000)"])
def test_mathglms_rule_reads_what_python_reads(answer):
    assert judge("1/1000000=", answer, "mathglm").correct


@pytest.mark.parametrize("answer", ["1e+16", "+5", "4+1", "nan", "inf", "1/0", "9**9**9/1", "x/1", "", "5,0"])
def test_mathglms_rule_counts_the_rest_as_wrong(answer):
    assert not judge("2+3=", answer, "mathglm").correct


@pytest.mark.parametrize("question", ["007+1=", "9^999=", "(-8)^(1/3)+0*(2^-1)=", "1+" * 3000 + "1="])
def test_a_question_that_python_cannot_compute_is_wrong_by_mathglms_rule_and_no_error(question):
    try:
        value = truth(Record(question=question, style="arithmetic"))
    except ValueError:
        return
    assert not judge(question, str(value), "mathglm").correct


def random_expression(rng, depth=3):
    if depth == 0 or rng.random() < 0.2:
        number = rng.choice([str(rng.randint(1, 9999)), f"{rng.uniform(0, 99):.2f}", f"{rng.randint(1, 999)}%"])
        return rng.choice(["", "", "-"]) + number
    left, right = random_expression(rng, depth - 1), random_expression(rng, depth - 1)
    text = left + rng.choice("+-*/") + right
    return rng.choice(["{}", "({})", "[{}]"]).format(text)


def test_both_protocols_find_the_written_out_truth_correct_on_random_expressions():
    rng = random.Random(0)
    judged = 0
    while judged < 300:
        question = random_expression(rng)
        try:
            value = truth(Record(question=question + "=", style="arithmetic"))
        except ValueError:  # a division by zero
            continue
        judged += 1
        fraction = f"{value.numerator}/{value.denominator}"
        assert judge(question, fraction).exact
        assert judge(question, str(value + Fraction(1, 10) + abs(value) / 50)).why == "wrong_value"
        assert python_value(question) == pytest.approx(float(value), rel=1e-9, abs=1e-9)


BOMBS = [
    "9**9**9",
    "9^9^9^9",
    "9**9**9/1",
    "1e999",
    "1e999999999",
    "9" * 10**6,
    "1/" + "9" * 400,
    "(" * 100_000,
    "(" * 200 + "1/1" + ")" * 200,
    "-" * 10**5 + "1/1",
    "=" * 10**6,
    "=" + "9=" * 10**5,
    "15=" * 10**5 + "15",
    "1+" * 10**5 + "1",
    "1" + "%" * 10**5,
    "\x00\x00",
    "\ud800",
    "__import__('os').system('true')",
    "().__class__",
    "0/0",
    "1/1" + "\u0661" * 100,
    "١٥",
    "nan",
    "-inf",
    "15\u2028=15",
]


@pytest.mark.parametrize("protocol", ["strict", "mathglm"])
@pytest.mark.parametrize("completion", BOMBS, ids=range(len(BOMBS)))
def test_no_completion_hangs_or_crashes(completion, protocol):
    started = time.perf_counter()
    verdict = judge("12+3=", completion, protocol)
    assert time.perf_counter() - started < 1
    assert verdict.answer is None or len(verdict.answer) <= LONGEST_ANSWER


@given(st.text(max_size=60) | st.text("0123456789+-*/^()[].%=e _", max_size=60), st.sampled_from(["strict", "mathglm"]))
def test_any_text_gets_a_verdict(completion, protocol):
    verdict = judge("12+3=", completion, protocol)
    assert verdict.correct is (verdict.why == "correct")


def test_a_completion_beyond_the_limit_is_too_long_even_if_it_ends_right():
    verdict = judge("12+3=", "15=" * LONGEST_TEXT + "15")
    assert (verdict.why, verdict.correct) == ("too_long", False)


def test_the_chain_starts_with_the_question_and_ends_with_the_answer():
    assert chain("5+4/2=", "5+2=7") == ["5+4/2", "5+2", "7"]
    assert chain("5+4/2", "7") == ["5+4/2", "7"]


def test_an_answer_that_is_not_the_questions_value_is_an_error_that_names_the_record():
    with pytest.raises(ValueError, match=r"record '12\+3=': the answer is '16', but the question's value is 15"):
        judge("12+3=", "15", answer="16")


def test_a_record_whose_answer_is_its_questions_value_is_judged():
    assert judge("1/3=", "(1/3)", answer="(1/3)").exact
    assert judge("1/3=", "(1/3)", answer="0.33").correct


def test_a_question_without_a_value_is_an_error_that_names_the_record():
    with pytest.raises(ValueError, match=r"record '1/0=': the question has no value"):
        judge("1/0=", "1")


def test_unknown_styles_and_protocols_are_errors_that_list_the_known():
    with pytest.raises(ValueError, match=r"record 'How many.' has no answer to compare with"):
        verify(Record(question="How many?", style="cot"), "4")
    with pytest.raises(ValueError, match="no verifier for style 'prose'; there are arithmetic, cot, choice, pot"):
        styles.check("prose", "strict")
    with pytest.raises(ValueError, match="no protocol 'lenient' for arithmetic; there are strict, mathglm"):
        judge("1+1=", "2", "lenient")
