import numpy as np
import pytest

from pipeline.decision.calibration import brier, expected_calibration_error


def test_certain_and_right_is_perfect() -> None:
    confidence, correct = np.array([1.0, 0.0]), np.array([1.0, 0.0])
    assert brier(confidence, correct) == 0
    assert expected_calibration_error(confidence, correct) == 0


def test_a_constant_half_scores_a_quarter_and_is_calibrated_where_half_is_right() -> None:
    confidence, correct = np.full(4, 0.5), np.array([1.0, 0.0, 1.0, 0.0])
    assert brier(confidence, correct) == 0.25
    assert expected_calibration_error(confidence, correct) == 0


def test_bins_are_weighted_by_their_size() -> None:
    confidence, correct = np.array([0.95, 0.95, 0.95, 0.15]), np.array([1.0, 0.0, 0.0, 0.0])
    assert expected_calibration_error(confidence, correct) == pytest.approx((3 * abs(0.95 - 1 / 3) + 0.15) / 4)
