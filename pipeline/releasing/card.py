"""The dataset card of a release: what it is for, what is in it, how well it was made, and what it cannot do.

The front matter is that of the Hugging Face Hub's dataset cards (https://huggingface.co/docs/hub/datasets-cards). Everything else
follows from metrics, contract and members, so no card says what was not measured. It holds no text of an example.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.expectations import Contract
from pipeline.releasing.history import Figures, figure
from pipeline.yaml_models import in_flow

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(name: str, new: Mapping[str, Any], figures: Figures, contract: Contract, language: str) -> str:
    """data/releases/README.md. `new`: the release's row of schema.HISTORY."""
    size = next((told for most, told in SIZES if new["examples"] < most), "n>1M")
    front = ["---", f"pretty_name: {in_flow(name)}", f"language: [{language}]", f"size_categories: [{in_flow(size)}]"]
    front += ["tags: [evaluation, golden-dataset]", f"version: {new['version']}", "---"]
    body = [
        f"# {name} {new['version']}",
        "",
        f"{new['examples']} examples by which a release of the assistant is judged; production up to {new['released_on'] or 'an unknown day'}.",
        "",
        "## Intended decision",
        "",
        f"{contract.decision.question} A wrong release costs {contract.decision.cost_of_shipping_bad:g} where blocking a good one costs "
        f"{contract.decision.cost_of_blocking_good:g}. Not for training, not for tuning prompts: what was learnt from says nothing any more.",
        "",
        *_clauses(contract),
        "## Composition",
        "",
        "| source | examples |",
        "| --- | --- |",
        *(f"| {source} | {new[source]} |" for source in ("production", "expert", "adversarial", "synthetic")),
        "",
        f"{new['added']} came with this release and {new['removed']} went.",
        "",
        "## How well it was made",
        "",
        "| figure | value | interval |",
        "| --- | --- | --- |",
        *_figures(figures),
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in _limits(new, figures)),
    ]
    return "\n".join([*front, "", *body]) + "\n"


def _clauses(contract: Contract) -> Iterator[str]:
    yield from ("| clause | slice | metric | threshold |", "| --- | --- | --- | --- |")
    for clause in contract.clauses:
        told = f"at least {clause.at_least:g}" if clause.at_least is not None else f"at most {clause.at_most:g}"
        yield f"| {clause.name} | {clause.slice} | {clause.metric} | {told} |"
    yield ""


ROWS = (
    ("accuracy of the build it was measured by", ("metrics", "overall"), "accuracy"),
    ("agreement on the behaviour expected (Krippendorff's alpha)", ("labels", "dimensions", "expected_behaviour", "agreement"), "alpha"),
    ("catching power: a fall in one slice is held", ("power",), "caught_rate"),
    ("cry-wolf: held although nothing got worse", ("power", "cry_wolf"), "rate"),
    ("failure rates by slice against production's (Spearman)", ("monitor", "alignment", "spearman"), "value"),
    ("backtest: a month's failures near to the dataset before", ("monitor", "backtest", "dataset"), "value"),
)


def _figures(figures: Figures) -> Iterator[str]:
    for told, where, key in ROWS:
        value, low, high = (figure(figures, *where, name) for name in (key, "low", "high"))
        yield f"| {told} | {_shown(value)} | {f'{_shown(low)} to {_shown(high)}' if low is not None else ''} |"
    for name in ("recall", "precision"):
        value, low, high = (figure(figures, "pii", "characters", f"{name}{end}") for end in ("", "_low", "_high"))
        yield f"| personal data found, {name} by character | {_shown(value)} | {f'{_shown(low)} to {_shown(high)}' if low is not None else ''} |"


def _shown(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def _limits(new: Mapping[str, Any], figures: Figures) -> Iterator[str]:
    if new["verdict"] != "ship":
        yield f"The gate said {new['verdict']} of {new['target_version']}; released because: {new['forced_why']}."
    thin = figure(figures, "power", "too_thin")
    if thin:
        yield f"{thin:.0f} slices are too thin to show a fall of their own: see metrics/power.json."
    short = figure(figures, "coverage", "total", "slices_short")
    if short:
        yield f"{short:.0f} slices have fewer examples than wanted: see metrics/coverage.json."
    recall = figure(figures, "pii", "characters", "recall")
    yield "Personal data was replaced by invented data. " + (
        f"Of labelled characters {1 - recall:.1%} were missed by the recognizers before the audit."
        if recall is not None
        else "How well was not measured."
    )
    yield "It mirrors what it costs to fail, not traffic: a share of it is no share of production."
