import os
import signal

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


def die(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("kind", ["local", "processes"])
def test_results_come_in_the_order_of_the_partitions_on_any_engine(kind):
    assert map_partitions(double, range(5), Engine(kind=kind, workers=2), "double") == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("kind", ["local", "processes"])
def test_a_worker_s_error_is_raised_here(kind):
    with pytest.raises(InputError, match="file 3: not there"):
        map_partitions(fail, range(5), Engine(kind=kind, workers=2), "fail")


def test_a_worker_that_dies_is_one_line():
    with pytest.raises(InputError, match=r"engine\.workers lower"):
        map_partitions(die, range(5), Engine(kind="processes", workers=2), "die")


def test_nothing_to_do_starts_no_worker():
    assert map_partitions(double, [], Engine(kind="processes", workers=2), "double") == []
