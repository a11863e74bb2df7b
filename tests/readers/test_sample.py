from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.params import Sample
from pipeline.readers.mapping import Record
from pipeline.readers.sample import BottomK, Row, seats

OUTCOMES = ["error", "thumbs_down", "resolved", "unknown"]
FAILURES = frozenset({"error", "thumbs_down"})

samples = st.builds(Sample, per_file=st.integers(4, 20), failures_share=st.sampled_from([0.0, 0.3, 0.5, 1.0]))
logs = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.sampled_from(OUTCOMES)), max_size=80, unique_by=lambda log: log[0])
sizes = st.fixed_dictionaries({outcome: st.integers(0, 30) for outcome in OUTCOMES})


def rows(found: list[tuple[int, str]]) -> list[Row]:
    return [Row(line, f"p-{number:016x}", Record("id", None, outcome, [], "", [])) for line, (number, outcome) in enumerate(found, 1)]


def sampled(found: list[Row], sample: Sample) -> BottomK:
    kept = BottomK(OUTCOMES, FAILURES, sample)
    for row in found:
        kept.add(row)
    return kept


@given(logs, samples)
def test_weighted_counts_of_every_outcome_are_the_true_ones(found: list[tuple[int, str]], sample: Sample) -> None:
    kept = sampled(rows(found), sample)
    weights, counts = kept.weights(), Counter(row.record.outcome for row in kept.rows())
    assert {outcome: round(weights[outcome] * number, 9) for outcome, number in counts.items()} == Counter(outcome for _, outcome in found)


@given(logs, samples)
def test_what_stays_are_the_lowest_ids_of_every_outcome_in_the_order_of_lines(found: list[tuple[int, str]], sample: Sample) -> None:
    every = rows(found)
    given_seats = seats({outcome: sum(o == outcome for _, o in found) for outcome in OUTCOMES}, FAILURES, sample)
    expected = [
        row
        for outcome in OUTCOMES
        for row in sorted((r for r in every if r.record.outcome == outcome), key=lambda r: r.example_id)[: given_seats[outcome]]
    ]
    assert sampled(every, sample).rows() == sorted(expected)


@given(logs, samples)
def test_no_more_is_held_than_stays(found: list[tuple[int, str]], sample: Sample) -> None:
    kept = BottomK(OUTCOMES, FAILURES, sample)
    for row in rows(found):
        kept.add(row)
        assert sum(map(len, kept.heaps.values())) <= sample.per_file
    assert len(kept.rows()) == min(len(found), sample.per_file)


@given(logs, logs, samples)
def test_new_logs_move_no_more_members_than_they_bring(found: list[tuple[int, str]], new: list[tuple[int, str]], sample: Sample) -> None:
    assume(not {number for number, _ in found} & {number for number, _ in new})
    before = {row.example_id for row in sampled(rows(found), sample).rows()}
    after = {row.example_id for row in sampled(rows(found + new), sample).rows()}
    came = after - before
    assert came <= {f"p-{number:016x}" for number, _ in new}
    assert len(before - after) <= len(came)


@given(sizes, samples)
def test_failures_come_first_and_rare_outcomes_are_kept_whole(found: dict[str, int], sample: Sample) -> None:
    given_seats = seats(found, FAILURES, sample)
    assert sum(given_seats.values()) == min(sample.per_file, sum(found.values()))
    assert all(min(found[outcome], 1) <= given_seats[outcome] <= found[outcome] for outcome in OUTCOMES)
    failed = sum(given_seats[outcome] for outcome in FAILURES)
    share = round(sample.per_file * sample.failures_share)
    assert failed >= min(sum(found[outcome] for outcome in FAILURES), share, sample.per_file - 2)
    for side in (FAILURES, set(OUTCOMES) - FAILURES):
        most = max(given_seats[outcome] for outcome in side)
        assert all(given_seats[outcome] in (found[outcome], most, most - 1) for outcome in side)


@given(sizes, st.sampled_from(OUTCOMES), samples)
def test_when_an_outcome_grows_no_full_one_gains(found: dict[str, int], growing: str, sample: Sample) -> None:
    before = seats(found, FAILURES, sample)
    after = seats(found | {growing: found[growing] + 1}, FAILURES, sample)
    assert all(after[outcome] <= before[outcome] for outcome in OUTCOMES if outcome != growing)
    assert after[growing] <= before[growing] or before[growing] == found[growing]
