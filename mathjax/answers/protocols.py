"""The rules by which published scores were made, as data: what each asks with, finds, and calls right.

They are reproduced with their strictness and their leniency, so that the same completions can be scored under each;
none of them is our own judgement, which is `extract.find` with `equivalence.same`.
"""

import collections
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from mathjax.answers import extract, number, recompute
from mathjax.answers.normal import hendrycks as rewritten
from mathjax.answers.normal import minerva as minerva_form


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A rule for scores. Models were asked with `template` (a name in prompts.TEMPLATES, "": none of them)."""

    source: str  # the paper or harness
    find: Callable[[str], str | None]  # the answer in a completion, None: none
    same: Callable[[str, str], bool]  # whether an answer, second, meets the reference, first
    styles: tuple[str, ...] = ("cot",)  # what it judges; of a program, what it printed
    reference: str = "answer"  # what of a record it is held against: answer, solution
    template: str = ""
    stop: tuple[str, ...] = ()  # where a completion ends, the string itself left out
    max_tokens: int = 0  # that a completion was allowed, 0: not said
    lenient: str = ""  # what it counts as right that is not the answer asked for


def judge(name: str, truth: str, completion: str) -> tuple[str | None, bool]:
    """(the answer found, None for none; whether it is right) by the protocol `name`.

    The completion is cut at the protocol's stop strings first, as it would have been when it was asked for.
    """
    protocol = PROTOCOLS[name]
    answer = protocol.find(cut(completion, protocol.stop))
    return answer, answer is not None and protocol.same(truth, answer)


def cut(text: str, stops: tuple[str, ...]) -> str:
    """The text up to the first of some strings."""
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


_FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
_STRICT = re.compile(r"#### (-?[0-9.,]+)")
_MINERVA = re.compile(r"Final Answer: The final answer is(.*?). I hope it is correct.")
_WIZARD = re.compile(r"[-+]?[0-9]*[.,/]?[0-9]+")
_NUMBERS = re.compile(r"-?[0-9]+\.?[0-9]*")
_LETTER = re.compile(r"\b[A-E]\b")
_TRIGGER = re.compile(r"The answer is|####")


def _strict(text):
    match = _STRICT.search(text)
    return match[1] if match else None


def _flexible(text):
    found = collections.deque(_FLEXIBLE.finditer(text), maxlen=1)
    return found[0][0] if found else None


def _as_text(truth, answer):
    """lm-evaluation-harness: equal as text without `,`, `$` and last `.`."""
    plain = [re.sub(r"[,$]", "", text).lower().removesuffix(".") for text in (answer, extract.reference(truth))]
    return plain[0] == plain[1]


def _rft(text):
    return _strict(text.split("\0", 1)[0])


def _near(truth, answer):
    found, wanted = _float(answer), _float(extract.reference(truth))
    return found is not None and wanted is not None and abs(found - wanted) < 1e-4


def _wizard(text):
    _, marker, rest = text.rpartition("The answer is: ")
    match = _WIZARD.search(rest) if marker else None
    return match[0] if match else None


def _rounded(truth, answer):
    answer = re.sub(r"/0$", "", answer)  # of a division by zero, the dividend
    value, wanted = number.number(answer.replace(",", "")), number.number(extract.reference(truth))
    return value is not None and wanted is not None and round(value) == wanted


def _hundredfold(truth, answer):
    value, wanted = number.number(answer.replace(",", "")), number.number(extract.reference(truth))
    if value is None or wanted is None:
        return False
    near = (abs(value - scaled) <= abs(scaled) / 10_000 for scaled in (wanted / 100, wanted, wanted * 100))
    return round(value) == wanted or any(near)


def _wizard_math(text):
    _, marker, rest = text.rpartition("The answer is: ")
    return rest.split(".\n", 1)[0].strip().removesuffix(".").strip() if marker else None


def _boxed(text):
    if "\\boxed" not in text and "\\fbox" not in text:
        return None
    found = extract.find(text)
    return found.text if found is not None and found.rule == "box" else None


def _rewritten(truth, answer):
    return rewritten(answer) == rewritten(extract.reference(truth))


def _minerva(text):
    match = _MINERVA.search(text + "I hope it is correct.")
    return match[1].strip() if match else None


def _minerva_same(truth, answer):
    return minerva_form(answer) == minerva_form(extract.reference(truth))


def _mammoth(text):
    """MAmmoTH's cleaning on sets of numbers: behind the trigger the first number, without one the last."""
    rest, triggered = _triggered(text)
    numbers = _NUMBERS.findall(rest.replace(",", ""))
    return _trimmed(numbers[0 if triggered else -1]) if numbers else None


def _mammoth_letter(text):
    rest, triggered = _triggered(text)
    letters = _LETTER.findall(rest.upper())
    return letters[0 if triggered else -1] if letters else None


def _mammoth_numglue(text):
    return _mammoth_letter(text) or _mammoth(text)


def _mammoth_math(text):
    rest, triggered = _triggered(text)
    if triggered and rest.strip():
        return rest.strip().removesuffix(".")
    return _boxed(text) or _mammoth(text)


def _triggered(text):
    """What is cleaned, and whether it stood behind a trigger."""
    if len(_TRIGGER.findall(text)) > 1:
        text = text.split("\n\n", 1)[0]
    parts = _TRIGGER.split(text)
    if len(parts) == 1:
        return text, False
    return (parts[-1].rpartition("=")[2] if "=" in parts[-1] else parts[-1]), True


def _mammoth_same(truth, answer):
    return answer == _trimmed(extract.reference(truth).replace(",", ""))


def _within_four(truth, answer):
    if _rewritten(truth, answer):
        return True
    value, wanted = number.number(answer), number.number(extract.reference(truth))
    if value is None or wanted is None:
        return False
    return round(value) == wanted if wanted.denominator == 1 else abs(value - wanted) <= abs(wanted) * Fraction(4, 100)


def _whole(text):
    return text.strip() or None


def _mathglm(truth, answer):
    return recompute.mathglm(truth, answer)[0]


def _mathglm_arithmetic(truth, answer):
    return recompute.mathglm(truth, answer)[1]


def _float(text):
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def _trimmed(text):
    return text.rstrip("0").rstrip(".") if "." in text else text


_HARNESS = dict(source="lm-evaluation-harness, gsm8k", stop=("Question:", "</s>", "<|im_end|>"), max_tokens=256)
_WIZARDMATH = dict(
    source="WizardMath, arXiv 2308.09583",
    template="wizardmath",
    stop=("Instruction", "Response"),  # of its four, these are found first
)
_MAMMOTH = dict(
    source="MAmmoTH, arXiv 2309.05653",
    template="mammoth_pot",
    stop=("Question:", "Instruction:", "Response:", "### Instruction"),
    max_tokens=1500,
)
_MATHGLM = dict(source="MathGLM, arXiv 2309.03241", find=_whole, reference="solution", max_tokens=512)

PROTOCOLS = {
    "rft": Protocol(  # the first number behind "#### "; equal as floats within 1e-4
        source="RFT, arXiv 2308.01825", find=_rft, same=_near, template="rft", max_tokens=256, lenient="within 0.0001"
    ),
    "wizardmath": Protocol(  # one separator of a number is read, so 1,234,567 counts as 1234
        find=_wizard, same=_rounded, max_tokens=1024, lenient="rounded to an integer", **_WIZARDMATH
    ),
    "wizardmath_lenient": Protocol(
        find=_wizard, same=_hundredfold, max_tokens=1024, lenient="rounded; a hundredth, a hundredfold", **_WIZARDMATH
    ),
    "wizardmath_math": Protocol(find=_wizard_math, same=_rewritten, max_tokens=2048, **_WIZARDMATH),
    "mammoth": Protocol(find=_mammoth, same=_mammoth_same, styles=("cot", "pot"), **_MAMMOTH),
    "mammoth_numglue": Protocol(find=_mammoth_numglue, same=_mammoth_same, styles=("cot", "pot", "choice"), **_MAMMOTH),
    "mammoth_math": Protocol(
        find=_mammoth_math,
        same=_within_four,
        styles=("cot", "pot"),
        lenient="integers rounded, other numbers within 4%",
        **_MAMMOTH,
    ),
    "mammoth_choice": Protocol(
        find=_mammoth_letter, same=_mammoth_same, styles=("choice", "pot"), **_MAMMOTH | {"template": "mammoth_choice"}
    ),
    "mathglm": Protocol(same=_mathglm, **_MATHGLM),
    "mathglm_arithmetic": Protocol(  # Arithmetic_ACC
        same=_mathglm_arithmetic, lenient="the expression counts, not its value", **_MATHGLM
    ),
    "minerva": Protocol(
        source="Minerva, arXiv 2206.14858, appendix D",
        find=_minerva,
        same=_minerva_same,
        template="math_4shot",
        stop=("Problem:",),
    ),
    "lm_eval_strict": Protocol(find=_strict, same=_as_text, **_HARNESS),
    "lm_eval_flexible": Protocol(find=_flexible, same=_as_text, lenient="the last number, wherever it is", **_HARNESS),
    "hendrycks": Protocol(source="MATH, arXiv 2103.03874", find=_boxed, same=_rewritten),
}
