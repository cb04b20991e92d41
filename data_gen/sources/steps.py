"""Readers of data sets whose solutions have a label for each step.

In records the labels have one meaning: 1, the step is right; -1, it is wrong; 0, nothing is said of it. The solution is
the steps, a line each; as a step may hold the end of a line, `extra["steps"]` has them one by one.
"""

from data_gen.sources import columns
from mathjax.answers.number import number
from mathjax.records import Record

RIGHT, UNSAID, WRONG = 1, 0, -1
TAG = "ки"  # of Math-Shepherd, where a step ends
MARKS = {"+": RIGHT, "-": WRONG}  # that its labels have in the place of a tag


def prm800k(row: dict, source: str) -> list[Record]:
    """PRM800K: the path that its labeller took, with the ratings 1 (right), 0 (neutral, here: nothing said), -1.

    Of each step it is the completion that was chosen; else the one that the labeller wrote, who takes it to be right;
    else, where the labels end at an error, the first. Whatever else was rated stays in `extra["label"]`.
    """
    question = columns.part(row, "question")
    problem = columns.text(question, "problem")
    answer = columns.text_or_none(question, "ground_truth_answer")
    label = row.get("label")
    if type(label) is not dict or type(label.get("steps")) is not list:
        raise ValueError(f"column 'label' must hold steps, got {label!r:.80}")
    path = [_taken(step) for step in label["steps"]]
    path = path[: path.index(None)] if None in path else path
    steps, labels = [text for text, _ in path], [rating for _, rating in path]
    return [_record(problem, answer, steps, labels, source, row | {"question": question})]


def math_shepherd(row: dict, source: str) -> list[Record]:
    """Math-Shepherd: input, with a tag at the end of each step, and label, with + or - in its place; task.

    + says that one of the completions which a model sampled from there on came to the true answer. The file does not
    have that answer, so the record has none. The question ends where `Step 1` begins.
    """
    text = columns.text(row, "input").replace(f"{TAG} ?", TAG)
    labelled = columns.text(row, "label").replace(f"{TAG} +", "+").replace(f"{TAG} -", "-")
    *pieces, rest = text.split(TAG)
    labels, at = [], 0
    for piece in pieces:
        end = at + len(piece)
        mark = labelled[end : end + 1]
        if not labelled.startswith(piece, at) or mark not in MARKS or not mark:
            raise ValueError(
                f"columns 'input' and 'label' must differ at the tags alone: {labelled[at : end + 20]!r:.80}"
            )
        labels.append(MARKS[mark])
        at = end + 1
    if rest.strip() or not pieces:
        raise ValueError(f"column 'input' must have steps that end in {TAG!r}, got {text[-40:]!r}")
    question, begins, first = pieces[0].partition("Step 1")
    if not begins or not question.strip():
        raise ValueError(f"column 'input' must have a question before 'Step 1', got {text!r:.80}")
    steps = [step.strip() for step in (begins + first, *pieces[1:])]
    return [_record(question.strip(), None, steps, labels, source, row)]


def math_aps(row: dict, source: str) -> list[Record]:
    """MATH-APS, flat or as trees: a record for each path from the question to a leaf.

    A step is right (1) if a share of the completions sampled from there on, its Monte Carlo value, came to the true
    answer, and wrong (-1) if none did; the values are in `extra["mc_values"]`. In the flat form a solution goes from
    each prefix to the next longer one.
    """
    question, answer = columns.text(row, "question"), columns.answer(row, "final_answer")
    found = row.pop("reasoning_steps", None)
    try:
        paths = list(_branches(found) if isinstance(found, dict) else _chains(found))
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"column 'reasoning_steps' must hold prefixes or a tree, got {found!r:.80}") from None
    made = []
    for path in paths:
        steps, values = [text.strip() for text, _ in path[1:]], [value for _, value in path[1:]]
        if steps:
            labels = [RIGHT if value > 0 else WRONG for value in values]
            made.append(_record(question, answer, steps, labels, source, row | {"mc_values": values}))
    if not made:
        raise ValueError("column 'reasoning_steps' has no step after the question")
    return made


def stepverify(row: dict, source: str) -> list[Record]:
    """StepVerify: a student's wrong solution to a GSM8K problem, its first wrong step marked by teachers, from 0.

    Steps before it are right, nothing is said of those behind it. The answer is the last line of the reference.
    """
    question, steps = columns.text(row, "problem"), columns.listed(row, "student_incorrect_solution")
    reference = columns.text(row, "reference_solution")
    answer = reference.rstrip().rpartition("\n")[2].strip()
    labels = _until(columns.whole(row, "incorrect_index"), len(steps))
    return [_record(question, answer, steps, labels, source, row | {"reference_solution": reference})]


def mr_gsm8k(row: dict, source: str) -> list[Record]:
    """MR-GSM8K: a model's solution, and the first wrong step that annotators found, from 1, if it has one.

    Steps before it are right, nothing is said of those behind it. Where the column of the true answer holds no number
    (in rows about a reversed question it can be the first words of a solution), it stays in `extra`, and the record has
    no answer. Question type POT is a program, a line of it a step.
    """
    question, steps = columns.text(row, "question"), columns.listed(row, "model_output_steps")
    answer = columns.answer(row, "ground_truth_answer")
    if number(answer) is None:
        row, answer = row | {"ground_truth_answer": answer}, None
    labels = [RIGHT] * len(steps)
    if row.get("model_output_solution_correctness") != "correct":
        labels = _until(columns.whole(row, "model_output_solution_first_error_step") - 1, len(steps))
    style = "pot" if row.get("question_type") == "POT" else "cot"
    return [_record(question, answer, steps, labels, source, row, style)]


def bbmistake(row: dict, source: str) -> list[Record]:
    """BIG-Bench-Mistake, multistep arithmetic: the first wrong step of a trace from 0, or null where all are right.

    Steps before it are right, nothing is said of those behind it. The answer is `target`; that of the trace stays in
    `extra["answer"]`.
    """
    question, steps = columns.text(row, "input"), columns.listed(row, "steps")
    answer = columns.answer(row, "target")
    if row.get("mistake_index", "") is None:
        del row["mistake_index"]
        return [_record(question, answer, steps, [RIGHT] * len(steps), source, row)]
    return [_record(question, answer, steps, _until(columns.whole(row, "mistake_index"), len(steps)), source, row)]


def prmbench(row: dict, source: str) -> list[Record]:
    """PRMBench: two records a row, the solution with errors put in and then the right one it was made from.

    The steps of `error_steps`, from 1, are wrong, all others right; `extra["process"]` says which of the two it is.
    The file has no answers.
    """
    question = columns.text(row, "question")
    asked, original = columns.text(row, "modified_question"), columns.text(row, "original_question")
    wrong, steps = columns.listed(row, "error_steps", int), columns.listed(row, "modified_process")
    right = columns.listed(row, "original_process")
    if not wrong or not 0 < min(wrong) <= max(wrong) <= len(steps):
        raise ValueError(f"column 'error_steps' must number some of {len(steps)} steps from 1, got {wrong}")
    labels = [WRONG if place in wrong else RIGHT for place in range(1, len(steps) + 1)]
    row["question"] = question
    return [
        _record(asked, None, steps, labels, source, row | {"process": "modified"}),
        _record(original, None, right, [RIGHT] * len(right), source, row | {"process": "original"}),
    ]


def _record(question, answer, steps, labels, source, extra, style="cot"):
    if not steps or not all(isinstance(step, str) for step in steps):
        raise ValueError(f"a solution must have steps of text, got {steps!r:.80}")
    return Record(
        question=question,
        answer=answer,
        solution="\n".join(steps),
        style=style,
        source=source,
        step_labels=tuple(labels),
        extra=extra | {"steps": steps},
    )


def _until(first_wrong, count):
    if not 0 <= first_wrong < count:
        raise ValueError(f"the first wrong step must be one of {count}, got {first_wrong} (from 0)")
    return [RIGHT] * first_wrong + [WRONG] + [UNSAID] * (count - first_wrong - 1)


def _taken(step):
    """(text, rating) of the completion of a step of PRM800K that its labeller took; None where there is none."""
    try:
        completions, human = step["completions"] or [], step["human_completion"]
        if step["chosen_completion"] is not None:
            taken = completions[step["chosen_completion"]]
        elif human:
            taken = human | {"rating": RIGHT if human["rating"] is None else human["rating"]}
        elif completions:
            taken = completions[0]
        else:
            return None
        rating = UNSAID if taken["rating"] is None else taken["rating"]
        text = taken["text"]
    except (KeyError, IndexError, TypeError):
        raise ValueError(f"a step must have completions and say which was taken, got {step!r:.80}") from None
    if rating not in (RIGHT, UNSAID, WRONG):
        raise ValueError(f"a rating must be 1, 0 or -1, got {rating!r}")
    return text, rating


def _branches(node):
    """The paths of a tree of MATH-APS: lists of (text, value), the question first."""
    here = (node["text"], float(node["mc_value"]))
    if not node["children"]:
        yield [here]
    for child in node["children"]:
        for path in _branches(child):
            yield [here, *path]


def _chains(prefixes):
    """The same of the flat form, where each prefix goes on from the longest other one that it begins with."""
    found = {entry["solution_prefix"]: float(entry["mc_value"]) for entry in prefixes}
    ordered, chain = sorted(found), []
    for place, prefix in enumerate(ordered):
        while chain and not prefix.startswith(chain[-1]):
            chain.pop()
        chain.append(prefix)
        if place + 1 == len(ordered) or not ordered[place + 1].startswith(prefix):
            before = ["", *chain]
            yield [(text[len(start) :], found[text]) for start, text in zip(before, chain, strict=False)]
