"""The release gate: a dataset at a version, one build of the assistant, and one verdict that no rerun can win.

It runs where the assistant is built. Nothing here needs raw logs, the key, Presidio, Great Expectations or a model.
"""
