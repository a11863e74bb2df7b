from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline import expectations, params
from pipeline.errors import InputError
from pipeline.yaml_models import build_model, read_model
from tests.conftest import ROOT


def edited(tmp_path: Path, *changes: tuple[str, object]) -> Path:
    """params.yaml with values set at dotted paths."""
    content = YAML(typ="safe").load(ROOT / "params.yaml")
    for path, value in changes:
        *parents, last = path.split(".")
        place = content
        for parent in parents:
            place = place[parent]
        place[last] = value
    YAML().dump(content, tmp_path / "params.yaml")
    return tmp_path / "params.yaml"


def test_the_repository_s_params_load():
    assert params.load(ROOT / "params.yaml").merge.size == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("merge.ratio", {}), r"merge\.ratio: unknown key; did you mean 'ratios'\?"),
        (("merge.ratios.expert", 0.4), r"merge\.ratios: the ratios sum to 1\.2; they must sum to 1"),
        (
            ("merge.ratios", {"production": 0.5, "experts": 0.5}),
            "unknown source 'experts'; known: production, expert, adversarial, synthetic",
        ),
        (("merge.size", -200), r"merge\.size: .*greater than 0"),
        (("merge.size", "200"), r"merge\.size: .*integer"),
        (("anonymize.entities.PRESON", {"threshold": 0.3}), "unknown entity type PRESON; known: "),
        (("anonymize.entities.PERSON.treshold", 0.3), r"anonymize\.entities\.PERSON\.treshold: unknown key; did you mean 'threshold'\?"),
        (("ingest.outcome.rules", [{"outcom": "error", "when": {}}]), r"rules\.0\.outcom: unknown key; did you mean 'outcome'\?"),
        (
            ("anonymize.recognizers", [{"name": "o", "entity_type": "ORDER_ID", "patterns": ["("], "surrogate": "#"}]),
            "not a regular expression",
        ),
        (("ingest.fields.user", "question"), "either turns .* or user"),
        (("evaluate.target.version", None), r"evaluate\.target\.version: .*string"),
        (("engine.kind", "slurm"), r"engine\.kind: .*'local'"),
    ],
)
def test_what_does_not_fit_is_one_line_with_the_key(change, message, tmp_path):
    path = edited(tmp_path, change)
    with pytest.raises(InputError, match=message) as caught:
        params.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named(tmp_path):
    content = YAML(typ="safe").load(ROOT / "params.yaml")
    del content["evaluate"]["target"]["version"]
    with pytest.raises(InputError, match=r"evaluate\.target\.version: missing; add it"):
        build_model("params.yaml", content, params.Params)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1,\n", r"line 2: not YAML"),
        (b"", "expected keys and values"),
        (b"\xff", "not UTF-8"),
        (None, "not there"),
        (b"a: 2026-02-30\n", "a date .* does not exist"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(content, message, tmp_path):
    path = tmp_path / "params.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_model(path, params.Params)


def test_yaml_is_read_as_dvc_reads_it(tmp_path):
    (tmp_path / "c.yaml").write_text("version: no\nvalues: {}\n")
    with pytest.raises(InputError, match="values: unknown key"):
        read_model(tmp_path / "c.yaml", expectations.Tagging)


def test_the_repository_s_expectations_load(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert expectations.load_contract().clauses
    assert expectations.load_coverage().dimensions
    assert expectations.load_tagging().dimensions
    assert expectations.load_labeling().dimensions
