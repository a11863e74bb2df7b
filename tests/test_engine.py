import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.engine import map_partitions
from pipeline.errors import InputError
from pipeline.params import Engine


def double(number):
    return 2 * number


def fail(number):
    if number == 3:
        raise InputError("file 3: not there")
    return number


def parse(text):
    return int(text)


def die(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_once(job):
    """The worker of partition 3 dies, unless it did so before; every other one leaves a mark each time it is worked on."""
    folder, number = job
    if number == 3 and not (folder / "died").exists():
        while not (folder / "0.made").exists():
            time.sleep(0.05)
        time.sleep(0.5)  # the result of partition 0 is on its way
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    with (folder / f"{number}.made").open("a") as made:
        made.write("x")
    return number * number


def engine(kind):
    return Engine(kind=kind, workers=2)


EVERY = pytest.mark.parametrize("kind", ["local", "processes", "dask"])
IN_WORKERS = pytest.mark.parametrize("kind", ["processes", "dask"])


@EVERY
def test_results_come_in_the_order_of_the_partitions_on_any_engine(kind):
    assert map_partitions(double, range(5), engine(kind), "double") == [0, 2, 4, 6, 8]


@EVERY
def test_a_user_s_mistake_is_raised_here(kind):
    with pytest.raises(InputError, match=r"^file 3: not there$"):
        map_partitions(fail, range(5), engine(kind), "fail")


@EVERY
def test_an_error_has_its_type_and_from_dask_no_message(kind):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        map_partitions(parse, ["1", "Priya Sharma"], engine(kind), "parse")
    assert type(caught.value).__name__ == "ValueError"
    assert ("Priya" in str(caught.value)) == (kind != "dask")


@IN_WORKERS
def test_the_partition_of_a_worker_that_died_is_worked_on_again(kind, tmp_path):
    jobs = [(tmp_path, number) for number in range(6)]
    assert map_partitions(die_once, jobs, engine(kind), "die once") == [0, 1, 4, 9, 16, 25]
    assert (tmp_path / "died").exists()
    assert sorted(path.stem for path in tmp_path.glob("*.made")) == ["0", "1", "2", "3", "4", "5"]


def test_what_was_finished_before_a_process_died_is_not_made_again(tmp_path):
    jobs = [(tmp_path, number) for number in (0, 1, 2, 3)]
    map_partitions(die_once, jobs, engine("processes"), "die once")
    assert (tmp_path / "0.made").read_text() == "x"


@IN_WORKERS
def test_a_partition_that_kills_every_worker_is_one_line(kind):
    with pytest.raises(InputError, match=r"^[^\n]* died (three|4) times, [^\n]*engine\.workers lower[^\n]*$"):
        map_partitions(die, range(5), engine(kind), "die")


@IN_WORKERS
def test_nothing_to_do_starts_no_worker(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert map_partitions(double, [], engine(kind), "double") == []


def test_a_machine_without_dask_is_told_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"^engine\.kind is dask and the package distributed is not installed; run 'make install'$"):
        map_partitions(double, range(2), engine("dask"), "double")


def test_dask_is_imported_by_nobody_who_does_not_use_it():
    code = "import sys, pipeline.engine; sys.exit('dask' in sys.modules or 'distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=False).returncode == 0


@pytest.mark.parametrize("scheduler", ["localhost:8786", "http://localhost:8786", "tcp://localhost", "tcp:// :1"])
def test_a_scheduler_is_given_by_its_address(scheduler):
    with pytest.raises(ValueError, match=r"an address such as tcp://127\.0\.0\.1:8786"):
        Engine(kind="dask", scheduler=scheduler)
