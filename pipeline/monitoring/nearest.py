"""Which of some texts says nearly the same as another, and how near it is: cosine distance of parts of words.

Texts are compared by what their users say (pipeline.near_duplicates.asked), so by the request and not by an answer. Weights are
tf-idf (Sparck Jones 1972; Salton and Buckley 1988), which scikit-learn computes; they are those of the pool, so that a word which
everybody says counts little. A distance lies in 0 (the same text) to 1 (nothing in common) and is rounded, so that two machines
agree on what lies within a threshold. Parts of words and not words, since customers mistype and inflect.

Pure. Memory: the vectors of all texts, and of distances one chunk at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import near_duplicates, schema
from pipeline.params import LOGGED

DIGITS = 4
"""Distances are rounded to so many digits."""
TOGETHER = 2_000
"""Texts whose distances to all others are in memory at a time."""
FARTHEST = 1.0
"""The distance to nothing."""


@dataclass(frozen=True)
class Space:
    """The character 4-grams of some texts, within words, and what each weighs."""

    vectorizer: Any

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Space":
        """The space that `texts`, usually the pool's, span; one of nothing where there is no text."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        plain = [near_duplicates.normalized(text) for text in texts]
        return cls(TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4), sublinear_tf=True, dtype=np.float64).fit([*plain, "a"]))

    def vectors(self, texts: Sequence[str]) -> Any:
        """A sparse row of length 1 a text; all zeros where the space knows nothing of it."""
        return self.vectorizer.transform([near_duplicates.normalized(text) for text in texts])


def nearest(texts: Sequence[str], others: Sequence[str], space: Space) -> tuple[np.ndarray, np.ndarray]:
    """For each of `texts` the distance to the nearest of `others`, and its index; the first of several, 1 and -1 where there is none."""
    if not len(others):
        return np.full(len(texts), FARTHEST), np.full(len(texts), -1)
    to = space.vectors(others).T.tocsc()
    distances, places = [np.empty(0)], [np.empty(0, int)]
    for start in range(0, len(texts), TOGETHER):
        near = distance(space.vectors(texts[start : start + TOGETHER]) @ to)
        places.append(near.argmin(axis=1))
        distances.append(near.min(axis=1))
    return np.concatenate(distances), np.concatenate(places)


def distance(similarities: Any) -> np.ndarray:
    """Cosine similarities, sparse or not, as rounded distances."""
    dense = similarities.toarray() if hasattr(similarities, "toarray") else np.asarray(similarities)
    found: np.ndarray = (1 - dense).clip(0, 1).round(DIGITS) + 0.0
    return found


def between(pairs: Sequence[tuple[str, str]], space: Space) -> np.ndarray:
    """The distance of the two texts of each pair."""
    one, other = space.vectors([a for a, _ in pairs]), space.vectors([b for _, b in pairs])
    return distance(np.asarray(one.multiply(other).sum(axis=1)).ravel()) if len(pairs) else np.empty(0)


def calibrated(distances: np.ndarray, same: np.ndarray, false_alarm_rate: float) -> dict[str, float]:
    """The distance up to which two texts are called the same, from pairs that people judged, and how often that is right.

    threshold: the greatest distance of a same pair within which at most `false_alarm_rate` of the different pairs lie, since every
    example is compared with thousands of conversations; recall: share of same pairs within it; false_alarm_rate: of different ones.
    Both kinds must be there.
    """
    at = np.unique(distances[same])
    false_alarms = (distances[~same][None] <= at[:, None]).mean(axis=1)
    allowed = at[false_alarms <= false_alarm_rate + 1e-9]
    threshold = float(allowed[-1]) if len(allowed) else 0.0
    return {
        "threshold": threshold,
        "recall": float((distances[same] <= threshold).mean()),
        "false_alarm_rate": float((distances[~same] <= threshold).mean()),
    }


def asked(candidates: pd.DataFrame) -> list[str]:
    """What the user asks in each row that has `input`: what it is compared by."""
    return [near_duplicates.asked(messages) for messages in candidates["input"]]


def last_seen(members: pd.DataFrame, candidates: pd.DataFrame, threshold: float, space: Space) -> pd.DataFrame:
    """When production last showed something like each example (schema.LAST_SEEN).

    `members`: example_id, source. `candidates` (schema.CANDIDATES) hold the pooled conversations and the scenarios, placeholders in
    place. A production example is itself in the pool, so it was seen at least when it happened.
    """
    logged = candidates[candidates["source"].isin(LOGGED)]
    days = logged["occurred_at"].dt.strftime("%Y-%m-%d").fillna("").to_numpy(str)
    own = candidates.set_index("example_id").reindex(members["example_id"])
    to = space.vectors(asked(logged)).T.tocsc()
    texts = asked(own)
    dates: list[str] = []
    near: list[float] = []
    for start in range(0, len(texts), TOGETHER):
        far = distance(space.vectors(texts[start : start + TOGETHER]) @ to)
        near += far.min(axis=1, initial=FARTHEST).tolist()
        dates += [max(days[row <= threshold], default="") for row in far]
    return pd.DataFrame({**members[["example_id", "source"]].to_dict("list"), "last_seen": dates, "distance": near})[schema.LAST_SEEN.names]
