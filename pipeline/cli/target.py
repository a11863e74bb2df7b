"""`golden target`: is the system under test there, and is what it says understood?"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline import params
    from pipeline.targets.asking import Attempt
    from pipeline.targets.question import Question

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True)
FIELDS = ("answer", "citations", "behaviour", "confidence", "tool_calls")
SHOWN_CHARACTERS = 2000
HELP = {
    "timeout": "no answer in {timeout_s:g} s; evaluate.timeout_s is the limit. A program must write one line and flush it",
    "unreadable_reply": "what came back is not JSON",
    "out_of_step": "the reply does not repeat the id of the question, so that it may be the answer to another one",
    "connection_refused": "nothing listens at this address",
    "no_connection": "the host cannot be reached, or its certificate is not trusted",
    "connection_lost": "the connection ended before the answer did",
    "http_401": "not authorized: is the token in headers the right one?",
    "http_403": "not allowed: is the token in headers the right one?",
    "http_404": "nothing at this path: is evaluate.target.url whole?",
    "http_422": "the request is not what the target expects: see evaluate.target.request",
    "http_400": "the request is not what the target expects: see evaluate.target.request",
    "http_429": "too many requests: see evaluate.requests_per_minute",
    "not_testable": "an answer came, and the target did not say that it met the simulated failure",
    "unhandled_fault": "the target met the simulated failure and gave no answer",
    "not_recorded": "the recording has no answer to this example",
}


@app.callback()
def target() -> None:
    """The system under test: is it there, and is what it says understood?

    Example: [bold]golden target check[/bold]
    """


@app.command()
def check(
    named: Annotated[
        str | None,
        typer.Option("--target", metavar="TARGET", help="Another target than that of params.yaml: module:function, URL, program, file."),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Ask this instead of an example.")] = None,
    example: Annotated[str | None, typer.Option("--example", metavar="ID", help="Ask this example instead of the first.")] = None,
    fault: Annotated[
        str | None, typer.Option("--fault", metavar="FAILURE", help="Simulate timeout, api_error or rate_limit while it answers.")
    ] = None,
) -> None:
    """Send one request and show what was understood: answer, citations, behaviour, confidence, tool calls, time.

    What is mapped and was not found in the reply is named, with the expression that found nothing. Exits 1 without an answer.

    Example: [bold]golden target check --fault timeout[/bold]
    """
    import anyio

    from pipeline import faults, params
    from pipeline.targets import naming, open_target
    from pipeline.targets.environment import hidden

    wanted = params.load().evaluate
    chosen = naming.named(named, wanted.target.version, wanted.target) if named else wanted.target
    if fault is not None and fault not in faults.FAULTS:
        raise InputError(f"--fault: no failure '{fault}'; there are {', '.join(faults.FAULTS)}")
    question = _spoken(text, fault or "") if text else _example(example, fault or "")
    ask = open_target(chosen)
    typer.echo(f"target      {_name(chosen)}")
    typer.echo(f"asked       {_asked(question)}")
    attempt, reply = anyio.run(_once, ask, question, wanted.timeout_s)
    for line in _shown(attempt, reply, chosen, question, wanted.timeout_s):
        typer.echo(hidden(line, chosen))
    if attempt.response.error:
        raise typer.Exit(1)


def _spoken(text: str, fault: str) -> "Question":
    from pipeline.targets.question import Question

    return Question("check", "", 1, [{"role": "user", "content": text}], {}, fault)


def _example(example_id: str | None, fault: str) -> "Question":
    """The example named, with the failure it simulates, or the first one that simulates `fault`; another failure is put in its place."""
    from dataclasses import replace

    from pipeline import schema, tables
    from pipeline.evaluate import questions
    from pipeline.paths import EXAMPLES

    if not EXAMPLES.is_file():
        raise InputError(f"{EXAMPLES}: not there; give a question by --text, or run 'dvc pull' or 'dvc repro'")
    asked = questions(tables.read_parquet(EXAMPLES, schema.EXAMPLES), 1)
    if not asked:
        raise InputError(f"{EXAMPLES}: holds no example; run 'dvc repro merge'")
    fitting = [question for question in asked if (question.example_id == example_id if example_id else question.fault == fault)]
    if example_id and not fitting:
        raise InputError(f"--example: {EXAMPLES} has no {example_id}; data/golden/members.csv lists the examples")
    chosen = (fitting or asked)[0]
    return replace(chosen, fault=fault) if fault else chosen


async def _once(ask: Any, question: "Question", timeout_s: float) -> tuple["Attempt", Any]:
    """The attempt, and the reply that it was read from."""
    from pipeline.targets.asking import attempt
    from pipeline.targets.question import Remote

    replies: list[Any] = []

    async def overheard(question: "Question") -> Any:
        replies.append(await ask(question))
        return replies[0]

    try:
        return await attempt(question, overheard, timeout_s), replies[0] if replies else None
    finally:
        if isinstance(ask, Remote):
            await ask.aclose()


def _name(target: "params.Target") -> str:
    from pipeline.params import NEEDED

    return f"{target.kind} {getattr(target, NEEDED[target.kind][0])}, version {target.version}"


def _asked(question: "Question") -> str:
    turns = len(question.messages)
    told = [f"{turns} message{'s' if turns > 1 else ''}"]
    if question.fixtures:
        told.append(f"fixtures: {', '.join(sorted(question.fixtures))}")
    return f"{question.example_id}, {', '.join(told)}" + (f", simulating {question.fault}" if question.fault else "")


def _shown(attempt: "Attempt", reply: Any, target: "params.Target", question: "Question", timeout_s: float) -> Iterator[str]:
    error = attempt.response.error
    yield from _understood(reply, target)
    if attempt.usage.input_tokens is not None or attempt.usage.output_tokens is not None:
        yield f"tokens      {attempt.usage.input_tokens} in, {attempt.usage.output_tokens} out"
    yield f"time        {attempt.seconds:.2f} s"
    yield f"failure     {_failure(question.fault, error)}"
    if error:
        hint = HELP.get(error, "").format(timeout_s=timeout_s)
        yield f"error       {error}" + (f": {hint}" if hint else "") + (_log() if target.kind == "command" else "")
        if error.startswith("bad_response:") and isinstance(reply, dict) and "received" in reply:
            yield f"received    {shape(reply['received'])}"


def _understood(reply: Any, target: "params.Target") -> Iterator[str]:
    """A line for each part of the reply, and for each expression that found nothing in it."""
    if reply is None:
        return
    found = reply if isinstance(reply, dict) else {"answer": reply}
    mapped = _mapped(target)
    for field in FIELDS:
        value = found.get(field)
        if value is None and field in mapped:
            yield f"{field:<12}nothing at {mapped[field]}"
        elif value is None:
            yield f"{field:<12}not given"
        else:
            yield f"{field:<12}{_short(value)}"


def _mapped(target: "params.Target") -> dict[str, str]:
    """Field to the expression that the user gave for it; and that for the answer, which there must be."""
    from pipeline.targets import form, http

    if target.kind not in ("http", "command"):
        return {}
    response = http.form(target).response if target.kind == "http" else target.response or form.RESPONSE
    own = target.response.model_fields_set if target.response else set()
    return {field: expression for field, expression in form.expressions(response).items() if field in own | {"answer"}}


def _short(value: Any) -> str:
    import orjson

    text = value if isinstance(value, str) else orjson.dumps(value, default=str, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    text = " ".join(text.split()) or "(empty)"
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ... ({len(text):,} characters)"


def _failure(fault: str, error: str) -> str:
    if not fault:
        return "none simulated; try --fault timeout"
    if error == "not_testable":
        return f"{fault} was not met: examples that simulate a failure are not testable; see docs/targets.md"
    if error == "unhandled_fault":
        return f"{fault} was met and not handled"
    return f"{fault} was met and handled" if not error else f"{fault}: not known, since no answer came"


def _log() -> str:
    from pipeline.targets.command import LOG

    return f"; what it said is in {LOG}" if Path(LOG).is_file() and LOG.stat().st_size else ""


def shape(value: Any, depth: int = 3) -> str:
    """Which keys and types a reply has, without what stands in them."""
    if isinstance(value, dict) and depth:
        return "{" + ", ".join(f"{name}: {shape(part, depth - 1)}" for name, part in list(value.items())[:20]) + "}"
    if isinstance(value, list) and depth:
        return f"[{len(value)} x {shape(value[0], depth - 1)}]" if value else "[]"
    names = {dict: "{...}", list: "[...]", str: "text", bool: "true/false", int: "number", float: "number", type(None): "null"}
    return names.get(type(value), type(value).__name__)
