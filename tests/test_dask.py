"""A Dask scheduler and its workers as processes on loopback, with Dask's own logging, as a cluster of one's own has it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from pipeline import engine as engine_module
from pipeline import schema, stage, tables
from pipeline.engine import map_partitions
from pipeline.errors import InputError
from pipeline.identity import key_id
from pipeline.params import Engine
from tests.conftest import ROOT
from tests.frames import frame, said

SECRET = "Priya Sharma"
KEY = "0123456789abcdef" * 4
PARTITIONS = 6
LINES = 150


class Cluster:
    """A scheduler and workers, each with its own log file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--port", self.address.rsplit(":", 1)[1], "--dashboard-address", "127.0.0.1:0")

    def _start(self, what: str, *options: str, **env: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{what}-{len(self.workers)}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", *options, "--host", "127.0.0.1", "--no-dashboard"],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **env},
                stdout=log,
                stderr=log,
            )

    def add(self, number: int, **env: str) -> None:
        """Start workers. Without a nanny, one that dies stays dead."""
        for _ in range(number):
            self.workers.append(
                self._start("worker", self.address, "--no-nanny", "--nthreads", "1", "--local-directory", str(self.folder / "spill"), **env)
            )

    def kill_the_newest_worker(self) -> None:
        self.workers[-1].kill()
        self.workers[-1].wait()

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def engine(self) -> Engine:
        return Engine(kind="dask", scheduler=self.address)


@pytest.fixture
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


def slowly(job):
    """Shows that it has begun, and takes its time."""
    folder, number = job
    (folder / f"{number}.{os.getpid()}").touch()
    time.sleep(0.4)
    return number, os.getpid(), str(Path.cwd())


def quote(text):
    raise ValueError(f"could not parse {text!r}")


def mistake(text):
    raise InputError(f"logs/{len(text)}.jsonl: not there")


def unpicklable(text):
    return lambda: text


def test_a_worker_killed_in_the_middle_changes_no_result_and_all_work_in_the_repository(cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cluster.add(2)

    def kill_the_second_partition_s_worker():
        while not (begun := list(tmp_path.glob("1.*"))):
            time.sleep(0.05)
        os.kill(int(begun[0].suffix[1:]), signal.SIGKILL)

    killer = threading.Thread(target=kill_the_second_partition_s_worker)
    killer.start()
    results = map_partitions(slowly, [(tmp_path, number) for number in range(8)], cluster.engine(), "slowly")
    killer.join()
    assert [number for number, _, _ in results] == list(range(8))
    assert {folder for _, _, folder in results} == {str(tmp_path)}
    assert sum(worker.poll() is None for worker in cluster.workers) == 1
    assert len(list(tmp_path.glob("1.*"))) == 2


def test_no_log_of_dask_quotes_what_a_function_got_or_raised(cluster, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cluster.add(2)
    for function in (quote, mistake, unpicklable):
        with pytest.raises(Exception):  # noqa: B017, PT011
            map_partitions(function, [SECRET, SECRET], cluster.engine(), "look")
    with pytest.raises(SystemExit) as caught:
        stage.run("anonymize", lambda: str(map_partitions(quote, [SECRET], cluster.engine(), "quote")), private=True)
    assert str(caught.value.code).startswith("anonymize: ValueError at test_dask.py:")
    assert SECRET not in cluster.logs() + "".join(capfd.readouterr()) + str(caught.value.code)
    from distributed import Client

    with Client(cluster.address) as client, pytest.raises(ValueError, match=SECRET):
        client.submit(quote, SECRET).result()
    # What plain Dask does with the same function: the search above would have found it.
    assert SECRET in cluster.logs()


def test_workers_without_this_very_pipeline_are_told_where_to_start(cluster, tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none/pipeline.py").touch()
    shutil.copytree(ROOT / "pipeline", tmp_path / "other/pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    for folder, says in (("none", "cannot import pipeline"), ("other", f"import pipeline from {tmp_path}/other")):
        cluster.add(1, PYTHONPATH=str(tmp_path / folder))
        with pytest.raises(InputError, match=rf"^the workers {says}: start them in the repository with PYTHONPATH=\.$"):
            map_partitions(len, [SECRET], cluster.engine(), "len")
        cluster.kill_the_newest_worker()
    assert SECRET not in cluster.logs()


def test_a_scheduler_that_is_not_there_has_no_workers_or_goes_away_is_one_line(cluster, monkeypatch, tmp_path):
    monkeypatch.setattr(engine_module, "CONNECT_S", 1)
    with pytest.raises(InputError, match=r"^no Dask scheduler answers at tcp://127\.0\.0\.1:1 "):
        map_partitions(len, ["a"], Engine(kind="dask", scheduler="tcp://127.0.0.1:1"), "len")
    monkeypatch.setattr(engine_module, "CONNECT_S", 20)
    monkeypatch.setattr(engine_module, "NO_WORKER_S", 1)
    with pytest.raises(InputError, match=r"^the Dask cluster has had no worker for 1 s"):
        map_partitions(len, ["a"], cluster.engine(), "len")
    monkeypatch.setattr(engine_module, "NO_WORKER_S", 20)
    cluster.add(1)

    def kill_the_scheduler():
        while not list(tmp_path.glob("0.*")):
            time.sleep(0.05)
        cluster.scheduler.kill()

    killer = threading.Thread(target=kill_the_scheduler)
    killer.start()
    with pytest.raises(InputError, match=r"^the connection to the Dask scheduler was lost"):
        map_partitions(slowly, [(tmp_path, number) for number in range(9)], cluster.engine(), "slowly")
    killer.join()


def test_workers_started_here_listen_on_loopback_alone(tmp_path):
    found = []

    def watch():
        me = psutil.Process()
        while not list(tmp_path.glob("*.*")):
            time.sleep(0.05)
        for process in (me, *me.children(recursive=True)):
            found.extend(c.laddr.ip for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN)

    watcher = threading.Thread(target=watch)
    watcher.start()
    map_partitions(slowly, [(tmp_path, number) for number in range(4)], Engine(kind="dask", workers=2), "slowly")
    watcher.join()
    assert len(found) >= 5
    assert set(found) == {"127.0.0.1"}


def repository(folder: Path, engine: Engine) -> Path:
    """What `anonymize` needs: a few raw partitions, params and a key."""
    content = YAML().load(ROOT / "params.yaml")
    content["engine"] = engine.model_dump()
    folder.mkdir()
    YAML().dump(content, folder / "params.yaml")
    for number in range(PARTITIONS):
        path = folder / f"data/interim/records/w{number}.parquet"
        note = {
            "fingerprint": f"w{number}",
            "source_sha256": "s",
            "read": "150",
            "kept": "150",
            "sampled_out": "0",
            "key_id": key_id(bytes.fromhex(KEY)),
        }
        records = [
            {
                "example_id": f"p-{number}-{line:03}",
                "log_id": f"c-{line}",
                "line": line,
                "messages": said(f"my name is {SECRET}, order HL-{number}{line:05}", "Hello Priya"),
            }
            for line in range(LINES)
        ]
        tables.write_parquet(path, frame(schema.RECORDS, records), schema.RECORDS, note)
        tables.write_csv(path.with_suffix(".rejects.csv"), frame(schema.REJECTS, []), schema.REJECTS)
    return folder


def anonymized(folder: Path, in_the_middle=lambda: None) -> dict[str, bytes]:
    """Every file that the stage made. `in_the_middle` is called when the first partition is there."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "GOLDEN_KEY": KEY, "CI": "1"}
    running = subprocess.Popen(
        [sys.executable, "-m", "pipeline.anonymize"], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    while running.poll() is None and not list(folder.glob("data/pool/*.parquet")):
        time.sleep(0.02)
    in_the_middle()
    output, _ = running.communicate(timeout=120)
    assert output.splitlines() == [
        f"anonymize  {PARTITIONS} partitions, {LINES * PARTITIONS} conversations; {PARTITIONS} made, 0 unchanged"
    ]
    return {path.name: path.read_bytes() for path in (*sorted((folder / "data/pool").iterdir()), folder / "data/pool.csv")}


def test_a_cluster_makes_the_pool_that_this_process_makes_also_when_a_worker_is_killed(cluster, tmp_path):
    made = []

    def kill_a_worker():
        made.extend((tmp_path / "killed/data/pool").glob("*.parquet"))
        cluster.kill_the_newest_worker()

    cluster.add(2)
    local = anonymized(repository(tmp_path / "local", Engine(kind="local")))
    assert len(local) == PARTITIONS + 1
    assert anonymized(repository(tmp_path / "killed", cluster.engine()), kill_a_worker) == local
    assert 0 < len(made) <= PARTITIONS - 2
    cluster.add(1)
    assert anonymized(repository(tmp_path / "dask", cluster.engine())) == local
    assert SECRET not in cluster.logs()
