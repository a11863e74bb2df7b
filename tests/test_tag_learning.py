import pandas as pd
import pytest

from pipeline import schema, tag_learning
from pipeline.errors import InputError
from pipeline.expectations import Labeling, Tagging
from pipeline.yaml_models import build_model
from tests.frames import frame, said


def standard(**classifier):
    dimension = {"meaning": "m", "values": ["billing", "shipping"], "default": "billing"}
    many = {"meaning": "m", "values": ["pii"], "multiple": True}
    return build_model("t", {"version": "1", "dimensions": {"category": dimension | classifier, "risk": many}}, Tagging)


def labeling(name, *values):
    dimension = {
        "kind": "judgement",
        "scale": "nominal",
        "values": dict.fromkeys(values, "c"),
        "criteria": "c",
        "decision_rule": "majority",
    }
    return build_model("l", {"version": "1", "changed": "2026-01-01", "dimensions": {name: dimension}}, Labeling)


def world(count=60):
    """Conversations about money and parcels whose rules know only half of them; every second one is labelled."""
    rows, tags, agreed = [], [], []
    for n in range(count):
        value, words = [("billing", "invoice money charged"), ("shipping", "parcel courier late")][n % 2]
        rows.append({"example_id": f"p-{n:03}", "input": said(f"{words} {'abcdefghij'[n // 2 % 10] * (n // 20 + 2)}")})
        origin, confidence = ("rule", 0.995) if n % 3 else ("default", 0.0)
        tags.append(
            {
                "example_id": f"p-{n:03}",
                "dimension": "category",
                "value": value if n % 3 else "billing",
                "origin": origin,
                "confidence": confidence,
            }
        )
        if n < count * 2 // 3:
            agreed.append((f"p-{n:03}", "category", value))
    return frame(schema.CANDIDATES, rows), frame(schema.TAGS, tags), pd.DataFrame(agreed, columns=["example_id", "dimension", "value"])


WITH_CLASSIFIER = standard(classifier={"min_labels": 20, "min_confidence": 0.5})


def test_the_classifier_corrects_a_default_and_leaves_a_rule_that_is_surer():
    found, tags, agreed = world()
    after, _ = tag_learning.learn(found, tags, agreed, WITH_CLASSIFIER)
    after = after.set_index("example_id")
    default = [i for i in tags.loc[tags["origin"] == "default", "example_id"] if i >= "p-040"]
    assert {(after.loc[i, "origin"], after.loc[i, "value"]) for i in default if int(i[2:]) % 2} == {("classifier", "shipping")}
    assert (after.loc[default, "confidence"] < 1).all()
    assert after.loc["p-041", "origin"] == "rule"


def test_what_annotators_agreed_on_stands_except_over_an_author():
    found, tags, agreed = world(4)
    tags.loc[0, "origin"] = "author"
    agreed["value"] = "shipping"
    after, numbers = tag_learning.learn(found, tags, agreed, standard())
    assert after.set_index("example_id").loc["p-000", ["value", "origin"]].tolist() == ["billing", "author"]
    assert after.set_index("example_id").loc["p-001", ["value", "origin", "confidence"]].tolist() == ["shipping", "label", 1.0]
    assert numbers["category"]["labelled"] == 2


def test_the_classifier_is_measured_beside_the_rules_alone():
    found, tags, agreed = world()
    _, numbers = tag_learning.learn(found, tags, agreed, WITH_CLASSIFIER)
    category = numbers["category"]
    # Every sixth of these is about a parcel while its default says money.
    assert category["rules"]["accuracy"] == pytest.approx(33 / 40)
    assert category["rules_and_classifier"]["accuracy"] > category["rules"]["accuracy"]
    assert category["rules"]["by_origin"]["default"] == {"n": 14, "accuracy": 0.5}
    assert 0 <= category["classifier"]["brier"] < 0.25
    assert sum(category["tags"].values()) == 60
    assert numbers["risk"] == {"labelled": 0, "tags": {}}


def test_with_too_few_labels_rules_stand_alone():
    found, tags, agreed = world()
    after, numbers = tag_learning.learn(found, tags, agreed.head(19), WITH_CLASSIFIER)
    assert set(after["origin"]) == {"rule", "default", "label"}
    assert "classifier" not in numbers["category"]


def test_a_conversation_that_is_erased_leaves_the_classifier_too(tmp_path, monkeypatch):
    """It is learnt anew at every run from what is there, and nothing of it is kept, in memory or in a file."""
    monkeypatch.chdir(tmp_path)
    found, tags, agreed = world()
    without_it = [table[table["example_id"] != "p-007"].reset_index(drop=True) for table in (found, tags, agreed)]
    never, _ = tag_learning.learn(*without_it, WITH_CLASSIFIER)
    with_it, _ = tag_learning.learn(found, tags, agreed, WITH_CLASSIFIER)
    erased, _ = tag_learning.learn(*without_it, WITH_CLASSIFIER)
    pd.testing.assert_frame_equal(erased, never)
    learnt, unlearnt = (rows.loc[rows["origin"] == "classifier", "confidence"].tolist() for rows in (with_it, erased))
    assert learnt != unlearnt
    assert list(tmp_path.iterdir()) == []


def test_only_logged_conversations_teach():
    found, tags, agreed = world()
    authored = found.assign(source="expert")
    after, numbers = tag_learning.learn(authored, tags, agreed, WITH_CLASSIFIER)
    assert numbers["category"]["labelled"] == 0
    assert set(after["origin"]) == {"rule", "default"}


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("tag.categry", ["billing"], "no such dimension in tagging.yaml; known: category, risk"),
        ("tag.category", ["billing", "bills"], "bills is not in tagging.yaml"),
        ("tag.risk", ["pii"], "multiple in tagging.yaml"),
    ],
)
def test_a_label_dimension_that_does_not_fit_the_tags_is_refused(name, values, message):
    with pytest.raises(InputError, match=message):
        tag_learning.check(pd.DataFrame({"dimension": ["faithful", name]}), labeling(name, *values), standard())
    tag_learning.check(pd.DataFrame({"dimension": ["faithful"]}), labeling(name, *values), standard())
