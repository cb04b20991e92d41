"""Every file of the folder of public data, read as what it is."""

import json

import pytest

from data_gen.sources import job, rows
from data_gen.sources.table import DATA_SETS
from mathjax import config, records
from mathjax.answers import number
from mathjax.verify.styles import verify

FILES = [  # file, data set, split (where the file is a whole one), rows
    ("gsm8k/train.jsonl", "gsm8k", "train", 7_473),
    ("gsm8k/test.jsonl", "gsm8k", "test", 1_319),
    ("gsm8k/backward_test.jsonl", "gsm8k_backward", "test", 1_270),
    ("gsm_hard/test.jsonl", "gsm_hard", "test", 1_319),
    ("mawps/addsub.jsonl", "mawps", "addsub", 395),
    ("mawps/multiarith.jsonl", "mawps", "multiarith", 600),
    ("mawps/singleeq.jsonl", "mawps", "singleeq", 508),
    ("mawps/singleop.jsonl", "mawps", "singleop", 562),
    ("mawps/test.jsonl", "mawps", "test", 2_065),
    ("aqua/test.jsonl", "aqua", "test", 254),
    ("aqua/dev.jsonl", "aqua", "dev", 254),
    ("sat_math/agieval_sat_math.jsonl", "sat_math", "test", 220),
    ("sat_math/test.json", "sat_math", "test", 220),
    ("mmlu_math/test.json", "mmlu_math", "test", 974),
    ("mmlu_math/dev", "mmlu_math", "dev", 25),
    ("numglue/test.json", "numglue", "test", 1_042),
    ("simuleq/test.json", "simuleq", "test", 514),
    ("deepmind_mathematics/test.json", "deepmind_mathematics", "test", 1_000),
    ("theoremqa/test.json", "theoremqa", "test", 800),
    ("sft/svamp_train_cot.json", "svamp_reft_cot", "train", 3_076),
    ("sft/svamp_train_pot.json", "svamp_reft_pot", "train", 3_043),
    ("sft/openmathinstruct2_sample.jsonl", "openmathinstruct2", "", 100),
    ("svamp/test_part1.jsonl", "svamp", "", 552),
    ("asdiv/test_part1.jsonl", "asdiv", "", 1_707),
    ("steps/stepverify.jsonl", "stepverify", "all", 1_002),
    ("steps/mr_gsm8k_wrong.jsonl", "mr_gsm8k", "", 327),
    ("steps/bbmistake_arithmetic_0-199.jsonl", "bbmistake_arithmetic", "", 200),
    ("steps/prmbench_step_contradiction.jsonl", "prmbench", "", 357),
    ("steps/formats/prm800k.jsonl", "prm800k", "", 6),
    ("steps/formats/math_shepherd.jsonl", "math_shepherd", "", 7),
    ("steps/formats/math_aps.jsonl", "math_aps", "", 3),
    ("steps/formats/math_aps_tree.jsonl", "math_aps", "", 3),
    ("outputs/gsm8k_openai_solutions_0-659.jsonl", "openai_solutions", "", 660),
    ("outputs/gsm8k_rho-1b_cot_0-659.jsonl", "rho_outputs", "", 660),
    ("outputs/gsm8k_rho-7b_cot_0-659.jsonl", "rho_outputs", "", 660),
    ("outputs/gsm8k_rho-1b-interpreter_tora_0-659.jsonl", "rho_outputs", "", 660),
    ("outputs/gsm8k_rho-7b-interpreter_tora_0-659.jsonl", "rho_outputs", "", 660),
    ("outputs/gsm8k_codex_pot_0-659.jsonl", "codex_outputs", "", 660),
    ("outputs/gsm8k_codex_pot_zeroshot_0-659.jsonl", "codex_outputs", "", 660),
    ("outputs/multiarith_codex_pot_zeroshot_0-299.jsonl", "codex_outputs", "", 300),
    ("outputs/aqua_codex_pot.jsonl", "codex_outputs", "", 253),
    ("outputs/aqua_codex_pot_sampled.jsonl", "codex_outputs", "", 253),
    ("outputs/svamp_codex_pot_part1.jsonl", "codex_outputs", "", 552),
    ("outputs/svamp_codex_pot_zeroshot_part1.jsonl", "codex_outputs", "", 552),
    ("outputs/gsm8k_mathcoder-l-7b_0-659.jsonl", "mathcoder_outputs", "", 660),
    ("outputs/deepmind_mathcoder-cl-13b.jsonl", "mathcoder_outputs", "", 1_000),
    ("outputs/simuleq_mathcoder-cl-13b.jsonl", "mathcoder_outputs", "", 514),
]
MALFORMED = {"prmbench": 2}  # its rows that number a wrong step beyond the last one
MORE = {  # records, where a row is more than one of them
    "outputs/gsm8k_openai_solutions_0-659.jsonl": 2_640,
    "outputs/aqua_codex_pot_sampled.jsonl": 7_590,
    "steps/prmbench_step_contradiction.jsonl": 710,
    "steps/formats/math_aps.jsonl": 124,
    "steps/formats/math_aps_tree.jsonl": 242,
}
NOT_NUMBERS = {  # answers that are words, formulas, lists; of all others every one is a number
    "numglue": 3,
    "deepmind_mathematics": 42,
    "theoremqa": 189,
    "asdiv": 73,
    "openmathinstruct2": 23,
    "prm800k": 1,
}


def pick(public_data, file):
    if not (public_data / file).exists():
        pytest.skip(f"needs {file}")
    return public_data / file


def test_the_list_is_of_all_files_there_are(public_data):
    there = {path.relative_to(public_data).as_posix() for path in public_data.glob("*/**/*.json*")}
    there |= {path.parent.relative_to(public_data).as_posix() for path in public_data.glob("*/**/*.csv")}
    assert there <= {file for file, *_ in FILES}


@pytest.mark.parametrize(("file", "name", "split", "count"), FILES, ids=[file for file, *_ in FILES])
def test_a_file_becomes_records_with_as_many_rows_as_are_published(public_data, tmp_path, file, name, split, count):
    settings = dict(split=split) if split else dict(split="part", rows=count)
    bad = MALFORMED.get(name, 0)
    settings |= dict(on_malformed="quarantine") if bad else {}
    counts = job.run(config.PublicData(name=name, path=str(pick(public_data, file)), **settings), tmp_path)["counts"]
    assert (counts["rows"], counts["rejected"]) == (count, bad)
    assert counts["records"] == MORE.get(file, count)
    found = list(records.read(tmp_path / job.FILE))
    assert len(found) == counts["records"]
    if DATA_SETS[name].style:
        assert {record.style for record in found} == {DATA_SETS[name].style}
    assert all(len(record.step_labels) == len(record.extra["steps"]) for record in found if record.step_labels)


@pytest.mark.parametrize(
    ("file", "name"),
    [(file, name) for file, name, *_ in FILES if "outputs" not in name and name != "openai_solutions"],
)
def test_answers_are_numbers_where_they_should_be(public_data, file, name):
    unread, path = [], pick(public_data, file)
    for _, found, _ in job.tried(name, rows.find(path), name):
        for record in found:
            if record.answer is not None and record.style != "choice":
                answer = record.answer.partition(" (")[0] if name == "asdiv" else record.answer
                if number.number(answer) is None:
                    unread.append(record.answer)
    assert len(unread) == NOT_NUMBERS.get(name, 0), unread[:20]


@pytest.mark.parametrize("file", ["aqua/test.jsonl", "sat_math/test.json", "mmlu_math/test.json", "numglue/test.json"])
def test_a_choice_is_judged_by_its_letter(public_data, file):
    name = next(row[1] for row in FILES if row[0] == file)
    chosen = [record for record in job.read(name, pick(public_data, file)) if record.style == "choice"]
    assert chosen
    for record in chosen:
        assert verify(record, f"The answer is ({record.answer}).").correct, record
        assert not verify(record, f"The answer is ({'B' if record.answer == 'A' else 'A'}).").correct, record


@pytest.mark.parametrize("file", ["gsm8k/test.jsonl", "sft/svamp_train_cot.json", "svamp/test_part1.jsonl"])
def test_a_published_answer_is_judged_correct(public_data, file):
    name = next(row[1] for row in FILES if row[0] == file)
    for record in list(job.read(name, pick(public_data, file)))[::10]:
        assert verify(record, f"So the answer is {record.answer}.").correct, record


def test_a_solution_of_gsm8k_ends_in_its_answer(public_data):
    for record in job.read("gsm8k", pick(public_data, "gsm8k/train.jsonl")):
        assert record.solution.endswith(f"\n#### {record.answer}")


def test_the_outputs_of_models_have_the_grades_that_are_published(public_data):
    right = {"6b_finetuning": 146, "6b_verification": 266, "175b_finetuning": 225, "175b_verification": 371}
    path = pick(public_data, "outputs/gsm8k_openai_solutions_0-659.jsonl")
    found = list(job.read("openai_solutions", path))
    assert {name: sum(one.score for one in found if one.maker == name) for name in right} == right
    path = pick(public_data, "outputs/gsm8k_rho-1b_cot_0-659.jsonl")
    assert sum(one.score for one in job.read("rho_outputs", path)) == 241


def test_records_of_a_file_are_what_json_says(public_data):
    path = pick(public_data, "svamp/test_part1.jsonl")
    for line, record in zip(path.read_text("utf-8").splitlines(), job.read("svamp", path), strict=True):
        row = json.loads(line)
        assert record.question == f"{row['Body']} {row['Question']}"
        assert float(record.answer) == row["Answer"]
        assert record.extra == {name: row[name] for name in ("ID", "Equation", "Type", "row")}
