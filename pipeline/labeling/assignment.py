"""Which records to label now, and who is asked what.

A record is worth labelling for the slices that it fills (cost of a failure there, over the records labelled so far) and for what
nobody knows yet: it failed in production, no labelled record is like it, its tags are uncertain. A share of what is given out is the
next of the random order that the control sample is drawn by, so that its first examples come to be labelled without a gap.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline import coverage as coverage_
from pipeline.expectations import Coverage, Labeling
from pipeline.identity import stable_order
from pipeline.merge import control
from pipeline.params import LOGGED

WORDS = 4096
"""So many words tell texts apart; rarer ones say little of a topic."""


def choose(
    candidates: pd.DataFrame,
    tags: pd.DataFrame,
    labelled: frozenset[str],
    aside: frozenset[str],
    coverage: Coverage,
    count: int,
    random_share: float,
    seed: int,
    wanted: frozenset[str] = frozenset(),
) -> list[str]:
    """`count` ids of logged `candidates` (schema.CANDIDATES) to label: those `wanted`, then the most valuable, then random ones.

    `labelled` count as covered; none of them, and none of `aside` (given out already), is chosen. `seed` is the control sample's.
    """
    logged = candidates[candidates["source"].isin(LOGGED)].sort_values("example_id").reset_index(drop=True)
    free = ~logged["example_id"].isin(labelled | aside)
    order = [str(i) for i in control(logged, len(logged), seed)["example_id"]]
    open_ = set(logged.loc[free, "example_id"])
    random = [i for i in order if i in open_][: round(count * random_share)]
    first = sorted((wanted & open_) - set(random))[: count - len(random)]
    left = min(count, len(open_)) - len(random) - len(first)
    return [*first, *_by_value(logged, tags, labelled, open_ - {*random, *first}, [*random, *first], coverage, left), *random]


def _by_value(
    logged: pd.DataFrame,
    tags: pd.DataFrame,
    labelled: frozenset[str],
    open_: set[str],
    random: Sequence[str],
    coverage: Coverage,
    count: int,
) -> list[str]:
    """One after the other the record of the greatest shortfall * (1 + failed + novelty + uncertainty), each of the three in 0..1."""
    ids = logged["example_id"]
    inside, costs = _slices(ids, tags, coverage)
    covered = ids.isin(labelled | set(random)).to_numpy()
    have = inside[covered].sum(axis=0).astype(float)
    vectors = _vectors(logged)
    likeness = np.asarray((vectors @ vectors[covered].T).max(axis=1).todense()).ravel() if covered.any() else np.zeros(len(ids))
    known = logged["failed"].to_numpy(dtype=float) + _uncertainty(ids, tags)
    left = ids.isin(open_).to_numpy(copy=True)
    chosen: list[str] = []
    while len(chosen) < count:
        value = _shortfall(inside, costs, have) * (1 + known + 1 - likeness)
        best = int(np.argmax(np.where(left, value.round(9), -1.0)))
        chosen.append(str(ids[best]))
        left[best] = False
        have += inside[best]
        likeness = np.maximum(likeness, np.asarray((vectors @ vectors[best].T).todense()).ravel())
    return chosen


def _shortfall(inside: np.ndarray, costs: np.ndarray, have: np.ndarray) -> np.ndarray:
    """What one more of each record fills: the sum over its slices of cost / (have + 1), the measure that `allocation` goes by."""
    return np.asarray(inside @ (costs / (have + 1)))


def _slices(ids: pd.Series, tags: pd.DataFrame, coverage: Coverage) -> tuple[np.ndarray, np.ndarray]:
    """Records by slices of coverage.yaml as 0 and 1, and what a failure in each slice costs."""
    wanted = {f"{name}={value}": entry.cost for name, values in coverage.dimensions.items() for value, entry in values.items()}
    wanted |= {combination.slice: combination.cost for combination in coverage.combinations}
    if not wanted:
        return np.ones((len(ids), 1)), np.ones(1)
    return coverage_.inside(list(wanted), tags, ids).astype(float), np.array(list(wanted.values()))


def _vectors(logged: pd.DataFrame):  # type: ignore[no-untyped-def]  # a sparse matrix of SciPy, which has no types
    """What users said as TF-IDF vectors of length 1, placeholders left out."""
    texts = [" ".join(message["content"] for message in turns if message["role"] == "user") for turns in logged["input"]]
    words = TfidfVectorizer(max_features=WORDS, sublinear_tf=True, token_pattern=r"(?<!<)\b[^\W\d_]{2,}\b(?!_)")
    try:
        return words.fit_transform(texts)
    except ValueError:  # no text holds a word
        from scipy.sparse import csr_matrix

        return csr_matrix((len(texts), 1))


def _uncertainty(ids: pd.Series, tags: pd.DataFrame) -> np.ndarray:
    """One minus the lowest confidence of a rule or classifier among a record's tags; a default means that nothing was recognised."""
    guessed = tags[tags["origin"].isin(["rule", "classifier"])].groupby("example_id")["confidence"].min()
    return (1 - guessed.reindex(ids).fillna(1.0)).to_numpy()


def questions(
    example_ids: Sequence[str], annotators: Sequence[str], overlap: int, standard: Labeling, seed: int
) -> Iterator[tuple[str, str, str]]:
    """(example_id, dimension, annotator): each record to `overlap` annotators, every group of them in turn.

    All of them are asked what has values; the first of a record, which rotates, also writes its texts, which another approves later.
    """
    groups = list(combinations(annotators, overlap))
    for place, example_id in enumerate(sorted(example_ids, key=lambda i: stable_order(seed, i))):
        group = groups[place % len(groups)]
        writer = group[place // len(groups) % overlap]
        for annotator in group:
            for name, dimension in standard.dimensions.items():
                if dimension.values or annotator == writer:
                    yield example_id, name, annotator


def reopened(
    labels: pd.DataFrame, open_: pd.DataFrame, annotators: Sequence[str], overlap: int, standard: Labeling
) -> Iterator[tuple[str, str, str]]:
    """(example_id, dimension, annotator) of open questions that more labels answer: whoever is least asked and may still be.

    `labels` (schema.LABELS) are those that count: fresh, of the present meaning. A disagreement is the adjudicators' and is left out.
    """
    asked: Counter[str] = Counter()
    given = labels.groupby(["example_id", "dimension"])["annotator"].agg(set).to_dict()
    answerable = open_[open_["why"].isin(["too_few_annotators", "not_approved", "stale_text", "stale_standard"])]
    for example_id, name in zip(answerable["example_id"], answerable["dimension"], strict=True):
        have: set[str] = given.get((example_id, name), set())
        needed = (overlap if standard.dimensions[name].values else 2 if have else 1) - len(have)
        able = sorted((a for a in annotators if a not in have), key=lambda a: (asked[a], annotators.index(a)))
        for annotator in able[: max(1, needed)]:
            asked[annotator] += 1
            yield str(example_id), str(name), annotator
