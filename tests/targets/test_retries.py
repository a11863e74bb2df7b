import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.params import Evaluate, Retries, Target
from pipeline.targets import retries as retrying
from pipeline.targets.asking import GIVEN_UP, answer
from pipeline.targets.question import NoAnswerError, Question
from pipeline.targets.retries import Pace, wait_s

TARGET = Target(kind="recorded", version="1", path="none")


def question(name: str = "e") -> Question:
    return Question(name, "sha", 1, [], {})


@given(attempts=st.integers(1, 40), name=st.text(max_size=5), asked_for=st.none() | st.floats(0, 60))
def test_a_wait_is_drawn_from_a_doubling_time_and_never_shorter_than_what_was_asked_for(
    attempts: int, name: str, asked_for: float | None
) -> None:
    retries = Retries(backoff_s=1, longest_wait_s=60)
    waited = wait_s(retries, question(name), attempts, asked_for)
    assert waited is not None
    doubled = min(60, 2 ** (attempts - 1))
    assert doubled / 2 <= waited <= max(doubled, (asked_for or 0) + 1)
    assert waited >= (asked_for or 0)
    assert waited == wait_s(retries, question(name), attempts, asked_for)


def test_questions_that_fail_together_do_not_come_back_together() -> None:
    assert len({wait_s(Retries(), question(f"e{i}"), 1, None) for i in range(100)}) == 100


def test_retries_are_bounded_in_all_and_a_dead_target_is_then_asked_no_more() -> None:
    asked = []

    async def dead(question: Question) -> str:
        asked.append(question.example_id)
        raise NoAnswerError("http_500", transient=True)

    wanted = Evaluate(target=TARGET, concurrency=4, retries=Retries(per_question=3, in_all=10, backoff_s=0.001))

    async def run() -> list[tuple[str, int]]:
        pace = Pace(wanted)
        found = [await answer(question(f"e{i}"), dead, 1.0, pace) for i in range(100)]
        return [(one.response.error, one.attempts) for one in found]

    found = anyio.run(run)
    assert found[:4] == [("http_500", 4), ("http_500", 4), ("http_500", 4), ("http_500", 2)]
    assert found[-1] == (GIVEN_UP, 0)
    assert len(asked) == retrying.LEAST_FAILURES, "enough to be sure, and far from 100"


def test_one_answer_says_that_the_target_lives() -> None:
    async def flaky(question: Question) -> str:
        if int(question.example_id) % 10:
            raise NoAnswerError("http_500", transient=True)
        return "fine"

    async def run() -> set[str]:
        pace = Pace(Evaluate(target=TARGET, retries=Retries(in_all=0)))
        return {(await answer(question(str(i)), flaky, 1.0, pace)).response.error for i in range(100)}

    assert anyio.run(run) == {"", "http_500"}


@pytest.mark.parametrize("held", [False, True])
def test_requests_keep_their_distance_also_after_the_target_wished_for_a_pause(held: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(retrying, "time", clock)
    monkeypatch.setattr(retrying.anyio, "sleep", clock.sleep)
    pace = Pace(Evaluate(target=TARGET, requests_per_minute=60, retries=Retries(longest_wait_s=60)))

    async def run() -> list[float]:
        turns = []
        for turn in range(4):
            await pace.turn()
            turns.append(clock.monotonic())
            if held and turn == 1:
                pace.again_in_s(question(), 1, 30)
        return turns

    assert anyio.run(run) == [100, 101, *([131, 132] if held else [102, 103])]


class Clock:
    """A clock that moves when somebody sleeps."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_who_already_waits_for_its_turn_is_held_too() -> None:
    pace = Pace(Evaluate(target=TARGET, requests_per_minute=600, retries=Retries(longest_wait_s=60)))

    async def run() -> float:
        begun = anyio.current_time()
        await pace.turn()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pace.turn)
            await anyio.sleep(0)
            pace.again_in_s(question(), 1, 0.4)
        return anyio.current_time() - begun

    assert 0.4 <= anyio.run(run) < 2
