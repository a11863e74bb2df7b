"""`golden power`: what this dataset can catch, which slices are too thin for it, and how many examples lift them."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from pipeline.errors import InputError


def power(
    size: Annotated[
        float | None,
        typer.Option("--size", metavar="SHARE", help="Another fall of accuracy, 0..1: measured now. Default: as the last build measured."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, for scripts.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show every slice, not only those that are too thin.")] = False,
) -> None:
    """How often would the gate hold a release in which one slice got worse, and how often one in which nothing did?

    Recorded answers are made worse (swapped, citations dropped, personal data given away, a refusal lost, a failure unhandled) inside
    one slice at a time, scored and gated; 2 % of all others come out worse and 2 % better by chance. Caught is held, and so is crying
    wolf. Slices of which less than 80 % is caught are too thin; the page says how many more examples would lift each.

    Example: [bold]golden power --size 0.2[/bold] for a fall of 20 points. Nothing is asked and nothing is changed.
    """
    from pipeline import power as stage
    from pipeline.tables import read_json, rounded

    if size is None:
        content = read_json(stage.FIGURES)
    elif not 0 < size <= 1:
        raise InputError(f"--size {size:g}: expected a share above 0 and up to 1, such as 0.2 for 20 points")
    else:
        content = rounded(_measured(size))
    if as_json:
        import json

        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return
    for line in lines(content, every):
        typer.echo(line)


def _measured(size: float) -> dict[str, Any]:
    from pipeline import params
    from pipeline import power as stage

    dataset, control, by = stage.built()
    wanted = params.load().power.model_copy(update={"sizes": [size]})
    return stage.power(dataset, control, by, wanted, size)[0]


def lines(content: dict[str, Any], every: bool = False) -> Iterator[str]:
    """The page: metrics/power.json in words."""
    wolf, background = content["cry_wolf"], f"{content['background']:.0%}"
    yield (
        f"{content['examples']} examples, and a fall of {100 * content['size']:g} points inside one slice; "
        f"of all other answers {background} come out worse and {background} better by chance"
    )
    yield ""
    yield f"caught     {_interval(content, 'caught_rate')} of such releases, weighted by what a failure costs"
    yield f"cry wolf   {_interval(wolf, 'rate')} held though nothing is worse; {wolf['undecided_rate']:.3f} undecided"
    if control := content.get("control"):
        yield f"control    {_interval(control, 'caught_rate')} by {control['examples']} random examples of production"
        if control["slices_absent"]:
            yield f"           they hold no example of {control['slices_absent']} slices"
    if more := content.get("difference"):
        yield f"           over the {more['n']} slices that both hold the dataset catches {more['value']:+.3f} [{more['low']:+.3f}, {more['high']:+.3f}]"
    yield "by size    " + ", ".join(
        f"{name.removesuffix('_points').replace('_', '.')} points {of['caught_rate']:.2f}" for name, of in _by_size(content)
    )
    blind = {name: of for name, of in content["ways"].items() if of.get("seen_rate", 1) < 1}
    for name, of in blind.items():
        yield f"not seen   {name}: the expectations of {1 - of['seen_rate']:.0%} of {of['n']} examples let it pass"
    yield from _slices(content, every)


def _by_size(content: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return sorted(content["sizes"].items(), key=lambda item: float(item[0].removesuffix("_points").replace("_", ".")))


def _slices(content: dict[str, Any], every: bool) -> Iterator[str]:
    from pipeline.slices import of_metrics_keys

    found = [(of_metrics_keys(dimension, value), of) for dimension, values in content["slices"].items() for value, of in values.items()]
    shown = [one for one in found if every or one[1]["more"] != 0]
    yield ""
    if not shown:
        yield "no slice is too thin"
        return
    yield f"{'slice' if every else 'too thin':<50}{'examples':>9}{'right':>7}  {'caught':<24}would be enough"
    for name, of in sorted(shown, key=lambda one: (one[1]["caught_rate"], one[0])):
        needs = "" if of["more"] == 0 else "not even 200 more" if of["more"] is None else f"{of['more']} more"
        yield f"{name:<50}{of['n']:>9}{of['right']:>7}  {_interval(of, 'caught_rate'):<24}{needs}".rstrip()


def _interval(of: dict[str, Any], name: str) -> str:
    return f"{of[name]:.3f} [{of['low']:.3f}, {of['high']:.3f}]"
