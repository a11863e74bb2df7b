"""The classifier that tags where rules are unsure: learnt anew at every run from what annotators agreed on, and kept nowhere.

Word and character n-grams of what the user wrote, weighted by TF-IDF; a logistic regression a value; probabilities calibrated by Platt's
sigmoid on folds that the model did not see (scikit-learn's CalibratedClassifierCV). Because nothing of it is stored, a conversation
that is erased leaves it with its text and its labels.

What can never happen: a figure about a text that the model had learnt from; a decision on an unrounded probability; two copies of
one text on both sides of a fold.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

from pipeline.identity import stable_order
from pipeline.near_duplicates import normalized
from pipeline.pii.spans import PLACEHOLDER

FOLDS = 4
LEAST_OF_A_VALUE = 2 * FOLDS
"""A value with fewer different labelled texts is not learnt: a fold could be without it."""
DIGITS = 3
"""Probabilities are rounded to so many before anything is decided: the optimum is the same on every processor to far more."""
AT_ONCE = 20_000
"""So many texts are turned into features at a time, which bounds memory."""


@dataclass(frozen=True)
class Guess:
    """What the classifier says of some texts: a value and its probability for each; no value where it was not asked."""

    values: list[str]
    confidence: np.ndarray


def texts(conversations: Sequence[list[dict[str, str]]]) -> pd.DataFrame:
    """What the classifier reads of each conversation: `last`, the last turn of the user, and `earlier`, those before; placeholders blanked."""
    said = [[PLACEHOLDER.sub(" ", m["content"]) for m in messages if m["role"] == "user"] for messages in conversations]
    return pd.DataFrame({"last": [turns[-1] for turns in said], "earlier": ["\n".join(turns[:-1]) for turns in said]})


def learnable(read: pd.DataFrame, values: pd.Series, least: int = LEAST_OF_A_VALUE) -> np.ndarray:
    """Which of the labelled texts can be learnt from, as booleans: those of values that `least` different texts have."""
    keys = pd.Series(_keys(read), index=values.index)
    different = keys.groupby(values.to_numpy()).nunique()
    return np.asarray(values.map(different >= least), dtype=bool)


def learn(read: pd.DataFrame, values: pd.Series) -> CalibratedClassifierCV:
    """A calibrated classifier of `values` (all of them learnable, two or more), one for each row of `read`."""
    folds = _folds(read, values)
    splits = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(FOLDS)]
    with _one_thread():
        return CalibratedClassifierCV(_model(), method="sigmoid", cv=splits, ensemble=False).fit(read, values.to_numpy(dtype=object))


def guess(model: CalibratedClassifierCV, read: pd.DataFrame) -> Guess:
    """What `model` says of each row of `read`."""
    parts = []
    with _one_thread():
        for start in range(0, len(read), AT_ONCE):
            parts.append(model.predict_proba(read.iloc[start : start + AT_ONCE]).round(DIGITS))
    probabilities = np.concatenate(parts) if parts else np.empty((0, len(model.classes_)))
    # The first of equal ones, in the order of the alphabet.
    return Guess([str(value) for value in model.classes_[probabilities.argmax(1)]], probabilities.max(1, initial=0.0))


def out_of_fold(read: pd.DataFrame, values: pd.Series) -> Guess:
    """What a classifier says of each labelled text that learnt, and was calibrated, on the other folds alone."""
    folds = _folds(read, values)
    found, confidence = [""] * len(read), np.zeros(len(read))
    for fold in range(FOLDS):
        inside = np.flatnonzero(folds == fold)
        others = folds != fold
        rest, told = read[others].reset_index(drop=True), values[others].reset_index(drop=True)
        known = learnable(rest, told, FOLDS)
        if told[known].nunique() < 2:
            continue
        said = guess(learn(rest[known].reset_index(drop=True), told[known].reset_index(drop=True)), read.iloc[inside])
        for place, value, sure in zip(inside, said.values, said.confidence, strict=True):
            found[place], confidence[place] = value, sure
    return Guess(found, confidence)


def _model() -> Pipeline:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, min_df=2)
    before = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w\w+\b|^$")
    parts = [("words", words, "last"), ("letters", letters, "last"), ("earlier", before, "earlier")]
    return make_pipeline(ColumnTransformer(parts), OneVsRestClassifier(LogisticRegression(C=10, tol=1e-8, solver="liblinear")))


def _folds(read: pd.DataFrame, values: pd.Series) -> np.ndarray:
    """A fold for each labelled text: fixed by the text alone, copies together, every value spread evenly."""
    keys = _keys(read)
    of_key: dict[str, int] = {}
    for value in sorted(set(values)):
        distinct = sorted({key for key, one in zip(keys, values, strict=True) if one == value and key not in of_key})
        for place, key in enumerate(sorted(distinct, key=lambda key: stable_order(0, key))):
            of_key[key] = place % FOLDS
    return np.array([of_key[key] for key in keys])


def _keys(read: pd.DataFrame) -> list[str]:
    """Equal for two texts that are copies of each other."""
    return [normalized(f"{earlier} {last}") for last, earlier in zip(read["last"], read["earlier"], strict=True)]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums in one order, and no threads that wait for each other where other processes work."""
    with threadpool_limits(1):
        yield
