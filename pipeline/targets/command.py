"""A target that is a program: `evaluate.target.command`, started from the repository's root, asked and answering in lines of JSON.

A process is asked one question at a time and stays for the next; there are as many as there are questions at once. It reads a line
from its standard input, writes a line and flushes it. One that ends after each answer is started anew for the next question. What
is said on standard error goes into logs/target.log.

No answer may be taken for that to another question. In Golden's own form a reply repeats the `id` of its question, and whatever may
have put lines out of step (another id, a line that is no JSON, a line too many, no answer in time) ends the process.
"""

import asyncio
import os
import shlex
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import orjson

from pipeline import params
from pipeline.errors import InputError
from pipeline.targets.form import Form, decoded, form_of
from pipeline.targets.question import NoAnswerError, Question

KEY = "params.yaml: evaluate.target.command"
LOG = Path("logs/target.log")
LONGEST_LINE = 2**24


def open_target(target: params.Target) -> "Command":
    try:
        words = shlex.split(str(target.command))
    except ValueError as error:
        raise InputError(f"{KEY}: not a command ({error}); close its quotes") from None
    if not words or shutil.which(words[0]) is None:
        raise InputError(
            f"{KEY}: no program '{words[0] if words else ''}' here; name one on the path, or by its path from the repository's root"
        )
    return Command(words, form_of(target.request, target.response), repeats_id=target.request is None and target.response is None)


class Command:
    """Asks through processes, and keeps those that answered."""

    def __init__(self, words: list[str], form: Form, repeats_id: bool) -> None:
        self._words, self._form, self._repeats_id = words, form, repeats_id
        self._idle: list[_Process] = []
        self._log_is_begun = False

    async def __call__(self, question: Question) -> Any:
        body = self._form.body(question)
        if (kept := await self._kept()) is not None:
            # A process that ended after its last answer shows it only now.
            with suppress(_EndedError):
                return await self._asked(kept, body)
        try:
            return await self._asked(await self._started(), body)
        except _EndedError as error:
            raise NoAnswerError(f"process_ended:{error}") from None

    async def _asked(self, process: "_Process", body: Any) -> Any:
        try:
            received = decoded(await process.exchange(orjson.dumps(body) + b"\n"))
            if self._repeats_id and (not isinstance(received, dict) or received.get("id") != body["id"]):
                raise NoAnswerError("out_of_step")
            reply = self._form.reply(received)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await process.end()
            raise
        self._idle.append(process)
        return reply

    async def _kept(self) -> "_Process | None":
        while self._idle:
            process = self._idle.pop()
            if process.is_quiet:
                return process
            await process.end()
        return None

    async def _started(self) -> "_Process":
        LOG.parent.mkdir(parents=True, exist_ok=True)
        with LOG.open("ab" if self._log_is_begun else "wb") as log:
            self._log_is_begun = True
            child = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                limit=LONGEST_LINE,
                start_new_session=True,  # so that what it started ends with it
            )
        return _Process(child)

    async def aclose(self) -> None:
        idle, self._idle = self._idle, []
        async with anyio.create_task_group() as ending:
            for process in idle:
                ending.start_soon(process.end, 1)


class _EndedError(Exception):
    """The process ended without an answer; its message is the exit code."""


class _Process:
    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with suppress(ValueError):  # a line longer than LONGEST_LINE
            while line := await self._child.stdout.readline():  # type: ignore[union-attr]
                if line.strip():
                    self._lines.put_nowait(line)
        self._lines.put_nowait(None)

    @property
    def is_quiet(self) -> bool:
        """Whether it waits for a question: it has neither ended nor said more than it was asked."""
        return self._lines.empty() and self._child.returncode is None

    async def exchange(self, line: bytes) -> bytes:
        """The line that answers `line`. Raises _EndedError where the process ends instead."""
        with suppress(ConnectionError):
            self._child.stdin.write(line)  # type: ignore[union-attr]
            await self._child.stdin.drain()  # type: ignore[union-attr]
        answer = await self._lines.get()
        if answer is None:
            await self.end(patience_s=1)
            raise _EndedError(self._child.returncode)
        return answer

    async def end(self, patience_s: float = 0) -> None:
        """Close its standard input; kill it, and what it started, where it has not ended `patience_s` later."""
        with suppress(ConnectionError):
            self._child.stdin.close()  # type: ignore[union-attr]
        with anyio.move_on_after(patience_s):
            await self._child.wait()
        self.kill()
        await self._child.wait()
        self._reading.cancel()

    def kill(self) -> None:
        if self._child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
