"""A labelling standard of two versions and records to label, for the tests of this folder."""

from pipeline import schema
from pipeline.expectations import Labeling
from tests.frames import frame, said

TEXT = {"kind": "expectation", "scale": "texts", "criteria": "facts & figures", "decision_rule": "approved"}
NOMINAL = {"scale": "nominal", "criteria": "by the `page`", "decision_rule": "consensus"}
STANDARD = Labeling.model_validate(
    {
        "version": "2",
        "changed": "2026-03-01",
        "changelog": [
            {"version": "1", "changed": "2026-01-01", "what": "first"},
            {"version": "2", "changed": "2026-03-01", "what": "hand-overs <count>"},
        ],
        "annotators": ["amara", "bjorn", "chen"],
        "adjudicators": ["dana"],
        "dimensions": {
            "resolved": {**NOMINAL, "kind": "judgement", "version": "2", "values": {"yes": "done", "no": "not done"}, "min_agreement": 0.7},
            "expected.behaviour": {
                **NOMINAL,
                "kind": "expectation",
                "values": {"answer": "say it", "refuse": "decline"},
                "boundary_cases": [{"input": "May I <b>?", "value": "answer", "because": "It asks for the `rule`."}],
            },
            "expected.must_include": TEXT,
        },
    }
)


def candidates(count=6, **columns):
    rows = [
        {"example_id": f"p-{n}", "text_sha": f"t{n}", "input": said(f"question {n}"), "response": "=reply", "fixtures": '{"order":1}'}
        for n in range(count)
    ]
    return frame(schema.CANDIDATES, [{**row, **columns} for row in rows])


def labels(*rows):
    """Rows of (example_id, dimension, value, annotator), made on one day under version 2."""
    names = ("example_id", "dimension", "value", "annotator")
    plain = {"standard_version": "2", "labelled_at": "2026-04-01"}
    return frame(schema.LABELS, [{**plain, **dict(zip(names, row, strict=True))} for row in rows])
