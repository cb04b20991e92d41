"""Readers of published outputs of models: solutions that may be wrong, with the grade they were given, if any.

The score of a record is that grade, 1 for right and 0 for wrong. Most of these outputs answer test questions.
"""

from data_gen.sources import columns
from mathjax.records import Record

SYSTEMS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")  # of OpenAI's solutions


def openai(row: dict, source: str) -> list[Record]:
    """Solutions of OpenAI's four systems to a question of GSM8K, a record each, `maker` the system; in this file the
    last line of a solution is `A: n`."""
    question, truth = columns.text(row, "question"), columns.text(row, "ground_truth")
    answer = truth.rpartition("\nA: ")[2].strip() if "\nA: " in truth else ""
    if not answer:
        raise ValueError(f"no answer behind 'A: ' in the last line: {truth[-40:]!r}")
    systems, made = {name: columns.part(row, name) for name in SYSTEMS}, []
    for name, system in systems.items():
        solution, score = columns.text(system, "solution"), _grade(system.pop("is_correct", None))
        extra = row | system | {"ground_truth": truth}
        made.append(
            Record(
                question=question,
                answer=answer,
                solution=solution,
                source=source,
                maker=name,
                score=score,
                extra=extra,
            )
        )
    return made


def rho(row: dict, source: str) -> list[Record]:
    """rho-math on GSM8K: question, gt, and lists of outputs (`code`), of what was taken for their answers and of
    scores. An output may be text around a program and its result."""
    question, answer, outputs = columns.text(row, "question"), columns.answer(row, "gt"), columns.listed(row, "code")
    scores = columns.listed(row, "score", bool)
    if len(scores) != len(outputs):
        raise ValueError(f"{len(outputs)} outputs need as many scores, got {len(scores)}")
    return [
        Record(question=question, answer=answer, solution=text, source=source, score=_grade(score), extra=row)
        for text, score in zip(outputs, scores, strict=True)
    ]


def codex(row: dict, source: str) -> list[Record]:
    """Codex programs of thought: question (with a passage before it, of SVAMP), generated (a program or a list of
    them), answer, and options where it is AQuA; without a grade. What the programs gave is in `extra`."""
    passage, question = columns.text_or_none(row, "passage"), columns.text(row, "question")
    programs = [row.pop("generated")] if type(row.get("generated")) is str else columns.listed(row, "generated")
    answer = columns.answer(row, "answer")
    options = tuple(columns.listed(row, "options")) if "options" in row else None
    question = f"{passage} {question}" if passage else question
    return [
        Record(
            question=question,
            answer=answer,
            solution=program,
            style="pot",
            source=source,
            options=options,
            extra=row,
        )
        for program in programs
    ]


def mathcoder(row: dict, source: str) -> list[Record]:
    """MathCoder: a conversation of text, code and execution blocks (`debug_result`), ground_truth, is_correct.

    The solution is the blocks of the model and of the executions, a blank line between them, code and results fenced.
    """
    truth = columns.part(row, "ground_truth")
    answer, blocks = columns.answer(truth, "answer"), columns.listed(row, "debug_result", dict)
    try:
        said = [(block["role"], block["content"]) for block in blocks]
        (question,) = [content for role, content in said if role == "user"]
        texts = [KINDS[role].format(content) for role, content in said if role not in ("system", "user")]
    except (KeyError, ValueError, TypeError):
        raise ValueError(f"column 'debug_result' must hold blocks with role and content, got {blocks!r:.80}") from None
    score = _grade(row.get("is_correct"))
    extra = {name: value for name, value in row.items() if name != "messages"} | {"ground_truth": truth}
    return [
        Record(
            question=question,
            answer=answer,
            solution="\n\n".join(texts),
            source=source,
            score=score,
            extra=extra | {"debug_result": blocks},
        )
    ]


KINDS = {"text": "{}", "code": "```python\n{}\n```", "execution": "```output\n{}\n```"}  # of blocks, as text


def _grade(right):
    if right is not None and type(right) is not bool:
        raise ValueError(f"a grade must be true or false, got {right!r:.80}")
    return None if right is None else float(right)
