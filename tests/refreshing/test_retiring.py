import pytest

from pipeline import sources
from pipeline.errors import InputError
from pipeline.refreshing import retiring
from pipeline.refreshing.retiring import Retirement

FILE = """# Asked for in August.

- id: s-one
  added: 2026-02-03
  status: approved   # by hand
  approved_by: Dana
  method: template:x
  fills: all
  input: "Hi"   # short
  expect: {behaviour: answer}

# The second.
- id: s-two
  added: 2026-02-03
  status: approved
  approved_by: Dana
  method: template:x
  fills: all
  input: Ho
  expect: {behaviour: answer}
"""
CONVERSATION = "p-0123456789abcdef"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "synthetic").mkdir()
    (tmp_path / "synthetic/one.yaml").write_text(FILE)
    return tmp_path


def leaves(example_id, source="synthetic"):
    return Retirement(example_id, source, "category=ads", "2026-01-20", "production: nothing near")


def retire(folder, *which):
    retiring.write(retiring.retired_files(list(which), sources.load(folder), "2026-08-01", folder))


def restore(folder, example_id):
    retiring.write(retiring.restored_files([example_id], sources.retired(folder), folder))


def test_a_scenario_moves_with_its_comments_and_a_reason_and_comes_back_as_it_was(folder):
    retire(folder, leaves("s-two"), leaves(CONVERSATION, "production"))
    assert (folder / "synthetic/one.yaml").read_text() == FILE[: FILE.index("- id: s-two")]
    assert 'retired_on: 2026-08-01\n  retired_because: "production: nothing near"\n' in (folder / "retired/synthetic/one.yaml").read_text()
    assert [entry.id for _, entry in sources.load(folder)["synthetic"]] == ["s-one"]
    assert sorted(sources.retired(folder)) == [CONVERSATION, "s-two"]
    assert [entry.id for _, entry in sources.retired_scenarios(folder)] == ["s-two"]
    restore(folder, "s-two")
    restore(folder, CONVERSATION)
    assert (folder / "synthetic/one.yaml").read_text() == FILE.replace("# The second.\n- id", "# The second.\n\n- id")
    assert not sources.retired(folder)
    assert not list((folder / "retired").rglob("*.yaml"))


def test_the_last_scenario_of_a_file_can_go_and_one_that_comes_back_to_no_file_makes_it(folder):
    retire(folder, leaves("s-one"), leaves("s-two"))
    assert sources.load(folder)["synthetic"] == []
    (folder / "synthetic/one.yaml").unlink()
    restore(folder, "s-one")
    assert [entry.input for _, entry in sources.load(folder)["synthetic"]] == ["Hi"]
    assert '"Hi"   # short' in (folder / "synthetic/one.yaml").read_text()


def test_a_move_that_fails_half_way_leaves_every_file_as_it_was(folder):
    files = retiring.retired_files([leaves("s-one")], sources.load(folder), "2026-08-01", folder)
    files[folder / "synthetic/one.yaml/inside-of-a-file.yaml"] = "x"
    with pytest.raises(OSError, match=r"one\.yaml"):
        retiring.write(files)
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["one.yaml"]
    assert (folder / "synthetic/one.yaml").read_text() == FILE


def test_of_several_to_restore_either_all_come_back_or_none(folder):
    retire(folder, leaves("s-one"), leaves("s-two"))
    there = sources.retired(folder)
    with pytest.raises(InputError, match=r"--restore s-nine: not in .*; retired are s-one, s-two"):
        retiring.write(retiring.restored_files(["s-one", "s-nine"], there, folder))
    assert sources.retired(folder).keys() == there.keys()
    retiring.write(retiring.restored_files(["s-one", "s-two"], there, folder))
    assert [entry.id for _, entry in sources.load(folder)["synthetic"]] == ["s-one", "s-two"]


def test_a_scenario_in_both_places_is_told_and_restoring_mends_it(folder):
    retire(folder, leaves("s-one"))
    (folder / "synthetic/one.yaml").write_text(FILE)
    with pytest.raises(InputError, match=r"s-one: is retired in .*one\.yaml; run 'golden refresh --restore s-one'"):
        sources.load(folder)
    restore(folder, "s-one")
    assert (folder / "synthetic/one.yaml").read_text() == FILE
    assert not sources.retired(folder)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("retired/production.yaml", "- {id: p-1, reason: r, retired_on: 2026-08-01}", "production.yaml, p-1: id: "),
        ("retired/production.yaml", "id: x", "expected a list"),
        ("retired/other.yaml", "[]", "move it there"),
        ("retired/expert/x.yaml", "- {id: e-1, why: x}", "e-1: why: unknown key"),
    ],
)
def test_what_does_not_fit_in_retired_is_one_line(folder, name, text, message):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    with pytest.raises(InputError, match=message):
        sources.retired(folder)


def test_only_what_is_retired_can_come_back(folder):
    with pytest.raises(InputError, match=r"--restore s-nine: not in .*nothing is retired"):
        restore(folder, "s-nine")
