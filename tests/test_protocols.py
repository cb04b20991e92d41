"""The rules that published scores were made by."""

import pytest

from mathjax.answers.protocols import PROTOCOLS, rewritten


@pytest.mark.parametrize(
    ("protocol", "truth", "completion", "answer", "correct"),
    [
        ("gsm8k_strict", "72", "so #### 72", "72", True),
        ("gsm8k_strict", "#### 1,000", "#### 1000", "1000", True),
        ("gsm8k_strict", "72", "The answer is 72", None, False),
        ("gsm8k_strict", "72", "####72", None, False),
        ("gsm8k_flexible", "72", "The answer is $72.", "$72.", True),
        ("gsm8k_flexible", "72", "#### 72\nI used 3 steps", "3", False),
        ("rft", "18", "#### 18.00001", "18.00001", True),
        ("rft", "18", "#### 18\0#### 19", "18", True),
        ("rft", "18", "#### 17\n#### 18", "17", False),
        ("wizardmath", "18", "The answer is: 17.6", "17.6", True),
        ("wizardmath", "18", "The answer is 18", None, False),
        ("wizardmath", "1234567", "The answer is: 1,234,567", "1,234", False),
        ("wizardmath_lenient", "18", "The answer is: 1800", "1800", True),
        ("wizardmath_lenient", "18", "The answer is: 19", "19", False),
        ("mammoth", "18", "The answer is 18.0", "18", True),
        ("mammoth", "18", "12 and then 18", "18", True),
        ("mammoth", "18", "The answer is 3*6=18", "18", True),
        ("mammoth_lenient", "2.5", "The answer is 2.58", "2.58", True),
        ("mammoth_lenient", "2.5", "The answer is 2.7", "2.7", False),
        ("hendrycks", "\\frac{1}{2}", "\\boxed{\\dfrac12}", "\\dfrac12", True),
        ("hendrycks", "\\frac{1}{2}", "\\boxed{0.5}", "0.5", True),
        ("hendrycks", "\\frac{1}{4}", "\\boxed{0.25}", "0.25", False),
        ("hendrycks", "5", "The answer is 5", None, False),
        ("minerva", "5", "Final Answer: The final answer is $5$. I hope it is correct.", "5", True),
        ("minerva", "5", "\\boxed{5}", None, False),
    ],
)
def test_each_protocol_finds_and_judges_as_its_paper_did(protocol, truth, completion, answer, correct):
    assert PROTOCOLS[protocol](truth, completion) == (answer, correct)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("\\tfrac{1}{2}", "\\frac{1}{2}"),
        ("\\frac12", "\\frac{1}{2}"),
        ("\\sqrt3", "\\sqrt{3}"),
        ("1/2", "\\frac{1}{2}"),
        ("x=5", "5"),
        ("30^\\circ", "30"),
        ("10\\text{ cm}", "10"),
        (".5", "\\frac{1}{2}"),
        ("\\left( 1, 2 \\right)", "(1,2)"),
    ],
)
def test_the_normal_form_of_the_math_paper(text, normal):
    assert rewritten(text) == normal


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "text", ["", "####", "The answer is: ", "\\boxed{", "#### " + "9" * 10_000, "The answer is: 1/0", "\\boxed{\\frac}"]
)
def test_no_text_makes_a_protocol_fail(protocol, text):
    assert PROTOCOLS[protocol]("5", text)[1] is False
