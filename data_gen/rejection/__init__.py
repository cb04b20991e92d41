"""Rejection sampling (RFT, arXiv 2308.01825): many solutions of each question, the right and distinct ones kept.

`paths` holds the published rules, `candidates` where completions come from, `shard` what becomes of some questions,
`job` the whole, `report` what it came to.
"""
