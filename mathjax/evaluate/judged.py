"""Stored attempts judged under several protocols at once, and the wrong ones explained."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mathjax import expression, prompts
from mathjax.evaluate.diagnose import Diagnosis, diagnose
from mathjax.records import Record
from mathjax.verify import Case, Verdict, Verifier, arithmetic


@dataclass(frozen=True)
class Judged:
    """A stored attempt: the record it answers, its verdicts by protocol, the headline first, and why it is wrong."""

    record: Record
    row: dict
    verdicts: dict[str, Verdict]
    diagnosis: Diagnosis | None

    @property
    def verdict(self) -> Verdict:
        """The headline's."""
        return next(iter(self.verdicts.values()))

    @property
    def changed(self) -> bool:
        """Whether protocols disagree on it."""
        return len({verdict.correct for verdict in self.verdicts.values()}) > 1

    def line(self) -> dict:
        """What is kept of it: enough to look at it and to hold it against another run's."""
        record, row = self.record, self.row
        kept = {
            name: row[name] for name in ("index", "sample", "completion", "stage", "tokens", "finish") if name in row
        }
        found = {
            name: {key: value for key in ("answer", "correct", "why") if (value := getattr(verdict, key)) is not None}
            for name, verdict in self.verdicts.items()
        }
        about = {"question": prompts.with_options(record), "truth": truth(record), "style": record.style}
        wrong = {} if self.diagnosis is None else {"error": self.diagnosis.kind, "because": self.diagnosis.detail}
        if self.diagnosis is not None and self.diagnosis.slip is not None:
            wrong["slip"] = self.diagnosis.slip
        if self.verdict.wrong_segment is not None:
            wrong["wrong_segment"] = self.verdict.wrong_segment
        return kept | about | {"verdicts": found} | wrong


def truth(record: Record) -> str:
    """The true answer as it is shown: of arithmetic, the exact value."""
    if record.style != "arithmetic":
        return record.answer
    value = arithmetic.truth(record)
    return expression.decimal(value) if expression.places(value) is not None else str(value)


def judge(attempts: Iterable[tuple[Record, dict, Sequence[str]]], verifier: Verifier, progress=None) -> list[Judged]:
    """Attempts judged: each is a record, in the style it was asked in, its stored row and the names of protocols."""
    attempts = list(attempts)
    cases = (Case(record, row["completion"], name) for record, row, names in attempts for name in names)
    verdicts, found = verifier.stream(cases), []
    for record, row, names in attempts:
        by_name = {name: dataclasses.replace(next(verdicts), seconds=None) for name in names}
        first = by_name[names[0]]
        found.append(Judged(record, row, by_name, diagnose(record, row["completion"], first, row["finish"])))
        if progress is not None:
            progress.update()
    return found
