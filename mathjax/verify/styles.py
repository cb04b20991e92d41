"""How a completion becomes a verdict in each style, and by which protocols."""

from mathjax.answers.protocols import PROTOCOLS as WRITTEN
from mathjax.records import Record
from mathjax.verify import arithmetic, programs, written
from mathjax.verify.verdict import Verdict

PROTOCOLS = {  # that each style can be judged by; the first is the one that is taken unasked
    "arithmetic": tuple(arithmetic.ARITHMETIC),
    **{style: ("strict", *(name for name in WRITTEN if style in WRITTEN[name].styles)) for style in written.STYLES},
}
BY_SOLUTION = {name for name, protocol in WRITTEN.items() if protocol.reference == "solution"}


def check(style: str, protocol: str) -> None:
    """ValueError for a style or a protocol that is not known."""
    if style not in PROTOCOLS:
        raise ValueError(f"no verifier for style {style!r}; there are {', '.join(PROTOCOLS)}")
    if protocol not in PROTOCOLS[style]:
        raise ValueError(f"no protocol {protocol!r} for {style}; there are {', '.join(PROTOCOLS[style])}")


def verify(record: Record, completion: str, protocol: str = "strict") -> Verdict:
    """The verdict on `completion`, the text that came after the prompt of `record`, in this process.

    Programs are carried out by the interpreter if they are simple enough; the others, and completions whose time must
    be bounded for certain, are for a `Verifier`. ValueError for a style or a protocol that is not known, and for a
    record that cannot be judged: without an answer, or in arithmetic with one that is not the value of its question.
    """
    check(record.style, protocol)
    if record.style == "arithmetic":
        return arithmetic.judge(record, completion, protocol)
    if record.style == "choice":
        return written.judge_choice(record, completion, protocol)
    if record.style == "cot":
        return written.judge(record, completion, protocol)
    source = programs.source(completion)
    outcome = None if source is None else programs.interpreted(source)
    if source is not None and outcome is None:
        raise ValueError("this program needs the sandbox of a Verifier")
    return programs.judge(record, outcome, completion, protocol)
