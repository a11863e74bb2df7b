import pytest

from pipeline import stage
from pipeline.errors import InputError


@pytest.fixture(autouse=True)
def _somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def raising(error):
    def work():
        raise error

    return work


def test_a_stage_says_one_line(capsys):
    stage.run("merge", lambda: "200 examples")
    assert capsys.readouterr().out == "merge      200 examples\n"


def test_a_user_s_mistake_is_one_line_and_exit_code_1(capsys):
    with pytest.raises(SystemExit) as caught:
        stage.run("merge", raising(InputError("params.yaml: merge.size: missing")))
    assert caught.value.code == "merge: params.yaml: merge.size: missing"


def test_a_private_stage_shows_no_message_of_an_unexpected_error():
    with pytest.raises(SystemExit) as caught:
        stage.run("ingest", raising(ValueError("could not parse 'Priya Sharma'")), private=True)
    assert "Priya" not in str(caught.value.code)
    assert str(caught.value.code).startswith("ingest: ValueError at test_stage.py:")


def test_other_stages_show_theirs():
    with pytest.raises(ValueError, match="a defect"):
        stage.run("merge", raising(ValueError("a defect")))
