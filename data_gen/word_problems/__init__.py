"""Word problems of GSM8K's kind with checked solutions: the question data that needs no download."""

from data_gen.word_problems.job import example, run

__all__ = ["example", "run"]
