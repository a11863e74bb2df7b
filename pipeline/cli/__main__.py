"""`python -m pipeline.cli`: the same as `golden`, with the interpreter that runs it."""

from pipeline.cli import main

main()
