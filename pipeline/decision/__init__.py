"""What the figures mean: intervals, calibration and, built on them, decisions. Pure functions of numbers."""
