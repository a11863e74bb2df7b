"""Ask the target every example, once per epoch, and every example of the control sample.

In: data/golden/examples.parquet and control.parquet. Out: data/responses/<target_version>.parquet, exactly the present examples x
epochs, and data/responses/control/<target_version>.parquet, the control sample's, which `power` alone reads. An answer that errors is a row with a code, neither right nor wrong; what is `not_testable` is counted apart. Never: a question asked twice of one version, an answer to another
input than the present one, the content of an error, a clock in the output (latency goes to logs/).
"""

import csv
import hashlib
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
from pipeline.paths import CONTROL, CONTROL_RESPONSES, EXAMPLES, RESPONSES
from pipeline.targets import NEVER_REUSED, asking, journal, open_target
from pipeline.targets.journal import Answered, Answers
from pipeline.targets.question import Question
from pipeline.targets.reply import Usage

LATENCY = Path("logs/latency.csv")


def questions(examples: pd.DataFrame, epochs: int, first: int = 1) -> list[Question]:
    """What is asked: every example in every epoch from `first` on. Examples with one and the same input share a question."""
    asked: dict[tuple[str, int], Question] = {}
    for example in examples.sort_values("example_id").to_dict("records"):
        fixtures = orjson.loads(example["fixtures"]) if example["fixtures"] else {}
        for epoch in range(first, first + epochs):
            question = Question(example["example_id"], example["input_sha"], epoch, example["input"], fixtures, example["fault"])
            asked.setdefault(question.key, question)
    return list(asked.values())


def responses(examples: pd.DataFrame, answers: Answers, epochs: int, target_version: str, first: int = 1) -> pd.DataFrame:
    """The table of schema.RESPONSES: a row per example and epoch, whatever else was ever answered."""
    rows = examples[["example_id", "input_sha"]].merge(pd.DataFrame({"epoch": range(first, first + epochs)}), how="cross")
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
    control = tables.read_parquet(CONTROL, schema.EXAMPLES) if wanted.control else tables.empty(schema.EXAMPLES)
    asked = questions(examples, wanted.epochs)
    own = {question.key for question in asked}
    further = [question for question in questions(control, wanted.epochs) if question.key not in own]
    answers, reused = ask([*asked, *further], wanted)
    frame, of_control = (responses(some, answers, wanted.epochs, version) for some in (examples, control))
    told = {code: count for code, count in sorted(Counter(frame["error"]).items()) if code}
    untestable, answered = told.pop(asking.NOT_TESTABLE, 0), int((frame["error"] == "").sum())
    codes = f" ({', '.join(f'{code} {count}' for code, count in told.items())})" if told else ""
    if not answered:
        raise InputError(
            f"{version} answered none of {len(frame)} questions{codes}; see what 'golden target check' says, then run 'dvc repro' again"
        )
    tables.write_parquet(RESPONSES / f"{version}.parquet", frame, schema.RESPONSES)
    tables.write_parquet(CONTROL_RESPONSES / f"{version}.parquet", of_control, schema.RESPONSES)
    tables.write_text(LATENCY, latency([*asked, *further], answers, wanted.price))
    retries = sum(answers[question.key].attempts - 1 for question in (*asked, *further) if question.key not in reused)
    line = f"{len(examples)} examples x {wanted.epochs} of {version}: {answered} answered ({len(reused & own)} from before)"
    line += f", {sum(told.values())} errors{codes}" + (f", {untestable} not testable" if untestable else "")
    line += f"; {int((of_control['error'] == '').sum())} of {len(of_control)} of the control sample" if len(of_control) else ""
    return line + (f", {retries} retries" if retries else "")


def ask(asked: list[Question], wanted: params.Evaluate, state: Path | None = None) -> tuple[Answers, set[tuple[str, int]]]:
    """An answer or an error to every question, and the keys of those answered before. Only the others are asked.

    `state` is the folder in which answers are kept.
    """
    target = open_target(wanted.target)
    state = state or stage.STATE
    version, kept = wanted.target.version, kept_in(state, wanted.target.version)
    reuse = wanted.target.kind not in NEVER_REUSED
    form = form_sha(wanted.target)
    before = journal.read(kept, version, form) if reuse else {}
    answers = {question.key: before[question.key] for question in asked if question.key in before}
    reused = set(answers)
    if todo := [question for question in asked if question.key not in answers]:
        with journal.appending(kept, version, form) if reuse else nullcontext() as keep, progressing(len(todo)) as advance:

            def answered(question: Question, answer: Answered) -> None:
                answers[question.key] = answer
                if keep is not None and answer.response.error in asking.SETTLED:
                    keep(question, answer)
                advance()

            asking.ask_all(todo, target, wanted, answered, state / "inspect")
    return answers, reused


def kept_in(state: Path, version: str) -> Path:
    """Where the answers of a target's version are kept."""
    return state / "responses" / f"{version}.jsonl"


def form_sha(target: params.Target) -> str:
    """A hash of how questions are sent and replies are read, empty where nothing is said of it: with another form they are asked again."""
    form = target.model_dump(include={"preset", "request", "response", "system"}, exclude_none=True)
    return hashlib.sha256(orjson.dumps(form, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16] if form else ""


@contextmanager
def progressing(total: int) -> Iterator[Callable[[], None]]:
    """A bar where someone watches, nothing otherwise; the function given moves it by one."""
    columns = (TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not stage.on_a_terminal(), transient=True) as progress:
        bar = progress.add_task("asking", total=total)
        yield lambda: progress.advance(bar)


def latency(asked: list[Question], answers: Answers, price: params.Price | None = None) -> str:
    """What each question took when it was asked, in seconds, tokens and money, as CSV: a log, never an output."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["example_id", "epoch", "seconds", "attempts", "input_tokens", "output_tokens", "cost", "error"])
    for question in asked:
        answer = answers[question.key]
        usage = answer.usage
        row = [question.example_id, question.epoch, answer.seconds, answer.attempts, usage.input_tokens, usage.output_tokens]
        writer.writerow([*row, cost(usage, price), answer.response.error])
    return out.getvalue()


def cost(usage: Usage, price: params.Price | None) -> float | None:
    """What the tokens of an answer cost; None where either is not known."""
    if price is None or (usage.input_tokens is None and usage.output_tokens is None):
        return None
    return round(((usage.input_tokens or 0) * price.input + (usage.output_tokens or 0) * price.output) / 1e6, 9)


if __name__ == "__main__":
    stage.run("evaluate", work)
