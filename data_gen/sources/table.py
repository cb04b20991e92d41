"""The table of public data sets: how each is read, its licence, and how many rows its published files have."""

from collections.abc import Callable
from dataclasses import dataclass

from data_gen.sources import asked, choices, outputs, solved, steps
from mathjax.records import Record


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A row of the table.

    `reader` gives the records of a row, which is its own to take apart, given their source; it raises ValueError for a
    row that is not of the published form. What it does not put elsewhere is in `extra` of the records.
    """

    reader: Callable[[dict, str], list[Record]]
    licence: str  # as stated by the repository of the file or by the authors of the data
    style: str  # of its solutions; where it is empty, a row decides
    rows: dict[str, int]  # of each published split; none where the count is not known


def _one(reader, licence, style, **rows):
    return DataSet(reader=reader, licence=licence, style=style, rows=rows)


MIT, APACHE = "MIT", "Apache-2.0"
NONE = "none stated"

DATA_SETS = {
    # solved
    "gsm8k": _one(solved.gsm8k, MIT, "cot", train=7_473, test=1_319),
    "gsm8k_rft": _one(solved.gsm8k, NONE, "cot"),
    "gsm8k_backward": _one(solved.gsm8k_backward, APACHE, "cot", test=1_270),
    "gsm_hard": _one(solved.gsm_hard, APACHE, "pot", test=1_319),
    "math": _one(solved.math, "MIT; taken down in January 2025 for a rights holder", "cot", train=7_500, test=5_000),
    "math500": _one(solved.math, "MIT; a part of MATH", "cot", test=500),
    "mathinstruct": _one(
        solved.mathinstruct, "by source: Camel CC BY-NC 4.0, GSM8K-RFT none stated, the rest open", "", train=262_039
    ),
    "metamathqa": _one(solved.metamath, MIT, "cot", train=395_000),
    "openmathinstruct2": _one(solved.openmathinstruct, "CC BY 4.0", "cot", train=13_972_791),
    "svamp_reft_cot": _one(solved.reft_words, "Apache-2.0; questions of ASDiv-A are CC BY-NC 4.0", "cot", train=3_076),
    "svamp_reft_pot": _one(
        solved.reft_programs, "Apache-2.0; questions of ASDiv-A are CC BY-NC 4.0", "pot", train=3_043
    ),
    "ape210k": _one(solved.ape210k, NONE, "cot", train=200_488, valid=5_000, test=5_000),
    "mathglm_mwp": _one(solved.ape210k, NONE, "cot", test=5_000),
    # asked
    "numglue": _one(asked.plain, "ODC-By; MIT as MAmmoTH's file", "", test=1_042),
    "simuleq": _one(asked.plain, "MIT as MAmmoTH's file", "cot", test=514),
    "deepmind_mathematics": _one(asked.plain, APACHE, "cot", test=1_000),
    "svamp": _one(asked.svamp, MIT, "cot", all=1_000, train=700, test=300),
    "asdiv": _one(asked.asdiv, "CC BY-NC 4.0", "cot", all=2_305),
    "mawps": _one(
        asked.mawps, "MIT as ToRA's files", "cot", addsub=395, multiarith=600, singleeq=508, singleop=562, test=2_065
    ),
    "theoremqa": _one(asked.theoremqa, MIT, "", test=800),
    # chosen
    "aqua": _one(choices.aqua, APACHE, "choice", train=97_467, dev=254, test=254),
    "sat_math": _one(choices.sat, MIT, "choice", test=220),
    "mmlu_math": _one(choices.mmlu, MIT, "choice", dev=25, test=974),
    # with labelled steps
    "prm800k": _one(
        steps.prm800k, MIT, "cot", phase1_train=949, phase1_test=106, phase2_train=97_782, phase2_test=2_762
    ),
    "math_shepherd": _one(steps.math_shepherd, NONE, "cot", train=444_655),
    "math_aps": _one(steps.math_aps, NONE, "cot"),
    "stepverify": _one(steps.stepverify, "CC BY-SA 4.0", "cot", all=1_002),
    "mr_gsm8k": _one(steps.mr_gsm8k, MIT, "", test=3_000),
    "bbmistake_arithmetic": _one(steps.bbmistake, APACHE, "cot", all=300),
    "prmbench": _one(steps.prmbench, APACHE, "cot", all=6_216),
    # answered by models
    "openai_solutions": _one(outputs.openai, MIT, "cot", test=1_319),
    "rho_outputs": _one(outputs.rho, MIT, "cot", test=1_319),
    "codex_outputs": _one(outputs.codex, MIT, "pot"),
    "mathcoder_outputs": _one(outputs.mathcoder, APACHE, "cot"),
}
