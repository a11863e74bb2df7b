import subprocess
from functools import cached_property
from pathlib import Path

import dvc_objects.fs
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dvc.repo import Repo
from dvc_objects.fs.base import ObjectFileSystem
from typer.testing import CliRunner

from pipeline import erasure, identity, purge, schema, tables
from pipeline.cli import app
from pipeline.paths import ERASED, POOL, POOL_CSV
from tests.frames import frame, said

ROOT = Path(__file__).parents[2]
LOG_ID = "chat-20931"


def git(*arguments):
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def example_id():
    return identity.example_id(identity.load_key(str(ROOT / "demo/demo.key")), "shop-assistant", LOG_ID)


@pytest.fixture
def erase(tmp_path, monkeypatch, example_id):
    """A repository with a pool of two conversations and a data set made of it, at two versions, the first released; all pushed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.delenv("GOLDEN_KEY", raising=False)
    Path("params.yaml").write_text((ROOT / "params.yaml").read_text().replace("demo/demo.key", str(ROOT / "demo/demo.key")))
    Path(".gitignore").write_text("/store\n/site\n/data/pool\n/data/golden\n/.golden\n")
    git("init", "-q")
    git("config", "user.email", "t@example.com")
    git("config", "user.name", "t")
    Repo.init(".").close()
    Path(".dvc/config").write_text('[core]\n    remote = store\n[remote "store"]\n    url = ../store\n')
    rows = [{"example_id": i, "messages": said("hello")} for i in (example_id, "p-00000000000000bb")]
    tables.write_parquet(POOL / "w1.parquet", frame(schema.POOL, rows), schema.POOL)
    tables.write_csv(POOL_CSV, frame(schema.PARTITIONS, [{"partition": "w1", "read": 2, "kept": 2}]), schema.PARTITIONS)
    stages = "stages:\n  data:\n    cmd: 'true'\n    outs: [data/pool: {persist: true}, data/golden: {persist: true}]\n"
    Path("dvc.yaml").write_text(stages)
    for version, ids in (("1", [example_id]), ("2", ["p-00000000000000bb"])):
        Path("data/golden").mkdir(exist_ok=True)
        pq.write_table(pa.table({"example_id": ids, "input_sha": [f"sha-{i}" for i in ids]}), "data/golden/examples.parquet")
        with Repo(".") as repo:
            repo.reproduce(force=True)
            repo.push()
        git("add", "-A")
        git("commit", "-qm", version)
        git("tag", f"shop@v{version}")
    answers = Path(".golden/responses/1.jsonl")
    answers.parent.mkdir(parents=True)
    answers.write_text("".join(f'{{"input_sha":"sha-{i}"}}\n' for i in (example_id, "p-00000000000000bb")))
    return lambda *arguments: CliRunner().invoke(app, ["erase", *arguments])


def objects(*folders):
    return {str(path) for folder in folders or ("store", ".dvc/cache") for path in Path(folder).rglob("*") if path.is_file()}


def holding(example_id):
    return {path for path in objects() if purge.holds(Path(path).open("rb"), frozenset([example_id]))}


def refused(result, *words):
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("golden: ")
    assert result.stderr.count("\n") == 1
    assert not [word for word in words if word not in result.stderr]
    assert not ERASED.exists()


def test_all_versions_objects_go_and_the_ones_that_cannot_be_rebuilt_are_listed(erase, example_id):
    assert len(holding(example_id)) == 4, "pool and examples of the first version, in cache and remote"
    result = erase(LOG_ID, "--yes", "--on", "2026-03-31", "--reason", "asked for")
    assert result.exit_code == 0, result.output
    assert holding(example_id) == set()
    assert "2 commits whose dvc.lock names a deleted object; released versions among them: shop@v1, shop@v2" in result.stdout
    assert "a bucket's old versions" in result.stdout
    assert ERASED.read_text() == f"example_id,erased_on,reason\n{example_id},2026-03-31,asked for\n"
    assert Path(".golden/responses/1.jsonl").read_text() == '{"input_sha":"sha-p-00000000000000bb"}\n'
    left = {path.split("/", 1)[1] for path in objects("store")}
    assert len(left) == 2, "the examples of the second version, and the manifest of its folder"
    again = erase(LOG_ID, "--yes")
    assert (again.exit_code, again.stdout) == (0, f"{example_id}: already erased, nothing of it is left here\n")


@pytest.mark.parametrize("killed_in", ["changes", "delete", "half of the objects"])
def test_killed_in_the_middle_the_same_command_completes_it(erase, example_id, monkeypatch, killed_in):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if killed_in == "changes":
            patch.setattr(tables, "write_parquet_in_parts", die)
        elif killed_in == "delete":
            patch.setattr(purge, "delete", die)
        else:

            def half(found):
                content = [pair for pair in found.paths if not pair[1].endswith(".dir")]
                for store, path in content:
                    store.fs.remove(path)
                raise KeyboardInterrupt

            patch.setattr(purge, "delete", half)
        assert erase(LOG_ID, "--yes").exit_code != 0
    assert example_id in ERASED.read_text(), "the tombstone comes first"
    result = erase(LOG_ID, "--yes")
    assert result.exit_code == 0, result.output
    assert "shop@v1, shop@v2" in result.stdout
    assert holding(example_id) == set()
    assert len(objects("store")) == 2
    assert not erasure.Pending.PATH.exists()
    assert "sha-p-00000000000000bb" in Path(".golden/responses/1.jsonl").read_text()
    assert example_id not in Path(".golden/responses/1.jsonl").read_text()


def test_a_dry_run_says_it_all_and_changes_nothing(erase, example_id):
    before = objects()
    result = erase(LOG_ID, "--dry-run")
    assert result.exit_code == 0
    assert "data/pool/w1.parquet: 1 conversation" in result.stdout
    assert "remote store: 4 objects" in result.stdout
    assert objects() == before
    assert not ERASED.exists()
    assert git("status", "--porcelain") == ""


def test_without_yes_nothing_is_deleted_where_nobody_can_answer(erase):
    refused(erase(LOG_ID), "--yes", "--dry-run")


def test_a_log_id_that_is_not_there_is_one_line_and_says_how_ids_are_made(erase):
    refused(erase(LOG_ID, "chat-1", "--yes"), "log id 2 of 2", "shop-assistant", "nothing was changed")


def test_an_example_id_needs_no_key_and_is_checked(erase, example_id):
    refused(erase("--example-id", "p-1"), "16 hex digits")
    refused(erase("--example-id", "p-0000000000000000", "--yes"), "in no pool, cache or remote")
    refused(erase(), "nothing to erase")
    Path("params.yaml").unlink()
    assert erase("--example-id", example_id, "--yes").exit_code == 0
    assert holding(example_id) == set()


def test_a_wrong_date_and_a_reason_with_personal_data_are_refused(erase):
    refused(erase(LOG_ID, "--yes", "--on", "31.3.2026"), "--on")
    refused(erase(LOG_ID, "--yes", "--reason", "jo.bell@corp.io wants it"), "--reason", "e-mail")


def test_the_date_is_that_of_the_newest_record_where_none_is_given(erase, example_id):
    erase(LOG_ID, "--yes")
    assert f"{example_id},2026-03-02," in ERASED.read_text()


def test_a_remote_that_cannot_be_reached_is_told_and_done_by_the_next_run(erase, example_id):
    config = Path(".dvc/config").read_text()
    Path(".dvc/config").write_text(config + '[remote "away"]\n    url = /dev/null/store\n[remote "s3"]\n    url = s3://bucket/data\n')
    result = erase(LOG_ID, "--yes")
    assert result.exit_code == 1
    assert "not erased from remote s3: " in result.stderr
    assert holding(example_id) == set()
    Path(".dvc/config").write_text(config)
    assert erase(LOG_ID, "--yes").exit_code == 0


class Bucket(ObjectFileSystem):
    """An object store, which DVC treats as it treats S3; it lies in this process's memory."""

    protocol = "s3"
    PARAM_CHECKSUM = "etag"

    @classmethod
    def _strip_protocol(cls, path):
        return "/" + path.removeprefix("s3://")

    @cached_property
    def fs(self):
        return fsspec.filesystem("memory")


def test_a_bucket_and_a_second_folder_are_purged_as_the_first_one_is(erase, example_id, monkeypatch):
    monkeypatch.setitem(dvc_objects.fs.known_implementations, "s3", {"class": f"{__name__}.Bucket"})
    config = '[remote "bucket"]\n    url = s3://bucket/data\n[remote "second"]\n    url = ../second\n'
    Path(".dvc/config").write_text(Path(".dvc/config").read_text() + config)
    bucket = fsspec.filesystem("memory")
    bucket.pipe("/bucket/others/notes.txt", example_id.encode())
    bucket.pipe("/bucket/data/notes.txt", example_id.encode())
    for version in ("shop@v1", "shop@v2"):
        git("checkout", "-q", version)
        with Repo(".") as repo:
            for remote in ("bucket", "second"):
                repo.push(remote=remote)

    def objects_of(remote):
        found = [str(path) for path in Path(remote).rglob("*") if path.is_file()] if remote == "second" else bucket.find("/bucket/data")
        return [path for path in found if "/files/md5/" in path]

    assert len(objects_of("bucket")) == len(objects_of("second")) == 6
    result = erase(LOG_ID, "--yes")
    assert result.exit_code == 0, result.output
    assert "remote bucket: 4 objects" in result.stdout
    assert "remote second: 4 objects" in result.stdout
    assert len(objects_of("bucket")) == len(objects_of("second")) == 2
    assert not [path for path in objects_of("bucket") if purge.holds(bucket.open(path), frozenset([example_id]))]
    assert bucket.cat("/bucket/others/notes.txt") == bucket.cat("/bucket/data/notes.txt") == example_id.encode(), "not DVC's files"


def test_a_bucket_that_keeps_versions_is_told_to_be_out_of_reach(erase, example_id, monkeypatch):
    monkeypatch.setitem(dvc_objects.fs.known_implementations, "s3", {"class": f"{__name__}.Bucket"})
    config = '[remote "bucket"]\n    url = s3://bucket/data\n    version_aware = true\n'
    Path(".dvc/config").write_text(Path(".dvc/config").read_text() + config)
    result = erase(LOG_ID, "--yes")
    assert result.exit_code == 1
    assert "remote bucket: its bucket keeps versions" in result.stderr
    assert holding(example_id) == set(), "everything else is done"


def test_nothing_is_erased_beneath_a_running_build(erase):
    import fcntl

    Path(".golden/locks").mkdir(parents=True)
    with Path(".golden/locks/evaluate").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(erase(LOG_ID, "--yes"), "a build is running")


def test_outside_of_a_repository_it_is_one_line(erase, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    refused(erase("--example-id", "p-0000000000000000", "--on", "2026-03-31", "--yes"), "no DVC repository")
