"""When the next request may be sent, and whether and when one that failed may be sent again. The only place that retries.

What may pass is asked again: no answer in time, a lost connection, a status that says so. The wait doubles from try to try, is drawn
by a seed, and is never shorter than the target's Retry-After, which holds all other requests too. Retries are bounded for each
question and in all, so that a run against a dead target ends: once they are spent and nothing is answered any more, it asks no more.
"""

import email.utils
import random
import time

import anyio

from pipeline.params import Evaluate, Retries
from pipeline.targets.question import Question

LEAST_FAILURES = 20
"""So many failures in a row, once the retries are spent, say that the target is dead; twice as many as are asked at once, if that is more."""


def retry_after_s(header: str | None, now_s: float) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date), from `now_s` since 1970; None for none."""
    if header is None:
        return None
    try:
        return max(0.0, float(header) if header.strip().isdigit() else email.utils.parsedate_to_datetime(header).timestamp() - now_s)
    except (TypeError, ValueError):
        return None


def wait_s(retries: Retries, question: Question, attempts: int, asked_for_s: float | None) -> float | None:
    """How long to wait after `attempts` failed ones: half to all of a time that doubles. None where that asked for is too long."""
    doubled = min(retries.longest_wait_s, retries.backoff_s * 2 ** (attempts - 1))
    share = random.Random(f"{retries.seed}/{question.example_id}/{question.epoch}/{attempts}").uniform(0.5, 1)
    if asked_for_s is None:
        return share * doubled
    return None if asked_for_s > retries.longest_wait_s else max(share * doubled, asked_for_s + share * retries.backoff_s)


class Pace:
    """What the questions of a run share: the rate, a target's wish to be left alone, and the retries that are left."""

    def __init__(self, wanted: Evaluate) -> None:
        self._retries = wanted.retries
        self._left = wanted.retries.in_all
        self._between_s = 60 / wanted.requests_per_minute if wanted.requests_per_minute else 0.0
        self._next_at = self._held_until = 0.0
        self._failed_in_a_row = 0
        self._dead_after = max(LEAST_FAILURES, 2 * wanted.concurrency)

    async def turn(self) -> None:
        """Return when the next request may be sent."""
        while True:
            now = time.monotonic()
            at = max(now, self._next_at)
            self._next_at = at + self._between_s
            await anyio.sleep(at - now)
            if at >= self._held_until:  # else the target asked to be left alone meanwhile
                return

    def answered(self) -> None:
        """The target gave an answer, be it a bad one."""
        self._failed_in_a_row = 0

    def again_in_s(self, question: Question, attempts: int, asked_for_s: float | None) -> float | None:
        """The seconds until `question`, whose `attempts` failed in a way that may pass, is asked again; None where it is not."""
        self._failed_in_a_row += 1
        if asked_for_s is not None and asked_for_s <= self._retries.longest_wait_s:
            self._held_until = max(self._held_until, time.monotonic() + asked_for_s)
            self._next_at = max(self._next_at, self._held_until)
        if attempts > self._retries.per_question or self._left == 0:
            return None
        if (seconds := wait_s(self._retries, question, attempts, asked_for_s)) is not None:
            self._left -= 1
        return seconds

    @property
    def is_hopeless(self) -> bool:
        """Whether the retries are spent and the target has long answered nothing."""
        return self._left == 0 and self._failed_in_a_row >= self._dead_after
