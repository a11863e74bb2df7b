"""`golden status`: what is built, what the dataset holds, and what to do next."""

from typing import Annotated, Any

import typer


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, for scripts.")] = False,
    short: Annotated[bool, typer.Option("--short", help="Only size, accuracy and the next step.")] = False,
) -> None:
    """What is built, what the dataset holds, how it measures, and what to do next.

    Example: [bold]golden status[/bold]
    """
    import json

    from rich.console import Console
    from rich.text import Text

    from pipeline.cli.state import gather

    state = gather()
    if as_json:
        typer.echo(json.dumps(state, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    for name, line in lines(state, short):
        console.print(Text(f"{name:<10}", style="bold") + Text(line, style="bold green" if name == "Next" else ""))


def lines(state: dict[str, Any], short: bool = False) -> list[tuple[str, str]]:
    """The state in words, as name and line; a continued line has no name."""
    found = [("Dataset", _dataset(state))]
    if state["size"]:
        found.append(("Maturity", f"{state['maturity']['stage']}: {state['maturity']['can']}"))
    if state.get("smallest_seen"):
        found.append(("Sees", _sees(state["smallest_seen"])))
    if state.get("lacking") and not short:
        found.append(("Lacking", "; ".join(state["lacking"][:6])))
    if state["metrics"]:
        found.append(("Accuracy", _accuracy(state["metrics"])))
    if not short:
        found[1:1] = [("Sources" if number == 0 else "", line) for number, line in enumerate(map(_source, state["sources"].items()))]
        found += [("Slices" if number == 0 else "", line) for number, line in enumerate(map(_slice, state["slices"].items()))]
        found += [("Labels", _labels(state["labels"]))] if state["labels"] else []
        found += [("Checks", _validation(state["validation"]))] if state["validation"] else []
        found.append(("Build", _build(state["stages"])))
    return [*found, ("Next", state["next"])]


def _dataset(state: dict[str, Any]) -> str:
    if not state["size"]:
        return f"{state['dataset']}: not built yet ({state['wanted_size']} examples wanted)"
    wanted = "" if state["size"] == state["wanted_size"] else f" ({state['wanted_size']} wanted)"
    return f"{state['dataset']}: {state['size']:,} examples{wanted}"


def _sees(smallest: dict[str, float | None]) -> str:
    by_slice = {name: fall for name, fall in smallest.items() if name != "all"}
    blind = sorted(name for name, fall in by_slice.items() if fall is None)
    overall = smallest.get("all")
    told = f"a fall by {overall:.0%} overall" if overall is not None else "no fall reliably overall"
    seen = len(by_slice) - len(blind)
    return f"{told}; in {seen} of {len(by_slice)} slices" + (f", too thin: {', '.join(blind[:4])}" if blind else "")


def _source(item: tuple[str, dict[str, Any]]) -> str:
    name, source = item
    regressions = f", {source['regressions']} of them regressions" if source.get("regressions") else ""
    return f"{name:<12} {source['count']:>5}  {source['share']:>6.1%} of {source['ratio']:.1%} wanted{regressions}"


def _slice(item: tuple[str, dict[str, int]], most: int = 6) -> str:
    dimension, values = item
    largest = sorted(values.items(), key=lambda value: (-value[1], value[0]))
    more = f" · {len(largest) - most} more" if len(largest) > most else ""
    return f"{dimension:<12} " + " · ".join(f"{name} {count}" for name, count in largest[:most]) + more


def _labels(labels: dict[str, Any]) -> str:
    told = f"{labels['with_expectation']} conversations with an agreed expectation, {labels['held_back']} held back; "
    if labels["queue"] is None:
        return told + "what to label next is not on this machine"
    why = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(labels["queue"].items()))
    return told + (f"to do: {why}" if why else "nothing to do")


def _validation(validation: dict[str, Any]) -> str:
    failed = f"; failed: {'; '.join(validation['failed'])}" if validation["failed"] else ""
    return f"{validation['held']} hold, {validation['failed_critical']} critical and {validation['failed_warning']} warnings failed{failed}"


def _accuracy(metrics: dict[str, Any]) -> str:
    if "accuracy" not in metrics:
        return f"nothing judged, {metrics['errors']} errors"
    unmet = f" (not {', '.join(metrics['clauses_unmet'])})" if metrics["clauses_unmet"] else ""
    return (
        f"{metrics['accuracy']:.3f} [{metrics['low']:.3f}, {metrics['high']:.3f}] of {metrics['n']} examples, {metrics['errors']} errors; "
        f"{metrics['clauses_met']} of {metrics['clauses_met'] + len(metrics['clauses_unmet'])} clauses met{unmet}"
    )


def _build(stages: dict[str, str]) -> str:
    if not stages:
        return "DVC cannot say which stages are up to date; 'golden doctor' says why"
    parts = [f"{sum(state == 'up_to_date' for state in stages.values())} of {len(stages)} stages up to date"]
    for state in ("not_built", "out_of_date", "absent"):
        if names := [name for name, is_ in stages.items() if is_ == state]:
            words = {"not_built": "never built", "out_of_date": "out of date", "absent": "built elsewhere, their files are not here"}[state]
            parts.append(f"{words}: {', '.join(names)}")
    return "; ".join(parts)
