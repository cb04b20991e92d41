"""The rules by which published scores were made: what each takes for the answer, and when it calls it right.

They are reproduced with their strictness and their leniency, so that the same completions can be scored under each;
none of them is our own judgement, which is `extract.find` with `equivalence.same`. Each takes the reference as it
stands in the data and a completion, and gives back the answer it found (None: none) and whether that is right.
"""

import collections
import re
from fractions import Fraction

from mathjax.answers import extract, number

_FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
_STRICT = re.compile(r"#### (-?[0-9.,]+)")
_MINERVA = re.compile(r"Final Answer: The final answer is(.*?)\. I hope it is correct\.", re.DOTALL)
_WIZARD = re.compile(r"[-+]?[0-9]+(?:[.,/][0-9]+)?")
_NUMBERS = re.compile(r"-?[0-9]+\.?[0-9]*")
_LETTER = re.compile(r"\b[A-E]\b")


def gsm8k_strict(truth: str, completion: str) -> tuple[str | None, bool]:
    """lm-evaluation-harness, strict: the first `#### ` number, equal as text without `,`, `$` and last `.`."""
    match = _STRICT.search(completion)
    return _as_text(truth, match[1] if match else None)


def gsm8k_flexible(truth: str, completion: str) -> tuple[str | None, bool]:
    """lm-evaluation-harness, flexible: the last run of digits, dots and commas, compared like the strict one."""
    found = collections.deque(_FLEXIBLE.finditer(completion), maxlen=1)
    return _as_text(truth, found[0][0] if found else None)


def rft(truth: str, completion: str) -> tuple[str | None, bool]:
    """RFT (arXiv 2308.01825): the first `#### ` number of what stands before a NUL, equal as floats within 1e-4."""
    match = _STRICT.search(completion.split("\0", 1)[0])
    if match is None:
        return None, False
    answer, wanted = _float(match[1]), _float(extract.reference(truth))
    return match[1], answer is not None and wanted is not None and abs(answer - wanted) < 1e-4


def wizardmath(truth: str, completion: str) -> tuple[str | None, bool]:
    """WizardMath (arXiv 2308.09583) on GSM8K: the first number after the last "The answer is: ", rounded to an integer.

    One separator of a number is read, so `1,234,567` counts as 1234; without the words there is no answer.
    """
    _, marker, rest = completion.rpartition("The answer is: ")
    match = _WIZARD.search(rest) if marker else None
    wanted = number.number(extract.reference(truth))
    if match is None:
        return None, False
    value = number.number(match[0].replace(",", ""))
    if value is None or wanted is None:
        return match[0], False
    return match[0], round(value) == wanted


def wizardmath_lenient(truth: str, completion: str) -> tuple[str | None, bool]:
    """The same, where a hundredth and a hundred times the truth count as well, within 1e-4 of it."""
    answer, correct = wizardmath(truth, completion)
    value = number.number(answer.replace(",", "")) if answer else None
    wanted = number.number(extract.reference(truth))
    if value is None or wanted is None:
        return answer, correct
    near = (abs(value - scaled) <= abs(scaled) / 10_000 for scaled in (wanted / 100, wanted, wanted * 100))
    return answer, correct or any(near)


def mammoth(truth: str, completion: str) -> tuple[str | None, bool]:
    """MAmmoTH (arXiv 2309.05653) on sets of numbers: cleaned, then equal as text."""
    answer = _cleaned(completion)
    return answer, answer is not None and answer == _trimmed(extract.reference(truth).replace(",", ""))


def mammoth_lenient(truth: str, completion: str) -> tuple[str | None, bool]:
    """MAmmoTH's rule for MATH: an integer truth within rounding, another number within 4% of it."""
    answer = _cleaned(completion)
    value, wanted = (number.number(text) if text else None for text in (answer, extract.reference(truth)))
    if value is None or wanted is None:
        return mammoth(truth, completion)
    if wanted.denominator == 1:
        return answer, round(value) == wanted
    return answer, abs(value - wanted) <= abs(wanted) * Fraction(4, 100)


def hendrycks(truth: str, completion: str) -> tuple[str | None, bool]:
    """MATH (Hendrycks): the last box, equal to the truth as text after a few rewritings of LaTeX."""
    if "\\boxed" not in completion and "\\fbox" not in completion:
        return None, False
    found = extract.find(completion)
    if found is None or found.rule != "box":
        return None, False
    return found.text, rewritten(found.text) == rewritten(extract.reference(truth))


def minerva(truth: str, completion: str) -> tuple[str | None, bool]:
    """Minerva's marker, "Final Answer: The final answer is ... I hope it is correct.", compared like `hendrycks`."""
    match = _MINERVA.search(completion)
    if match is None:
        return None, False
    answer = match[1].strip().strip("$")
    return answer, rewritten(answer) == rewritten(extract.reference(truth))


def rewritten(text: str) -> str:
    """The normal form of the MATH paper's comparison: layout, units and braces that may be left out."""
    text = (
        text.replace("\n", "")
        .replace("\\!", "")
        .replace("\\\\", "\\")
        .replace("tfrac", "frac")
        .replace("dfrac", "frac")
    )
    text = text.replace("\\left", "").replace("\\right", "").replace("^{\\circ}", "").replace("^\\circ", "")
    text = text.replace("\\$", "").replace("\\%", "").replace("%", "")
    if text.count("\\text{ ") == 1:
        text = text.split("\\text{ ")[0]
    text = text.replace(" .", " 0.").replace("{.", "{0.")
    text = "0" + text if text.startswith(".") else text
    head, equals, tail = text.partition("=")
    if equals and "=" not in tail and len(head) <= 2:
        text = tail
    text = re.sub(r"\\sqrt([^{\[ ])", r"\\sqrt{\1}", text).replace(" ", "")
    text = re.sub(r"\\frac([^{])([^{])", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac([^{])\{", r"\\frac{\1}{", text)
    text = "\\frac{1}{2}" if text == "0.5" else text
    match = re.fullmatch(r"(-?[0-9]+)/(-?[0-9]+)", text)
    return f"\\frac{{{int(match[1])}}}{{{int(match[2])}}}" if match and len(text) < 200 else text


def _as_text(truth, answer):
    if answer is None:
        return None, False
    plain = [re.sub(r"[,$]", "", text).lower() for text in (answer, extract.reference(truth))]
    plain = [text[:-1] if text.endswith(".") else text for text in plain]
    return answer, plain[0] == plain[1]


def _float(text):
    value = number.number(text.replace(",", "").rstrip("."))
    return None if value is None or abs(value) > 10**300 else float(value)


def _cleaned(completion):
    """MAmmoTH's cleaning of a text: behind the trigger the first number, without one the last."""
    text, triggered = completion, False
    if completion.count("The answer is") + completion.count("####") > 1:
        text = completion.split("\n\n", 1)[0]
    parts = re.split(r"The answer is|####", text)
    if len(parts) > 1:
        text, triggered = parts[-1], True
        text = text.rpartition("=")[2] if "=" in text else text
    numbers = _NUMBERS.findall(text.replace(",", ""))
    return _trimmed(numbers[0 if triggered else -1]) if numbers else None


def _trimmed(text):
    return text.rstrip("0").rstrip(".") if "." in text else text


PROTOCOLS = {
    "gsm8k_strict": gsm8k_strict,
    "gsm8k_flexible": gsm8k_flexible,
    "hendrycks": hendrycks,
    "minerva": minerva,
    "rft": rft,
    "wizardmath": wizardmath,
    "wizardmath_lenient": wizardmath_lenient,
    "mammoth": mammoth,
    "mammoth_lenient": mammoth_lenient,
}
