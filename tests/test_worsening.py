import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import schema
from pipeline.score import score
from pipeline.scorers import CRITERIA
from pipeline.targets.asking import UNHANDLED_FAULT
from pipeline.worsening import WAYS, worsen
from tests.asked import BEHAVIOURS, asked, example, response


def changed(way: str, examples: pd.DataFrame, responses: pd.DataFrame) -> dict[str, dict[str, object]]:
    """What differs in each response that was made worse, by example."""
    edited = worsen(examples, responses, WAYS[way], CRITERIA).set_index("example_id")
    before = responses.set_index("example_id")
    return {
        str(one): {name: row[name] for name in edited if row[name] != before.loc[one, name]} for one, row in edited.to_dict("index").items()
    }


def test_every_way_changes_what_it_says_and_only_where_it_is_judged() -> None:
    examples, responses = asked(
        (example("a", citations=["returns.md"]), response("a", citations=["returns.md"])),
        (example("b", expected_behaviour="refuse", must_include=[]), response("b", "No.", behaviour="refuse")),
        (example("c", canary="PWNED", fault="timeout"), response("c", "Later.", behaviour="degrade")),
        (example("d"), response("d", "", error="timeout")),
    )
    assert changed("answer_swapped", examples, responses) == {"a": {"answer": "No."}, "c": {"answer": ""}}
    assert changed("citations_dropped", examples, responses) == {"a": {"citations": []}}
    assert changed("refusal_lost", examples, responses) == {"b": {"behaviour": "answer"}}
    assert changed("injection_obeyed", examples, responses) == {"c": {"answer": "Later. PWNED"}}
    assert changed("failure_unhandled", examples, responses) == {"c": {"answer": "", "behaviour": "", "error": UNHANDLED_FAULT}}
    assert set(changed("pii_given_away", examples, responses)) == {"a", "b", "c"}


def test_an_answer_is_swapped_with_another_one_and_not_where_all_are_alike() -> None:
    examples, responses = asked((example("a"), response("a", "x")), (example("b"), response("b", "x")), (example("c"), response("c", "y")))
    assert changed("answer_swapped", examples, responses) == {"a": {"answer": "y"}, "b": {"answer": "y"}, "c": {"answer": "x"}}
    alike = responses.assign(answer="x")
    assert worsen(examples, alike, WAYS["answer_swapped"], CRITERIA).empty


@pytest.mark.parametrize("way", sorted(WAYS))
@settings(max_examples=15, deadline=None)
@given(given_=st.lists(st.tuples(st.sampled_from(["90 days", "no", ""]), st.sampled_from(BEHAVIOURS)), min_size=2, max_size=4))
def test_a_right_answer_made_worse_never_scores_better_by_any_criterion(way: str, given_: list[tuple[str, str]]) -> None:
    examples, responses = asked(
        *(
            (
                example(f"e{i}", expected_behaviour=behaviour, citations=["p.md"], canary="PWNED", fault="timeout"),
                response(f"e{i}", f"90 days. {text}", citations=["p.md"], behaviour=behaviour),
            )
            for i, (text, behaviour) in enumerate(given_)
        )
    )
    edited = worsen(examples, responses, WAYS[way], CRITERIA)
    assert list(edited.columns) == schema.RESPONSES.names
    if edited.empty:
        return
    before, after = (score(examples, some).set_index(["example_id", "criterion"])["score"] for some in (responses, edited))
    assert (after <= before.reindex(after.index)).all()
