"""Exact values of answers that are plain numbers: the fast path of most verdicts."""

import re
from fractions import Fraction

LONGEST = 1_000  # characters; longer numbers are compared as text
LARGEST_EXPONENT = 4_000  # of ten

_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})++|[0-9]++)(?:\.[0-9]*+)?|\.[0-9]++"
_PLAIN = re.compile(rf"([-+]?)({_DIGITS})(?:[eE]([-+]?[0-9]{{1,5}}))?")
_QUOTIENT = re.compile(rf"([-+]?)({_DIGITS})/([-+]?)({_DIGITS})")
_MIXED = re.compile(r"([-+]?)([0-9]{1,15}) +([0-9]{1,15})/([0-9]{1,15})")
_FRAC = re.compile(
    r"([-+]?)([0-9]{0,15}) *\\[dtc]?frac *"
    r"(?:\{ *([-+]?[0-9]{1,300}) *\}|([0-9])) *(?:\{ *([-+]?[0-9]{1,300}) *\}|([0-9]))"
)
_SCIENTIFIC = re.compile(
    rf"([-+]?(?:{_DIGITS})) *(?:\\times|\\cdot|\*|×|x) *10 *(?:\^|\*\*) *"
    r"(?:\{ *([-+]?[0-9]{1,5}) *\}|\(([-+]?[0-9]{1,5})\)|([-+]?[0-9]{1,5}))"
)
_SPACES = re.compile(r"(?<=,)\\!\s*|\\[,!;: ]|~|\u00a0|\u202f")
_CURRENCY = re.compile(r"^([-+]?)(?:\\?\$|US\\?\$|USD|EUR|GBP|[€£¥₹])\s*|\s*(?:USD|EUR|GBP|[€£¥₹]|\\?\$)$")


def number(text: str) -> Fraction | None:
    """The value of a number as people write it, None where the text is anything else.

    Integers, with or without thousands separators, decimals, `a/b` and `\\frac{a}{b}`, mixed numbers, scientific
    notation, a currency sign before or behind. Percent signs and units are no part of a number: see `syntax`.
    """
    if len(text) > LONGEST:
        return None
    match = _PLAIN.fullmatch(text)
    if match is None:
        text = tidy(text)
        match = _PLAIN.fullmatch(text)
    if match is not None:
        return _plain(*match.groups())
    if match := _QUOTIENT.fullmatch(text):
        sign, above, turned, below = match.groups()
        below = _plain(turned, below, None)
        return _plain(sign, above, None) / below if below else None
    if match := _MIXED.fullmatch(text):
        sign, whole, above, below = match.groups()
        return _signed(sign, int(whole) + Fraction(int(above), int(below))) if int(below) else None
    if match := _FRAC.fullmatch(text):
        return _frac(*match.groups())
    if match := _SCIENTIFIC.fullmatch(text):
        exponent = int(match[2] or match[3] or match[4])
        base = number(match[1])
        return base * Fraction(10) ** exponent if abs(exponent) <= LARGEST_EXPONENT else None
    return None


def tidy(text: str) -> str:
    """The text without what says nothing about a number: dollar signs, thin spaces, a full stop, a plus sign."""
    text = _SPACES.sub("", text.replace("{,}", ",").replace("−", "-")).strip().strip("$").strip()
    text = _CURRENCY.sub(r"\1", text)
    return text[:-1] if text.endswith(".") and text[-2:-1].isdigit() else text


def _plain(sign, digits, exponent):
    digits = digits.replace(",", "")
    if exponent is not None:
        if abs(int(exponent)) > LARGEST_EXPONENT:
            return None
        return _signed(sign, Fraction(digits) * Fraction(10) ** int(exponent))
    if digits.isdigit():
        return _signed(sign, Fraction(int(digits)))
    whole, _, rest = digits.partition(".")
    return _signed(sign, Fraction(int(whole + rest or "0"), 10 ** len(rest)))


def _frac(sign, whole, above, digit_above, below, digit_below):
    below = int(below or digit_below)
    if below == 0:
        return None
    part = Fraction(int(above or digit_above), below)
    if whole and (part < 0 or (above or "").startswith(("-", "+"))):
        return None
    return _signed(sign, (int(whole) if whole else 0) + part)


def _signed(sign, value):
    return -value if sign == "-" else value
