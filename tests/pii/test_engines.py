from pathlib import Path

import pytest
import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NoOpNlpEngine

from pipeline.errors import InputError
from pipeline.pii import engines

ENGINE = """\
nlp_engine_name: spacy
models:
  - {{lang_code: en, model_name: {model}}}
ner_model_configuration:
  model_to_presidio_entity_mapping: {{PERSON: PERSON, GPE: CITY, ORG: ORGANIZATION}}
  labels_to_ignore: [ORG]
"""
REGISTRY = """\
supported_languages: [en]
recognizers:
  - {name: seats, type: custom, supported_entity: SEAT, supported_language: en, patterns: [{name: seat, regex: 'seat \\d+', score: 0.7}]}
"""


@pytest.fixture
def model(tmp_path):
    """A spaCy pipeline on disk that knows one person, one city and one company, and the configuration that names it."""
    nlp = spacy.blank("en")
    names = {"PERSON": "umbrasco", "GPE": "tarnhope", "ORG": "acme"}
    nlp.add_pipe("entity_ruler").add_patterns([{"label": label, "pattern": [{"LOWER": word}]} for label, word in names.items()])
    nlp.to_disk(tmp_path / "model")
    path = tmp_path / "engine.yaml"
    path.write_text(ENGINE.format(model=tmp_path / "model"))
    return path


def test_no_file_no_recognizer():
    assert engines.recognizers(None, ["PERSON"]) == []
    assert engines.fingerprint(None) == ""


def test_another_engine_s_findings_are_results_beside_those_of_other_recognizers(model):
    (recognizer,) = engines.recognizers(str(model), ["PERSON", "CITY"])
    recognizer.score_thresholds = {"PERSON": 0.2, "CITY": 0.2}
    engine = NoOpNlpEngine([{"lang_code": "en", "model_name": "none"}])
    engine.load()
    analyzer = AnalyzerEngine(RecognizerRegistry([recognizer], supported_languages=["en"]), engine)
    text = "i am umbrasco of acme in Tarnhope"
    found = analyzer.analyze(text, "en", entities=["PERSON", "CITY"])
    assert sorted((text[one.start : one.end], one.entity_type) for one in found) == [("Tarnhope", "CITY"), ("umbrasco", "PERSON")]
    assert [one.entity_type for one in analyzer.analyze(text, "en", entities=["PERSON"])] == ["PERSON"]


def test_a_registry_of_presidio_s_works_as_well(tmp_path):
    path = tmp_path / "registry.yaml"
    path.write_text(REGISTRY)
    (recognizer,) = engines.recognizers(str(path), ["SEAT"])
    assert [(one.start, one.end) for one in recognizer.analyze("in seat 12", ["SEAT"], None)] == [(3, 10)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, r"^params\.yaml: anonymize\.nlp_engine: .*c\.yaml: cannot be read \(No such file or directory\)$"),
        ("a: [", "not YAML"),
        ("models: []", "expected a configuration of Presidio's, with nlp_engine_name and models, or with recognizers"),
        (ENGINE.format(model="en_core_web_lg"), "the spaCy model en_core_web_lg is not installed; run 'python -m spacy download en_core"),
        ("nlp_engine_name: stanza\nmodels: [{lang_code: en, model_name: en}]", "stanza: expected spacy or transformers"),
        (
            "nlp_engine_name: transformers\nmodels: [{lang_code: en, model_name: {spacy: en_core_web_sm, transformers: dslim/bert}}]",
            r"transformers is not installed; run 'python -m pip install \"presidio-analyzer\[transformers\]\"'",
        ),
        (
            "supported_languages: [en]\nrecognizers: [{name: GLiNERRecognizer, type: predefined}]",
            r"GLiNER is not installed.*; run 'python -m pip install \"presidio-analyzer\[gliner\]\"'",
        ),
        (
            "supported_languages: [en]\nrecognizers: [{name: NoSuchRecognizer, type: predefined}]",
            "Invalid recognizer registry configuration",
        ),
        (REGISTRY, "finds SEAT, and anonymize.entities names none of it; map its labels"),
    ],
)
def test_what_does_not_fit_is_one_line_that_says_what_to_do(content, says, tmp_path):
    path = tmp_path / "c.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=says) as caught:
        engines.recognizers(str(path), ["PERSON"])
    assert "\n" not in str(caught.value)
    assert "c.yaml" in str(caught.value)


def test_a_model_without_the_pipeline_s_language_is_refused(model):
    model.write_text(model.read_text().replace("lang_code: en", "lang_code: de"))
    with pytest.raises(InputError, match="none with lang_code: en"):
        engines.recognizers(str(model), ["PERSON"])


def test_the_fingerprint_changes_with_the_file_and_with_the_model(model):
    before = engines.fingerprint(str(model))
    assert engines.fingerprint(str(model)) == before
    (model.parent / "model/entity_ruler/patterns.jsonl").write_text('{"label":"PERSON","pattern":"other"}\n')
    changed = engines.fingerprint(str(model))
    Path(model).write_text(model.read_text() + "# reviewed\n")
    assert len({before, changed, engines.fingerprint(str(model))}) == 3
