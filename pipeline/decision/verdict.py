"""Ship, hold or undecided: what the written costs of the two errors make of a probability.

Berger, J. O. (1985), Statistical Decision Theory and Bayesian Analysis, section 4.4: shipping costs (1 - P) * cost_bad on average and
blocking P * cost_block, so shipping is cheaper where P >= cost_bad / (cost_bad + cost_block).
"""

from typing import Literal

DIGITS = 4
"""Probabilities are rounded before they decide, so that the last bits of a processor do not."""

Verdict = Literal["ship", "hold", "undecided"]
Status = Literal["met", "missed", "undecided"]


def strictness(cost_of_shipping_bad: float, cost_of_blocking_good: float) -> float:
    """q, the probability of being good from which shipping is the cheaper error. Costs are positive."""
    if not (cost_of_shipping_bad > 0 and cost_of_blocking_good > 0):
        raise ValueError("both costs are above 0")
    return cost_of_shipping_bad / (cost_of_shipping_bad + cost_of_blocking_good)


def status(probability: float, q: float) -> Status:
    """Whether a clause, or all of them, hold: met from q on, missed up to the smaller of q and 1 - q."""
    rounded = round(probability, DIGITS)
    if rounded >= round(q, DIGITS):
        return "met"
    return "missed" if rounded <= round(min(q, 1 - q), DIGITS) else "undecided"


def decide(probability_all_met: float, q: float, regression: bool) -> Verdict:
    """Ship where all clauses hold probably enough and nothing got worse; hold where they do not, or something did."""
    found = status(probability_all_met, q)
    if regression or found == "missed":
        return "hold"
    return "ship" if found == "met" else "undecided"
