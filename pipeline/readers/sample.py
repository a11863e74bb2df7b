"""Which records of a file stay where `ingest.sample` is set: of every outcome a random part of known size, failures first."""

import heapq
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.params import Sample
from pipeline.readers.mapping import Record


class Row(NamedTuple):
    line: int
    example_id: str
    record: Record


class BottomK:
    """The sample of one file as it is read: of every outcome the records with the lowest example ids, `seats` of them.

    The example id is a keyed hash of the log id, so that the choice is random, is the same in every run, and moves little when
    logs come. No more than `per_file` records are held.
    """

    def __init__(self, outcomes: Iterable[str], failures: frozenset[str], sample: Sample):
        self.sizes = dict.fromkeys(outcomes, 0)
        self.failures = failures
        self.sample = sample
        self.heaps: dict[str, list[tuple[int, Row]]] = {outcome: [] for outcome in self.sizes}

    def add(self, row: Row) -> None:
        outcome = row.record.outcome
        heap = self.heaps[outcome]
        entry = (-int(row.example_id[2:], 16), row)
        is_full = self.sizes[outcome] > len(heap)
        self.sizes[outcome] += 1
        if is_full:
            heapq.heappushpop(heap, entry)
            return
        heapq.heappush(heap, entry)
        if sum(map(len, self.heaps.values())) > self.sample.per_file:
            # An outcome never wins seats back as others grow (see `seats`), so what is let go here is never missed.
            for name, seated in seats(self.sizes, self.failures, self.sample).items():
                while len(self.heaps[name]) > seated:
                    heapq.heappop(self.heaps[name])

    def rows(self) -> list[Row]:
        """What stays, in the order of lines."""
        return sorted(row for heap in self.heaps.values() for _, row in heap)

    def weights(self) -> dict[str, float]:
        """By outcome, how many logged conversations one kept record stands for."""
        return {outcome: self.sizes[outcome] / len(heap) for outcome, heap in self.heaps.items() if heap}


def seats(sizes: dict[str, int], failures: frozenset[str], sample: Sample) -> dict[str, int]:
    """How many records of each outcome stay, given how many there are of every possible one.

    Failures come first, up to their share; what one side leaves the other takes. Within a side the seats are even, as far as the
    outcomes have records, so that a rare one is kept whole. Every outcome that occurs has one. When an outcome grows, no other gains.
    """
    failed = {outcome: size for outcome, size in sizes.items() if outcome in failures}
    others = {outcome: size for outcome, size in sizes.items() if outcome not in failures}
    share = min(max(round(sample.per_file * sample.failures_share), len(failed)), sample.per_file - len(others))
    for_failures = min(sum(failed.values()), max(share, sample.per_file - sum(others.values())))
    return _evenly(failed, for_failures) | _evenly(others, sample.per_file - for_failures)


def _evenly(sizes: dict[str, int], total: int) -> dict[str, int]:
    """`total` seats one at a time to the outcome that has fewest and still has records, the first named first."""
    level, left, waiting = 0, total, sorted(sizes.values())
    while waiting and left >= (waiting[0] - level) * len(waiting):
        left -= (waiting[0] - level) * len(waiting)
        level = waiting.pop(0)
    if waiting:
        more, left = divmod(left, len(waiting))
        level += more
    else:
        left = 0
    given = {}
    for outcome, size in sizes.items():
        extra = size > level and left > 0
        left -= extra
        given[outcome] = min(size, level) + extra
    return given
