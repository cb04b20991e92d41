"""The normal forms in which published protocols compare answers as text: MATH's and Minerva's."""

import re

LONGEST = 10_000  # characters of an answer that are rewritten


def hendrycks(text: str) -> str:
    """The normal form of the MATH paper's comparison: layout, units and braces that may be left out.

    Hendrycks et al. 2021 (arXiv 2103.03874), its code to the letter: a root's degree is taken for its radicand.
    """
    text = (
        text[:LONGEST]
        .replace("\n", "")
        .replace("\\!", "")
        .replace("\\\\", "\\")
        .replace("tfrac", "frac")
        .replace("dfrac", "frac")
    )
    text = text.replace("\\left", "").replace("\\right", "").replace("^{\\circ}", "").replace("^\\circ", "")
    text = text.replace("\\$", "").replace("\\%", "")
    if text.count("\\text{ ") == 1:
        text = text.split("\\text{ ")[0]
    text = text.replace(" .", " 0.").replace("{.", "{0.")
    text = "0" + text if text.startswith(".") else text
    head, equals, tail = text.partition("=")
    if equals and "=" not in tail and len(head) <= 2:
        text = tail
    text = re.sub(r"\\sqrt([^{])", r"\\sqrt{\1}", text).replace(" ", "")
    text = re.sub(r"\\frac([^{])([^{])", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac([^{])\{", r"\\frac{\1}{", text)
    text = "\\frac{1}{2}" if text == "0.5" else text
    match = re.fullmatch(r"(-?[0-9]+)/(-?[0-9]+)", text)
    return f"\\frac{{{int(match[1])}}}{{{int(match[2])}}}" if match and len(text) < 200 else text


def minerva(text: str) -> str:
    """Minerva's normal form (Lewkowycz et al. 2022, appendix D.1): articles, units, layout and thousands left out."""
    text = text[:LONGEST].rpartition("=")[2]
    for before, after in _REPLACED:
        text = text.replace(before, after)
    for part in _LEFT_OUT:
        text = text.replace(part, "")
    text = re.sub(r"[^$]*\$([^$]*)\$.*", r"$\1$", text, count=1)
    for command in ("text", "textbf", "overline"):
        text = re.sub(rf"\\{command}\{{([^}}]*)\}}", r"\1", text)
    text = re.sub(r"\\boxed\{(.*)\}", r"\1", text)
    text = re.sub(r"frac([^{])(.)", r"frac{\1}{\2}", text)
    text = re.sub(r"sqrt([^{])", r"sqrt{\1}", text).replace("$", "")
    return text.replace(",", "") if text.replace(",", "").isdigit() else text


_REPLACED = (
    ("an ", ""),
    ("a ", ""),
    (".$", "$"),
    ("\\$", ""),
    ("\\ ", ""),
    (" ", ""),
    ("mbox", "text"),
    (",\\text{and}", ","),
    ("\\text{and}", ","),
    ("\\text{m}", "\\text{}"),
)
_LEFT_OUT = (
    *"square ways integers dollars mph inches ft hours km units \\ldots sue points feet minutes digits cents".split(),
    *"degrees cm gm pounds meters meals edges students childrentickets multiples \\text{s} \\text{.}".split(),
    *("\\text{\ns}", "\\text{}^2", "\\text{}^3", "\\text{\n}", "\\text{}", "\\mathrm{th}"),
    *'^\\circ ^{\\circ} \\; ,\\! {,} " \\dots'.split(),
)
