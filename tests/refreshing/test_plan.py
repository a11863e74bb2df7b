import json
import string

import pandas as pd
import pytest

from pipeline import schema, tables
from pipeline.errors import InputError
from pipeline.monitoring import nearest
from pipeline.params import Refresh
from pipeline.refreshing import asked_for, combinations, plan
from tests.frames import frame, said

EIGHT = {"ads": 36, "bags": 9, "cups": 30, "dogs": 24, "eggs": 33, "figs": 15, "gold": 27, "hats": 3}
"""Category to its failures among 40 conversations."""
COVERED = ("ads", "cups", "figs")
SETTINGS = Refresh(window=320, dimensions=["category"], tags=1, min_support=15, covered_by=3, records=3)
WORDS = [letter * 6 for letter in string.ascii_lowercase]
DAY = pd.Timedelta(days=1)
FIRST = pd.Timestamp("2026-01-01T12:00:00Z").as_unit("us")


def traffic(failures=EIGHT, count=40, days=212):
    """Candidates and tags: of each category `count` conversations, the first so many of them failed."""
    ids = [(name, n) for n in range(count) for name in failures]
    rows = [
        {
            "example_id": f"p-{name}-{n:02d}",
            "failed": n < failures[name],
            "input": said(f"{WORDS[place % 26]} {WORDS[place // 26]} of {name}"),
            "occurred_at": FIRST + place * days * DAY / len(ids),
        }
        for place, (name, n) in enumerate(ids)
    ]
    tags = [{"example_id": f"p-{name}-{n:02d}", "dimension": "category", "value": name} for name, n in ids]
    return frame(schema.CANDIDATES, rows), frame(schema.TAGS, tags)


def in_dataset(names=COVERED, each=3, **fields):
    return frame(
        schema.MEMBERS, [{"example_id": f"p-{name}-{n:02d}", "slices": f"category={name}", **fields} for name in names for n in range(each)]
    )


def made(found, tags, members, seen=None, labelled=frozenset(), entries=(), settings=SETTINGS):
    return plan.make(found, tags, members, labelled, seen, entries, settings, 0.8, 7)


def test_of_eight_categories_the_five_that_are_not_covered_are_named_in_order_of_their_failures():
    found = made(*traffic(), in_dataset())
    assert [one.slice for one in found.combinations] == [f"category={name}" for name in ("eggs", "gold", "dogs", "bags", "hats")]
    assert [(one.failures, one.conversations, one.failure_rate) for one in found.combinations][:2] == [(33, 40, 0.825), (27, 40, 0.675)]
    assert [one.slice for one in found.covered] == ["category=ads", "category=cups", "category=figs"]


def test_a_combination_asks_for_failures_that_are_neither_labelled_nor_in_the_dataset():
    found, tags = traffic()
    labelled = frozenset(f"p-eggs-{n:02d}" for n in range(31))
    asked = made(found, tags, in_dataset(("hats",), 1), labelled=labelled)
    by_slice = {one.slice: set(one.wanted) for one in asked.combinations}
    assert by_slice["category=eggs"] == {"p-eggs-31", "p-eggs-32"}
    assert by_slice["category=hats"] == {"p-hats-01", "p-hats-02"}
    assert set(asked.wanted) == set().union(*by_slice.values())
    assert set(asked.wanted) <= set(found.loc[found["failed"], "example_id"])


def test_no_conversation_is_asked_for_that_reads_like_one_in_the_dataset_or_another_asked_for():
    found, tags = traffic({"ads": 40})
    same = found["example_id"].isin([f"p-ads-{n:02d}" for n in (0, *range(5, 40))])
    found = found.assign(input=[said("My parcel never came, where is it?") if s else i for s, i in zip(same, found["input"], strict=True)])
    settings = SETTINGS.model_copy(update={"window": 40, "covered_by": 30, "records": 20})
    assert set(made(found, tags, in_dataset(("ads",), 1), settings=settings).wanted) == {f"p-ads-0{n}" for n in range(1, 5)}
    assert len(made(found, tags, in_dataset(("hats",), 1), settings=settings).wanted) == 5


def test_few_conversations_must_fail_more_often_to_stand_as_high():
    found, tags = traffic({"many": 30, "few": 12})
    few = found[~((found["example_id"].str.contains("few")) & (found["example_id"].str[-2:].astype(int) >= 15))]
    ranked = combinations.ranked(few, tags, frozenset(), SETTINGS)
    assert [(one.slice, one.failure_rate) for one in ranked] == [("category=many", 0.75), ("category=few", 0.8)]
    assert len(combinations.ranked(few, tags, frozenset(), SETTINGS.model_copy(update={"min_support": 16}))) == 1


def test_of_nested_combinations_the_one_that_ranks_higher_stands_for_both():
    found, tags = traffic({"ads": 30, "bags": 2})
    tones = [{"example_id": i, "dimension": "tone", "value": "urgent"} for i in found["example_id"] if "ads" in i]
    both = tables.concat([tags, frame(schema.TAGS, tones)], schema.TAGS)
    settings = SETTINGS.model_copy(update={"window": 80, "tags": 2, "dimensions": ["category", "tone"]})
    chosen, _ = combinations.split(combinations.ranked(found, both, frozenset(), settings), settings)
    assert [one.slice for one in chosen] == ["category=ads", "tone=urgent", "category=bags"]


def test_conversations_count_for_as_many_as_they_were_sampled_from():
    found, tags = traffic({"ads": 20})
    weighted = found.assign(inclusion_weight=[1.0 if failed else 3.0 for failed in found["failed"]])
    (one,) = combinations.ranked(weighted, tags, frozenset(), SETTINGS)
    (plain,) = combinations.ranked(found, tags, frozenset(), SETTINGS)
    assert (one.failure_rate, plain.failure_rate) == (0.25, 0.5)
    assert one.high - one.low > 0.2


def test_a_window_longer_than_the_history_and_an_unknown_dimension_are_one_line():
    found, tags = traffic()
    with pytest.raises(InputError, match=r"refresh\.window: 321 conversations wanted and the pool has 320"):
        combinations.window(found, 321)
    with pytest.raises(InputError, match="carry no time"):
        combinations.window(found.assign(occurred_at=pd.NaT), 3)
    with pytest.raises(InputError, match=r"nothing is tagged with 'tone'; known here: category"):
        combinations.ranked(found, tags, frozenset(), SETTINGS.model_copy(update={"dimensions": ["tone"]}))


def test_the_window_holds_the_newest_alone():
    found, _ = traffic()
    newest = combinations.window(found.sample(frac=1, random_state=1), 10)
    assert set(newest["example_id"]) == set(found.sort_values("occurred_at")["example_id"][-10:])


def seen_of(members, gone=(), last="2026-07-30", long_ago="2026-01-20"):
    """Production showed nothing near those `gone` after January."""
    rows = [
        {"example_id": i, "source": s, "last_seen": long_ago if i in gone else last, "distance": 0.1}
        for i, s in zip(members["example_id"], members["source"], strict=True)
    ]
    return frame(schema.LAST_SEEN, rows) if rows else tables.empty(schema.LAST_SEEN)


def vanished():
    """Twenty production examples of one topic, twenty of another, and ten of an expert and of pinned ones each; one topic is gone."""
    found, tags = traffic({"ads": 20, "bags": 30}, count=40)
    topics = in_dataset(("ads", "bags"), 20)
    other = frame(
        schema.MEMBERS,
        [{"example_id": f"e-{n}", "source": "expert"} for n in range(10)]
        + [{"example_id": f"p-r-{n}", "source": "regression"} for n in range(10)],
    )
    old = frame(
        schema.CANDIDATES,
        [
            {"example_id": i, "source": s, "input": said("x"), "occurred_at": FIRST}
            for i, s in zip(other["example_id"], other["source"], strict=True)
        ],
    )
    # The vanished topic's own conversations are old.
    old_ones = found["example_id"].isin(topics.loc[topics["slices"] == "category=ads", "example_id"])
    found = found.assign(occurred_at=found["occurred_at"].where(~old_ones, FIRST + 5 * DAY))
    members = tables.concat([topics, other], schema.MEMBERS)
    gone = {i for i in members["example_id"] if "bags" not in i}
    return tables.concat([found, old], schema.CANDIDATES), tags, members, seen_of(members, gone)


def test_the_twenty_examples_whose_topic_vanished_retire_and_no_other():
    found, tags, members, seen = vanished()
    settings = SETTINGS.model_copy(update={"window": 80})
    retired = made(found, tags, members, seen, settings=settings).retire
    assert [one.example_id for one in retired] == [f"p-ads-{n:02d}" for n in range(20)]
    assert {one.last_seen for one in retired} == {"2026-01-20"}
    assert all("nothing near it after 2026-01-20" in one.reason for one in retired)
    exempt = settings.model_copy(update={"exempt": ["production", "expert"]})
    assert not made(found, tags, members, seen, settings=exempt).retire
    keep = settings.model_copy(update={"keep": ["p-ads-04"]})
    assert len(made(found, tags, members, seen, settings=keep).retire) == 19
    unbound = made(found, tags, members, seen, settings=settings.model_copy(update={"exempt": []})).retire
    assert {one.source for one in unbound} == {"production", "expert"}


def test_with_what_production_was_seen_to_show_the_vanished_topic_retires_and_no_other():
    """Twenty conversations of a topic that customers stopped asking about in January, twenty of one that they still do."""
    texts = {"ads": "Why does the banner on your page follow me around?", "bags": "The zip of my backpack broke on the first day."}
    found, tags, members, _ = vanished()
    gone = found["example_id"].str.startswith("p-ads")
    told = [said(texts["ads" if g else "bags"] + f" {i[-2:]}") for g, i in zip(gone, found["example_id"], strict=True)]
    found = found.assign(input=told, occurred_at=found["occurred_at"].where(~gone, FIRST + 5 * DAY))
    space = nearest.Space.of(nearest.asked(found))
    seen = nearest.last_seen(members, found, 0.4, space)
    retired = made(found, tags, members, seen, settings=SETTINGS.model_copy(update={"window": 80})).retire
    assert [one.example_id for one in retired] == [f"p-ads-{n:02d}" for n in range(20)]
    assert {one.last_seen for one in retired} == {"2026-01-06"}


def test_nothing_retires_that_is_younger_than_the_term_or_where_the_pool_is():
    found, tags, members, seen = vanished()
    settings = SETTINGS.model_copy(update={"window": 80})
    young = found.assign(occurred_at=found["occurred_at"].where(found["example_id"] != "p-ads-03", FIRST + 200 * DAY))
    never = seen.assign(
        last_seen=["" if i.startswith("p-ads") else day for i, day in zip(seen["example_id"], seen["last_seen"], strict=True)]
    )
    ids = [one.example_id for one in made(young, tags, members, never, settings=settings).retire]
    assert len(ids) == 19
    assert "p-ads-03" not in ids
    long_term = made(found, tags, members, seen, settings=settings.model_copy(update={"retire_after_days": 400}))
    assert not long_term.retire
    assert "the pool spans 209 days" in plan.page(long_term, "shop")


def test_the_same_data_give_the_same_plan_whatever_their_order_and_it_names_its_date():
    found, tags, members, seen = vanished()
    settings = SETTINGS.model_copy(update={"window": 80})
    one = made(found, tags, members, seen, settings=settings)
    other = made(*(f.sample(frac=1, random_state=3) for f in (found, tags, members, seen)), settings=settings)
    assert json.dumps(one.as_json()) == json.dumps(other.as_json())
    assert plan.page(one, "shop") == plan.page(other, "shop")
    assert plan.page(one, "shop").startswith("# Refresh of shop, 2026-07-29\n")


def test_a_quarter_owes_what_it_has_not_written_of_the_attack_with_the_fewest(attack):
    chosen = made(*traffic(), in_dataset()).combinations
    entries = [attack(f"a-{n}", "2026-Q3" if n < 7 else "2026-Q2", "ambiguous") for n in range(9)]
    due = plan.owed(entries, chosen, pd.Timestamp("2026-08-01"), SETTINGS)
    assert (due["cycle"], due["written"], due["owed_at_least"], due["owed_at_most"]) == ("2026-Q3", 7, 3, 13)
    assert [one["attack"] for one in due["write"]] == ["prompt_injection", "simulated_failure", "prompt_injection"]
    assert [one["slice"] for one in due["write"]] == ["category=eggs", "category=gold", "category=dogs"]
    none = plan.owed(entries * 3, chosen, pd.Timestamp("2026-08-01"), SETTINGS)
    assert (none["owed_at_least"], none["owed_at_most"], none["write"]) == (0, 0, [])


@pytest.fixture
def attack(tmp_path):
    from pipeline.sources import Adversarial, Expect

    def one(example_id, cycle, kind):
        return tmp_path, Adversarial(
            id=example_id,
            added="2026-01-20",
            input="Hi",
            author="Lena",
            attack=kind,
            cycle=cycle,
            why="w",
            expect=Expect(behaviour="refuse"),
        )

    return one


def test_what_is_wanted_keeps_its_reason_and_date_and_goes_once_it_is_labelled():
    before = frame(
        schema.WANTED,
        [{"example_id": "p-1", "reason": "r", "since": "2026-05-01"}, {"example_id": "p-2", "reason": "r", "since": "2026-05-01"}],
    )
    after = asked_for.with_(before, {"p-1": "new", "p-3": "new"}, "2026-08-01", frozenset({"p-2"}))
    assert after.to_dict("records") == [
        {"example_id": "p-1", "reason": "r", "since": "2026-05-01"},
        {"example_id": "p-3", "reason": "new", "since": "2026-08-01"},
    ]
