import logging

import pytest
from presidio_analyzer import Pattern, PatternRecognizer, pattern_recognizer

from pipeline.pii import timeouts

CATASTROPHIC = r"(a|a)+$"
SLOW_ON = "a" * 40 + "!"


@pytest.fixture
def slow(monkeypatch):
    """A recognizer whose pattern takes longer than it may on `SLOW_ON`, and on nothing else."""
    monkeypatch.setattr(pattern_recognizer, "REGEX_TIMEOUT_SECONDS", 0.05)
    return PatternRecognizer("CODE", patterns=[Pattern("our codes", CATASTROPHIC, 0.5)])


def test_presidio_by_itself_goes_on_as_if_nothing_had_been_found(slow):
    assert slow.analyze(SLOW_ON, ["CODE"]) == []


@pytest.mark.parametrize("level", [logging.NOTSET, logging.CRITICAL])
def test_a_pattern_that_takes_too_long_is_an_error_that_names_it_and_holds_no_text(slow, level, monkeypatch):
    monkeypatch.setattr(timeouts.LOGGER, "level", level)
    with timeouts.raised():
        assert [found.start for found in slow.analyze("aaa", ["CODE"])] == [0]
        with pytest.raises(timeouts.TimedOut, match=r"^our codes$"):
            slow.analyze(SLOW_ON, ["CODE"])
    assert timeouts.LOGGER.level == level
    assert slow.analyze(SLOW_ON, ["CODE"]) == []


def test_the_iban_check_s_timeout_is_one_too():
    with timeouts.raised(), pytest.raises(timeouts.TimedOut):
        timeouts.LOGGER.warning("IBAN format validation regex timed out after %s seconds.", 60, exc_info=True)


def test_other_warnings_are_none():
    with timeouts.raised():
        timeouts.LOGGER.warning("model %s is slow", "x")
