"""Rejection sampling (RFT, arXiv 2308.01825): many solutions of each question, the right and distinct ones kept.

`paths` holds the published rules, `sampling` asks a model, on one machine or on the hosts of a cluster, `adaptive` says
how often, `candidates` reads completions, `shard` is what becomes of some questions, `job` the whole, `report` what it
came to.
"""
