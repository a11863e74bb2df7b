import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import identity
from pipeline.errors import InputError

KEY = bytes(range(32))


def test_an_id_depends_on_key_system_and_log_id_alone():
    assert identity.example_id(KEY, "shop", "c-1") == "p-4c9118329bc42b2a"
    assert identity.example_id(KEY, "shop", "c-1") != identity.example_id(KEY, "shop", "c-2")
    assert identity.example_id(KEY, "shop", "c-1") != identity.example_id(KEY, "bank", "c-1")
    assert identity.example_id(KEY, "shop", "c-1") != identity.example_id(bytes(32), "shop", "c-1")


def test_system_and_log_id_do_not_run_into_each_other():
    assert identity.example_id(KEY, "shop1", "2") != identity.example_id(KEY, "shop", "12")


@given(st.text(), st.text())
def test_two_texts_have_one_hash_only_when_they_are_equal(one, other):
    hashes = [
        identity.text_sha(KEY, [{"role": "user", "content": text}])
        for text in (one.encode("utf-8", "ignore").decode(), other.encode("utf-8", "ignore").decode())
    ]
    assert (hashes[0] == hashes[1]) == (one.encode("utf-8", "ignore") == other.encode("utf-8", "ignore"))


def test_a_text_hash_knows_who_said_it():
    assert identity.text_sha(KEY, [{"role": "user", "content": "hi"}]) != identity.text_sha(KEY, [{"role": "assistant", "content": "hi"}])


def test_the_environment_comes_before_the_key_file(monkeypatch, tmp_path):
    (tmp_path / "a.key").write_text("# comment\n" + "ab" * 32 + "\n")
    assert identity.load_key(str(tmp_path / "a.key")) == b"\xab" * 32
    monkeypatch.setenv("GOLDEN_KEY", "cd" * 32)
    assert identity.load_key(str(tmp_path / "a.key")) == b"\xcd" * 32


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_key_that_is_no_key_is_refused_without_being_shown(content, tmp_path):
    (tmp_path / "a.key").write_text(content)
    with pytest.raises(InputError, match="64 hex digits") as caught:
        identity.load_key(str(tmp_path / "a.key"))
    assert not content or content not in str(caught.value).replace(str(tmp_path), "")


def test_a_missing_key_says_where_it_belongs(tmp_path):
    with pytest.raises(InputError, match=r"a\.key: no key there"):
        identity.load_key(str(tmp_path / "a.key"))


def test_a_key_id_tells_keys_apart():
    assert identity.key_id(KEY) != identity.key_id(bytes(32))
    assert len(identity.key_id(bytes.fromhex(identity.new_key()))) == 8
