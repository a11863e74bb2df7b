"""The annotator's guide: labeling.yaml as a page to read and print. Self-contained, no script, nothing from the network."""

import re
from typing import Any

from markupsafe import Markup, escape

from pipeline import pages
from pipeline.expectations import LabelDimension, Labeling

RULES = {
    "consensus": "All annotators say the same, else an adjudicator decides.",
    "majority": "More than half of the annotators say the same, else an adjudicator decides.",
    "any_of": "Several are valid: what each of you finds is taken.",
    "adjudicated": "An adjudicator decides wherever you differ.",
    "approved": "One of you writes it, another approves it.",
}
KINDS = {
    "judgement": "You judge the logged response.",
    "expectation": "You say what any correct response does or holds, whatever the logged one was.",
}


def render(standard: Labeling, dataset: str) -> str:
    """The page as HTML. The same standard gives the same bytes."""
    environment = pages.environment()
    environment.filters["code"] = _code
    return environment.get_template("labeling.html").render(
        dataset=dataset,
        standard=standard,
        changelog=list(reversed(standard.changelog)),
        parts=[
            {"kind": KINDS[kind], "title": title, "dimensions": _of_kind(standard, kind)}
            for kind, title in (("judgement", "What you judge"), ("expectation", "What a correct response is"))
            if _of_kind(standard, kind)
        ],
    )


def _code(text: str) -> Markup:
    """What stands between backticks in the standard is set as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _of_kind(standard: Labeling, kind: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "id": name.replace(".", "-"),
            "dimension": dimension,
            "rule": RULES[dimension.decision_rule],
            "changed": _changed(standard, dimension),
        }
        for name, dimension in standard.dimensions.items()
        if dimension.kind == kind
    ]


def _changed(standard: Labeling, dimension: LabelDimension) -> str:
    """When the meaning last changed, where it did."""
    return next((f"{change.version}, {change.changed}" for change in standard.changelog if change.version == dimension.version), "")
