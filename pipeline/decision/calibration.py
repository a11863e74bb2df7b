"""How far a stated confidence can be believed.

Brier, G. W. (1950), Verification of forecasts expressed in terms of probability, Monthly Weather Review 78(1), 1-3.
Naeini, M. P., Cooper, G. F. and Hauskrecht, M. (2015), Obtaining well calibrated probabilities using Bayesian binning, AAAI.
"""

import numpy as np

BINS = 10


def brier(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Mean squared distance between confidence and what happened: 0 is best; 0.25 is what a constant one half gets."""
    return float(np.mean((confidence - correct) ** 2))


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Distance between mean confidence and share correct in ten equally wide bins, weighted by their size: 0 is best."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(bins, confidence - correct)).sum() / len(confidence))
