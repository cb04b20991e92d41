"""Readers of data sets with solutions, in words or as programs."""

from data_gen.sources import choices, columns
from mathjax.answers import extract
from mathjax.records import Record

MARK = "#### "  # of GSM8K, before the answer
PHRASE = "The answer is"  # of MetaMathQA (with a colon) and MathInstruct

SOURCES = {  # of MathInstruct, as its rows name them: how their solutions are written
    "data/CoT/aqua_rat.json": "cot",
    "data/CoT/college_math.json": "cot",
    "data/CoT/gsm_rft.json": "cot",
    "data/CoT/gsm_train.json": "cot",
    "data/CoT/math50k_camel.json": "cot",
    "data/CoT/MATH_train.json": "cot",
    "data/CoT/number_comparison.json": "cot",
    "data/CoT/TheoremQA.json": "cot",
    "data/PoT/MATH_train.json": "pot",
    "data/PoT/TheoremQA.json": "pot",
    "data/PoT/aqua_rat_filtered.json": "pot",
    "data/PoT/gsm_gpt4.json": "pot",
    "data/PoT/mathqa.json": "pot",
    "data/PoT/numglue.json": "pot",
}


def gsm8k(row: dict, source: str) -> list[Record]:
    """GSM8K's question and answer, or RFT's query and response: the solution is the whole text, with its `<<..>>` and
    its last line `#### n`; the answer is what follows the last `#### `."""
    question, solution = columns.text(row, "question", "query"), columns.text(row, "answer", "response")
    answer = solution.rpartition(MARK)[2].strip() if MARK in solution else ""
    if not answer:
        raise ValueError(f"no answer behind {MARK!r}: {solution[-40:]!r}")
    return [Record(question=question, answer=answer, solution=solution, source=source, extra=row)]


def gsm8k_backward(row: dict, source: str) -> list[Record]:
    """GSM8K-Backward, in both shapes of its rows: a number of the question is x, and x is the answer."""
    question, answer = columns.text(row, "question"), columns.answer(row, "answer")
    return [Record(question=question, answer=answer, source=source, extra=row)]


def gsm_hard(row: dict, source: str) -> list[Record]:
    """GSM-Hard: input, code (a program with a function `solution`) and target."""
    question, program = columns.text(row, "input"), columns.text(row, "code")
    answer = columns.answer(row, "target")
    return [Record(question=question, answer=answer, solution=program, style="pot", source=source, extra=row)]


def math(row: dict, source: str) -> list[Record]:
    """MATH: problem, solution, level, type, and in some copies answer; or WizardMath's instruction and output.

    Without a column for it, the answer is what stands in the last box of the solution.
    """
    question, solution = columns.text(row, "problem", "instruction"), columns.text(row, "solution", "output")
    if row.get("answer"):
        answer = columns.answer(row, "answer")
    else:
        boxed = "\\boxed" in solution or "\\fbox" in solution
        answer = extract.reference(solution) if boxed else ""
    if not answer:
        raise ValueError(f"no box with an answer in the solution: {solution[-40:]!r}")
    return [Record(question=question, answer=answer, solution=solution, source=source, extra=row)]


def metamath(row: dict, source: str) -> list[Record]:
    """MetaMathQA: query, response, type, original_question; the answer follows the last `The answer is:`."""
    question, solution = columns.text(row, "query"), columns.text(row, "response")
    answer = solution.rpartition(PHRASE + ":")[2].strip() if PHRASE + ":" in solution else ""
    if not answer:
        raise ValueError(f"no answer behind {PHRASE + ':'!r}: {solution[-40:]!r}")
    return [Record(question=question, answer=answer, solution=solution, source=source, extra=row)]


def mathinstruct(row: dict, source: str) -> list[Record]:
    """MathInstruct: source (one of SOURCES), instruction, output. `source` goes on with what the row names.

    A solution in words has the answer behind its last `The answer is`, if it says so; where the question has answer
    choices it is a choice, and they become options. A program has no answer in the file, and its question keeps the
    words that ask for a program.
    """
    name = columns.text(row, "source")
    if name not in SOURCES:
        raise ValueError(f"column 'source' must be one of {', '.join(SOURCES)}; got {name!r}")
    question, solution = columns.text(row, "instruction"), columns.text(row, "output")
    answer, style, options = None, SOURCES[name], None
    if style == "cot":
        answer = _said(solution)
        question, options = choices.split(question)
        style = "choice" if options else "cot"
    where = f"{source}/{name}"
    return [
        Record(
            question=question,
            answer=answer,
            solution=solution,
            style=style,
            source=where,
            options=options,
            extra=row,
        )
    ]


def reft_words(row: dict, source: str) -> list[Record]:
    """ReFT's SVAMP training set in words: question, answer_cot, answer_value, item_id."""
    return [_reft(row, source, "cot")]


def reft_programs(row: dict, source: str) -> list[Record]:
    """ReFT's SVAMP training set as programs with a function `solution`, in the same columns."""
    return [_reft(row, source, "pot")]


def openmathinstruct(row: dict, source: str) -> list[Record]:
    """OpenMathInstruct-2: problem, generated_solution, expected_answer, problem_source."""
    question, solution = columns.text(row, "problem"), columns.text(row, "generated_solution")
    answer = columns.answer(row, "expected_answer")
    return [Record(question=question, answer=answer, solution=solution, source=source, extra=row)]


def ape210k(row: dict, source: str) -> list[Record]:
    """Ape210K: original_text, equation, ans; or MathGLM's question and answer `x=60*15=900`.

    The solution is the equation; MathGLM's answer is what follows its last `=`.
    """
    if "original_text" in row:
        question, solution = columns.text(row, "original_text"), columns.text(row, "equation")
        answer = columns.answer(row, "ans")
    else:
        question, solution = columns.text(row, "question"), columns.text(row, "answer")
        answer = solution.rpartition("=")[2].strip()
    if not answer:
        raise ValueError(f"no answer behind the last '=': {solution[-40:]!r}")
    return [Record(question=question, answer=answer, solution=solution, source=source, extra=row)]


def _said(solution):
    if PHRASE not in solution:
        return None
    return solution.rpartition(PHRASE)[2].lstrip(":").strip().removesuffix(".").strip() or None


def _reft(row, source, style):
    question, solution = columns.text(row, "question"), columns.text(row, "answer_cot")
    answer = columns.answer(row, "answer_value")
    return Record(question=question, answer=answer, solution=solution, style=style, source=source, extra=row)
