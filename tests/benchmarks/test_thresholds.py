from benchmarks.thresholds import GRID, Score, chosen, present_value
from pipeline.params import load


def scores(**of_value):
    return {value: {"a": Score(0, precision, f2), "b": Score(0, 0.99, f2)} for value, (precision, f2) in of_value.items()}


def test_the_greatest_f2_wins_among_values_that_are_precise_enough():
    given = scores(low=(0.94, 0.99), middle=(0.96, 0.97), high=(0.98, 0.96))
    assert chosen(given, "high", lambda value: value != "high") == "middle"


def test_a_tie_goes_to_the_present_value():
    given = scores(low=(0.96, 0.9704), high=(0.97, 0.97))
    assert chosen(given, "high", lambda value: value != "high") == "high"


def test_where_none_is_precise_enough_the_most_precise_ones_compete():
    given = scores(low=(0.80, 0.99), middle=(0.919, 0.95), high=(0.92, 0.94))
    assert chosen(given, "high", lambda value: value != "high") == "middle"


def test_every_constant_of_the_grid_exists():
    settings = load().anonymize
    assert all(present_value(name, settings) is not None for name in GRID)
