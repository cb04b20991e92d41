"""The verdict on a completion."""

from dataclasses import dataclass

UNDECIDED = ("undecided", "timeout", "memory")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a completion was found to say.

    `answer` is the text taken as the answer, None where there is none. `why` is a short word: `correct`,
    `wrong_value`, `no_answer`, `unreadable` (no mathematics that is understood), `too_long`, `unfinished` (an operation
    is left to do); for programs also `program_` with the status of the run, such as `program_timeout`; and where
    nothing could be decided, which is neither right nor wrong, `undecided` (`detail` says what stood in the way),
    `timeout` and `memory` (comparing took too much of them).

    `rule` says how the answer was found, `detail` how it was compared, `seconds` how long it took, `level` under which
    isolation a program ran; None where they do not apply. The rest is known for arithmetic: `exact`, the answer's value
    is the truth itself; `close`, it is within 1% (RE; a truth of 0 must be met exactly); `wrong_segment`, which segment
    of the chain is the first whose value is not the question's (1 is the first after the question; the operation done
    there failed), None if all agree.
    """

    answer: str | None
    correct: bool
    why: str
    exact: bool | None = None
    close: bool | None = None
    wrong_segment: int | None = None
    rule: str | None = None
    detail: str | None = None
    seconds: float | None = None
    level: str | None = None

    @property
    def decided(self) -> bool:
        """Whether the completion was found to be right or wrong."""
        return self.why not in UNDECIDED
