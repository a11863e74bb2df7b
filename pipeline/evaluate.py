"""Ask the target every example, once per epoch.

In: data/golden/examples.parquet. Out: data/responses/<target_version>.parquet, exactly the present examples x epochs. An answer
that errors is a row with a code, neither right nor wrong. Never: a question asked twice of one version, an answer to another
input than the present one, the content of an error, a clock in the output (latency goes to logs/).
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import orjson
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline import params, schema, stage, tables
from pipeline.errors import InputError
from pipeline.paths import EXAMPLES, RESPONSES
from pipeline.targets import NEVER_REUSED, asking, journal, open_target
from pipeline.targets.journal import Answered, Answers
from pipeline.targets.question import Question

LATENCY = Path("logs/latency.csv")


def questions(examples: pd.DataFrame, epochs: int) -> list[Question]:
    """What is asked: every example in every epoch. Examples with one and the same input share a question."""
    asked: dict[tuple[str, int], Question] = {}
    for example in examples.sort_values("example_id").to_dict("records"):
        fixtures = orjson.loads(example["fixtures"]) if example["fixtures"] else {}
        for epoch in range(1, epochs + 1):
            question = Question(example["example_id"], example["input_sha"], epoch, example["input"], fixtures, example["fault"])
            asked.setdefault(question.key, question)
    return list(asked.values())


def responses(examples: pd.DataFrame, answers: Answers, epochs: int, target_version: str) -> pd.DataFrame:
    """The table of schema.RESPONSES: a row per example and epoch, whatever else was ever answered."""
    rows = examples[["example_id", "input_sha"]].merge(pd.DataFrame({"epoch": range(1, epochs + 1)}), how="cross")
    given = [answers[key].response for key in zip(rows["input_sha"], rows["epoch"], strict=True)]
    fields = ("answer", "citations", "confidence", "behaviour", "tool_calls", "error")
    rows = rows.assign(
        target_version=target_version, **{name: pd.Series([getattr(r, name) for r in given], dtype=object) for name in fields}
    )
    return rows.sort_values(["example_id", "epoch"], ignore_index=True)[schema.RESPONSES.names]


def work() -> str:
    wanted = params.load().evaluate
    version = wanted.target.version
    examples = tables.read_parquet(EXAMPLES, schema.EXAMPLES)
    if examples.empty:
        raise InputError(f"{EXAMPLES}: holds no example; run 'dvc repro merge'")
    asked = questions(examples, wanted.epochs)
    answers, reused = ask(asked, wanted)
    frame = responses(examples, answers, wanted.epochs, version)
    errors = Counter(frame.loc[frame["error"] != "", "error"])
    told = ", ".join(f"{code} {count}" for code, count in sorted(errors.items()))
    if errors.total() == len(frame):
        raise InputError(
            f"{version} answered none of {len(frame)} questions ({told}); see that the target runs, then run 'dvc repro' again"
        )
    tables.write_parquet(RESPONSES / f"{version}.parquet", frame, schema.RESPONSES)
    tables.write_text(LATENCY, latency(asked, answers))
    line = f"{len(examples)} examples x {wanted.epochs} of {version}: {len(frame) - errors.total()} answered ({reused} from before)"
    return f"{line}, {errors.total()} errors" + (f" ({told})" if told else "")


def ask(asked: list[Question], wanted: params.Evaluate) -> tuple[Answers, int]:
    """An answer or an error to every question, and how many were answered before. Only the others are asked."""
    target = open_target(wanted.target)
    version, kept = wanted.target.version, stage.STATE / "responses" / f"{wanted.target.version}.jsonl"
    reuse = wanted.target.kind not in NEVER_REUSED
    before = journal.read(kept, version) if reuse else {}
    answers = {question.key: before[question.key] for question in asked if question.key in before}
    reused = len(answers)
    if todo := [question for question in asked if question.key not in answers]:
        with journal.appending(kept, version) if reuse else nullcontext() as keep, progressing(len(todo)) as advance:

            def answered(question: Question, answer: Answered) -> None:
                answers[question.key] = answer
                if keep is not None and not answer.response.error:
                    keep(question, answer)
                advance()

            asking.ask_all(todo, target, wanted, answered, stage.STATE / "inspect")
    return answers, reused


@contextmanager
def progressing(total: int) -> Iterator[Callable[[], None]]:
    """A bar where someone watches, nothing otherwise; the function given moves it by one."""
    columns = (TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not stage.on_a_terminal(), transient=True) as progress:
        bar = progress.add_task("asking", total=total)
        yield lambda: progress.advance(bar)


def latency(asked: list[Question], answers: Answers) -> str:
    """How long each question took when it was asked, as CSV: a log, never an output."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["example_id", "epoch", "seconds", "error"])
    writer.writerows([q.example_id, q.epoch, answers[q.key].seconds, answers[q.key].response.error] for q in asked)
    return out.getvalue()


if __name__ == "__main__":
    stage.run("evaluate", work)
