"""What labels do to tags: they stand where annotators agreed, teach a classifier for the rest, and measure rules and classifier.

A label of the dimension `tag.<dimension>` says what a tag of a logged conversation should be. What is measured are production's
records alone, rules by what they give without labels, the classifier by what it says of texts that it did not learn from.
"""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from pipeline import schema, tables
from pipeline.decision.calibration import brier, expected_calibration_error
from pipeline.errors import InputError
from pipeline.expectations import Labeling, TagClassifier, Tagging
from pipeline.params import LOGGED
from pipeline.tag_classifier import Guess, guess, learnable, out_of_fold, texts
from pipeline.tag_classifier import learn as classifier_of

PREFIX = "tag."
UNSURE = ("rule", "default", "")
"""Origins that the classifier may correct; the empty one is that of no tag at all."""


def check(labels: pd.DataFrame, standard: Labeling, tagging: Tagging) -> None:
    """Raises InputError where a `tag.` dimension that `labels` (schema.LABELS) use is none of tagging.yaml, or has other values."""
    for name in sorted(set(labels["dimension"])):
        if not name.startswith(PREFIX):
            continue
        dimension = standard.dimensions[name]
        where = f"expectations/labeling.yaml: dimensions.{name}"
        tagged = tagging.dimensions.get(name.removeprefix(PREFIX))
        if tagged is None:
            raise InputError(f"{where}: no such dimension in tagging.yaml; known: {', '.join(tagging.dimensions)}")
        if tagged.multiple:
            raise InputError(f"{where}: the dimension is multiple in tagging.yaml, and a label is one value; remove it")
        if unknown := sorted(set(dimension.values) - set(tagged.values)):
            raise InputError(f"{where}.values: {unknown[0]} is not in tagging.yaml; known: {', '.join(tagged.values)}")


def of_tags(agreed: pd.DataFrame) -> pd.DataFrame:
    """`agreed` values (as `pipeline.labeling.resolving.resolve` gives them) of tags: example_id, dimension (of tagging.yaml), value."""
    about = agreed[agreed["dimension"].str.startswith(PREFIX)]
    return about.assign(dimension=about["dimension"].str.removeprefix(PREFIX))[["example_id", "dimension", "value"]]


def learn(found: pd.DataFrame, tags: pd.DataFrame, agreed: pd.DataFrame, tagging: Tagging) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The tags (schema.TAGS) of `found` after labels and classifiers, and metrics/tagging.json.

    `tags` are those of authors, logs and rules; `agreed` what annotators agreed on: example_id, dimension, value.
    """
    logged = found[found["source"].isin(LOGGED)]
    agreed = agreed[agreed["example_id"].isin(logged["example_id"])]
    done, numbers = [], {}
    for name, dimension in tagging.dimensions.items():
        of_this = tags[tags["dimension"] == name]
        told = agreed[agreed["dimension"] == name].set_index("example_id")["value"].sort_index()
        if dimension.multiple or (told.empty and not dimension.classifier):
            done.append(of_this)
            numbers[name] = {"labelled": len(told), "tags": _counts(of_this)}
            continue
        by_rule = _one_a_row(of_this, found["example_id"])
        taught, said = _taught(found, by_rule, told, dimension.classifier)
        after = _with_labels(taught, told)
        done.append(_as_tags(after, name))
        numbers[name] = {
            "labelled": len(told),
            "tags": _counts(done[-1]),
            **_figures(by_rule.loc[told.index], told, said, dimension.classifier),
        }
    return tables.concat(done, schema.TAGS), numbers


def decided(by_rule: pd.DataFrame, said: Guess, settings: TagClassifier) -> pd.DataFrame:
    """`by_rule` (value, origin, confidence) with what the classifier said where that is surer than the rules, and sure enough."""
    values = np.array(said.values, dtype=object)
    takes = (
        by_rule["origin"].isin(UNSURE).to_numpy()
        & (values != "")
        & (said.confidence >= settings.min_confidence)
        & (said.confidence > by_rule["confidence"].to_numpy())
    )
    return by_rule.assign(
        value=np.where(takes, values, by_rule["value"]),
        origin=np.where(takes, "classifier", by_rule["origin"]),
        confidence=np.where(takes, said.confidence, by_rule["confidence"]),
    )


def in_words(numbers: dict[str, Any]) -> str:
    """What the classifiers won, for the stage's line; empty where none learnt."""
    return "".join(
        f"; {name}: accuracy {found['rules']['accuracy']:.3f} by rules, {found['rules_and_classifier']['accuracy']:.3f} with the classifier"
        for name, found in numbers.items()
        if "rules_and_classifier" in found
    )


def _one_a_row(tags: pd.DataFrame, example_ids: pd.Series) -> pd.DataFrame:
    """value, origin and confidence of each example, by its id; empty texts and 0 where it has no tag."""
    rows = tags.set_index("example_id")[["value", "origin", "confidence"]].reindex(example_ids)
    return rows.assign(value=rows["value"].fillna(""), origin=rows["origin"].fillna(""), confidence=rows["confidence"].fillna(0.0))


def _taught(
    found: pd.DataFrame, by_rule: pd.DataFrame, told: pd.Series, settings: TagClassifier | None
) -> tuple[pd.DataFrame, Guess | None]:
    """`by_rule` after the classifier, and what it says of the labelled texts out of fold; None where there is none."""
    if settings is None or len(told) < settings.min_labels:
        return by_rule, None
    inputs = found.set_index("example_id")["input"]
    labelled = texts(inputs.loc[told.index].tolist())
    known = learnable(labelled, told)
    if told[known].nunique() < 2:
        return by_rule, None
    model = classifier_of(labelled[known].reset_index(drop=True), told[known].reset_index(drop=True))
    asked = by_rule["origin"].isin(UNSURE) & (by_rule["confidence"] < 1) & ~by_rule.index.isin(told.index)
    taught = by_rule.copy()
    taught[asked] = decided(by_rule[asked], guess(model, texts(inputs.loc[by_rule.index[asked]].tolist())), settings)
    return taught, out_of_fold(labelled, told)


def _with_labels(taught: pd.DataFrame, told: pd.Series) -> pd.DataFrame:
    """An agreed label stands over everything but an author's tag."""
    labelled = told[taught.loc[told.index, "origin"].to_numpy() != "author"]
    after = taught.copy()
    after.loc[labelled.index, "value"] = labelled
    after.loc[labelled.index, "origin"] = "label"
    after.loc[labelled.index, "confidence"] = 1.0
    return after


def _as_tags(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return rows[rows["value"] != ""].rename_axis("example_id").reset_index().assign(dimension=name)[schema.TAGS.names]


def _counts(tags: pd.DataFrame) -> dict[str, int]:
    """How many tags have which origin."""
    return {str(origin): int(count) for origin, count in tags["origin"].value_counts().sort_index().items()}


def _figures(by_rule: pd.DataFrame, told: pd.Series, said: Guess | None, settings: TagClassifier | None) -> dict[str, Any]:
    if told.empty:
        return {}
    truth = told.to_numpy(dtype=object)
    rules = {"rules": _agreement(by_rule["value"].to_numpy(dtype=object), truth) | {"by_origin": _by_origin(by_rule, truth)}}
    if said is None or settings is None:
        return rules
    both = decided(by_rule, said, settings)
    guessed = np.array(said.values, dtype=object)
    right = (guessed == truth).astype(float)
    return rules | {
        "rules_and_classifier": _agreement(both["value"].to_numpy(dtype=object), truth) | {"by_origin": _by_origin(both, truth)},
        "classifier": _agreement(guessed, truth)
        | {
            "brier": brier(said.confidence, right),
            "expected_calibration_error": expected_calibration_error(said.confidence, right),
        },
    }


def _agreement(values: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Accuracy, and the mean over the labelled values of F1."""
    labels = sorted(set(truth))
    return {
        "accuracy": float((values == truth).mean()),
        "macro_f1": float(f1_score(truth.astype(str), values.astype(str), labels=labels, average="macro", zero_division=0.0)),
    }


def _by_origin(rows: pd.DataFrame, truth: np.ndarray) -> dict[str, dict[str, float]]:
    right = pd.Series(rows["value"].to_numpy(dtype=object) == truth)
    groups = right.groupby(rows["origin"].replace("", "none").to_numpy())
    return {str(origin): {"n": len(group), "accuracy": float(group.mean())} for origin, group in groups}
