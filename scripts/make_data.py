"""Make records: arithmetic step by step, public data sets, a model's right and distinct solutions (RFT).

    python scripts/make_data.py --config=configs/NAME.py [--config.path.to.setting=value] --workdir=DIR

DIR receives files of records and a manifest of them. Started again, it makes only what is missing.
"""

import door

from mathjax import config


def arithmetic(job, workdir):
    from data_gen import arithmetic

    arithmetic.run(job, workdir)


def gsm8k_equations(job, workdir):
    from data_gen import public

    public.run(job, workdir)


def public_data(job, workdir):
    from data_gen.sources import job as public_job

    public_job.run(job, workdir)


def filters(job, workdir):
    from data_gen import filters

    filters.run(job, workdir)


def rejection(job, workdir):
    from data_gen.rejection import job as rejection_job

    rejection_job.run(job, workdir)


def word_problems(job, workdir):
    from data_gen import word_problems

    word_problems.run(job, workdir)


if __name__ == "__main__":
    door.main(
        __doc__,
        {
            config.Arithmetic: arithmetic,
            config.GSM8KEquations: gsm8k_equations,
            config.PublicData: public_data,
            config.WordProblems: word_problems,
            config.Rejection: rejection,
            config.Filter: filters,
        },
    )
