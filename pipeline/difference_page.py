"""What is between two revisions of a dataset, as lines on a screen and as a Markdown comment for its reviewers.

Both say the same. Ids, tags and reasons, and no text of an example unless it is asked for: then surrogates stand in it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from pipeline.difference import WHAT, WHY_GONE, Difference, Split
from pipeline.slices import ALL
from pipeline.tabular import as_markdown, cell, in_columns

MARK = "<!-- golden-diff -->"
"""By which a comment is found again, so that a pull request has one."""
SHOWN = 10
Texts = Mapping[str, list[dict[str, str]]]


def sentences(found: Difference) -> Iterator[str]:
    """What a reviewer wants to know first."""
    before, after = len(found.before.members), len(found.after.members)
    added, removed = len(found.added), len(found.removed)
    yield f"{before} examples, {removed} went, {added} came: {after}"
    if found.changed:
        what = Counter(one for changes in found.changed.values() for one in changes)
        yield f"{len(found.changed)} of those that stayed changed: {', '.join(f'{WHAT[key]} {n}' for key, n in what.items())}"
    if removed:
        why = Counter(found.removed["why"])
        yield f"went: {'; '.join(f'{n} {WHY_GONE[key]}' for key, n in why.most_common())}"
    yield from _accuracy(found)
    if found.contract_changed:
        yield "the contract changed: both sides are judged by the later one"


def _accuracy(found: Difference) -> Iterator[str]:
    overall = found.figures[ALL]
    if overall.before is None or overall.after is None:
        yield "accuracy is not comparable: one side judged nothing"
        return
    because = [
        f"{overall.dataset:+.3f} by examples that came, went or changed",
        *([f"{overall.scorers:+.3f} on {len(found.rejudged)} that other scorers judged"] if found.rejudged else []),
        f"{overall.system:+.3f} by the system on {overall.n_equal} that are equal on both sides ({len(found.lost)} lost, {len(found.gained)} gained)",
    ]
    yield f"accuracy {overall.before:.3f} -> {overall.after:.3f}: {', '.join(because)}"
    then, now = found.targets
    yield f"the system is {then} on both sides" if then == now else f"the system was {then} and is {now}"


def lines(found: Difference, texts: Texts) -> Iterator[str]:
    """On a screen."""
    yield f"{'dataset':<10}{found.before.name} -> {found.after.name}"
    for sentence in sentences(found):
        yield f"{'':<10}{sentence}"
    for title, rows in _tables(found):
        yield ""
        yield f"{title}"
        yield from in_columns(rows)
    for title, ids in _flips(found):
        yield ""
        yield f"{title}: {', '.join(ids)}"
    for example_id in sorted(texts):
        yield ""
        yield example_id
        yield from (f"  {message['role']}: {' '.join(message['content'].split())}" for message in texts[example_id])


def markdown(found: Difference, texts: Texts) -> str:
    """A comment for a pull request: what changed first, who behind a fold."""
    parts = [MARK, f"### Golden dataset: {cell(found.before.name)} → {cell(found.after.name)}"]
    parts.append("\n".join(f"- {cell(sentence)}" for sentence in sentences(found)))
    for title, rows in _tables(found):
        table = as_markdown(rows)
        parts.append(f"**{title}**\n\n{table}" if len(rows) <= SHOWN + 1 else _folded(f"{title} ({len(rows) - 1})", table))
    parts += [_folded(f"{title} ({len(ids)})", ", ".join(ids)) for title, ids in _flips(found)]
    shown = [
        "\n".join([f"**{example_id}**", "", *(f"> *{m['role']}:* {cell(m['content'])}  " for m in texts[example_id])])
        for example_id in sorted(texts)
    ]
    if shown:
        parts.append(_folded(f"Their texts, with surrogates ({len(shown)})", "\n\n".join(shown)))
    return "\n\n".join(parts) + "\n"


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def _tables(found: Difference) -> Iterator[tuple[str, list[list[str]]]]:
    if any(a != b for a, b in found.sources.values()):
        yield "Sources", [["source", "before", "after"], *([name, str(a), str(b)] for name, (a, b) in found.sources.items())]
    moved = [[name, *_shown(split)] for name, split in found.figures.items() if split.before != split.after]
    if moved:
        yield "Accuracy", [["slice", "before", "after", "dataset", "scorers", "system"], *moved]
    if found.slices:
        ordered = sorted(found.slices.items(), key=lambda item: (-abs(item[1][1] - item[1][0]), item[0]))
        yield "Slices", [["slice", "before", "after"], *([name, str(a), str(b)] for name, (a, b) in ordered)]
    if len(found.added):
        rows = found.added.sort_values("example_id")[["example_id", "source", "reason", "slices"]].to_numpy().tolist()
        yield "Came", [["example", "source", "why", "tags"], *rows]
    if len(found.removed):
        went = found.removed.sort_values("example_id")
        rows = [[i, source, WHY_GONE[why], tags] for i, source, why, tags in zip(*(went[n] for n in _WENT), strict=True)]
        yield "Went", [["example", "source", "why", "tags"], *rows]
    if found.changed:
        yield "Changed", [["example", "what"], *([i, "; ".join(WHAT[one] for one in what)] for i, what in sorted(found.changed.items()))]


_WENT = ("example_id", "source", "why", "slices")


def _shown(split: Split) -> list[str]:
    before, after = (
        f"{value:.3f} of {n}" if value is not None else "-" for value, n in ((split.before, split.n_before), (split.after, split.n_after))
    )
    parts = ("-" if part is None else f"{part:+.3f}" for part in (split.dataset, split.scorers, split.system))
    return [before, after, *parts]


def _flips(found: Difference) -> Iterator[tuple[str, list[str]]]:
    for title, ids in (
        ("Equal examples that were right and are wrong", found.lost),
        ("Equal examples that were wrong and are right", found.gained),
    ):
        if ids:
            yield title, ids
