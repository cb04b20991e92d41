"""The rules that published scores were made by."""

import pytest

from mathjax import prompts
from mathjax.answers import normal
from mathjax.answers.protocols import PROTOCOLS, judge


@pytest.mark.parametrize(
    ("protocol", "truth", "completion", "answer", "correct"),
    [
        ("lm_eval_strict", "72", "so #### 72", "72", True),
        ("lm_eval_strict", "#### 1,000", "#### 1000", "1000", True),
        ("lm_eval_strict", "72", "The answer is 72", None, False),
        ("lm_eval_strict", "72", "####72", None, False),
        ("lm_eval_flexible", "72", "The answer is $72.", "$72.", True),
        ("lm_eval_flexible", "72", "#### 72\nI used 3 steps", "3", False),
        ("rft", "18", "#### 18.00001", "18.00001", True),
        ("rft", "18", "#### 18\0#### 19", "18", True),
        ("rft", "18", "#### 17\n#### 18", "17", False),
        ("rft", "1,800", "#### 1,800.", "1,800.", True),
        ("rft", "18", "#### 18..", "18..", False),
        ("wizardmath", "18", "The answer is: 17.6", "17.6", True),
        ("wizardmath", "18", "The answer is 18", None, False),
        ("wizardmath", "1234567", "The answer is: 1,234,567", "1,234", False),
        ("wizardmath", "0", "The answer is: .5", ".5", True),
        ("wizardmath", "18", "The answer is: 18/0", "18/0", True),
        ("wizardmath_lenient", "18", "The answer is: 1800", "1800", True),
        ("wizardmath_lenient", "18", "The answer is: 19", "19", False),
        ("mammoth", "18", "The answer is 18.0", "18", True),
        ("mammoth", "18", "12 and then 18", "18", True),
        ("mammoth", "18", "The answer is 3*6=18", "18", True),
        ("mammoth", "18", "The answer is 9. The answer is 18", "18", True),
        ("mammoth", "18", "The answer is 18.\n\nThe answer is 9.", "18", True),
        ("mammoth", "18", "3 + 15 = 18. Question: what is 5?", "18", True),  # cut where the next question begins
        ("mammoth_numglue", "C", "The answer is (c).", "C", True),
        ("mammoth_numglue", "7", "The answer is 7", "7", True),
        ("mammoth_choice", "B", "B or D? The answer is (D) 5, not B", "D", False),
        ("mammoth_choice", "D", "first B, then D", "D", True),
        ("mammoth_math", "2.5", "The answer is 2.58", "2.58", True),
        ("mammoth_math", "2.5", "The answer is 2.7", "2.7", False),
        ("mammoth_math", "7", "The answer is 7.4", "7.4", True),
        ("mammoth_math", "\\frac{1}{2}", "so \\boxed{\\frac12}", "\\frac12", True),
        ("wizardmath_math", "\\frac{1}{2}", "The answer is: \\frac12.\nHope it helps", "\\frac12", True),
        ("wizardmath_math", "5", "The answer is 5", None, False),
        ("wizardmath", "18", "The answer is: 18\n### Response: The answer is: 19", "18", True),
        ("wizardmath", "18", "Following the Instruction, The answer is: 18", None, False),
        ("mathglm", "x=60*15=900", "x=60*15=900", "x=60*15=900", True),
        ("mathglm", "x=60*15=900", "x=60*15=800", "x=60*15=800", False),
        ("mathglm_arithmetic", "x=60*15=900", "x=60*15=800", "x=60*15=800", True),
        ("mathglm_arithmetic", "x=60*15=900", "x=15*60=800", "x=15*60=800", True),
        ("mathglm", "x=60*15=900", "x=15*60=800", "x=15*60=800", False),
        ("mathglm_arithmetic", "x=60*15=900", "x=60+15=75", "x=60+15=75", False),
        ("mathglm", "x=2-1(5/6)=(1/6)", "x=2-1(5/6)=0.16667", "x=2-1(5/6)=0.16667", True),
        ("mathglm", "x=3/4=75%", "x=3/4=0.75", "x=3/4=0.75", True),
        ("mathglm", "12", "12", "12", True),
        ("mathglm", "12", "11+1", "11+1", False),
        ("hendrycks", "\\frac{1}{2}", "\\boxed{\\dfrac12}", "\\dfrac12", True),
        ("hendrycks", "\\frac{1}{2}", "\\boxed{0.5}", "0.5", True),
        ("hendrycks", "\\frac{1}{4}", "\\boxed{0.25}", "0.25", False),
        ("hendrycks", "5", "The answer is 5", None, False),
        ("minerva", "5", "Final Answer: The final answer is $5$. I hope it is correct.", "$5$", True),
        (
            "minerva",
            "12",
            "Final Answer: The final answer is $x=12$ inches. I hope it is correct.",
            "$x=12$ inches",
            True,
        ),
        ("minerva", "10,000", "Final Answer: The final answer is 10{,}000. I hope it is correct.", "10{,}000", True),
        ("minerva", "5", "Final Answer: The final answer is $6$. I hope it is correct.\nProblem:\n5", "$6$", False),
        ("minerva", "5", "\\boxed{5}", None, False),
    ],
)
def test_each_protocol_finds_and_judges_as_its_paper_did(protocol, truth, completion, answer, correct):
    assert judge(protocol, truth, completion) == (answer, correct)


@pytest.mark.parametrize(
    ("text", "form"),
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
def test_the_normal_form_of_the_math_paper(text, form):
    assert normal.hendrycks(text) == form


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "text", ["", "####", "The answer is: ", "\\boxed{", "#### " + "9" * 10_000, "The answer is: 1/0", "\\boxed{\\frac}"]
)
def test_no_text_makes_a_protocol_fail(protocol, text):
    assert judge(protocol, "5", text)[1] is False


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("$\\frac12$", "\\frac{1}{2}"),
        ("\\sqrt2", "\\sqrt{2}"),
        ("x = 3 \\text{ cm}", "3"),
        ("5^\\circ", "5"),
        ("the $4$ of them", "4"),
        ("\\text{Evelyn}", "Evelyn"),
        ("1,234", "1234"),
        ("(1,2)", "(1,2)"),
    ],
)
def test_the_normal_form_of_minerva(text, form):
    assert normal.minerva(text) == form


def test_every_protocol_names_its_source_and_a_template_that_there_is():
    for name, protocol in PROTOCOLS.items():
        assert protocol.source, name
        assert protocol.template in ("", *prompts.TEMPLATES), name


def test_leniency_is_named_where_a_wrong_answer_can_pass():
    wrong = {"rft": "18.00001", "wizardmath": "17.6", "wizardmath_lenient": "1800", "mammoth_math": "17.6"}
    for name, protocol in PROTOCOLS.items():
        assert bool(protocol.lenient) == (name in (*wrong, "lm_eval_flexible", "mathglm_arithmetic")), name
