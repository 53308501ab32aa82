"""The decoding of uploads: pictures and videos, each in its own process (`models.profiles.decoding.decoder`).

Two uploads are decoded at a time, and never two of one user; the others wait in
`models.profiles.decoding.queue`. One process may be started in advance, so that an upload does not wait for
it. A decoder that crashes, or that uses too much time or memory, ends one upload and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, NamedTuple

from models.errors import DiskFull, Invalid, Problem, TooLarge, Unavailable, UnsupportedMedia
from models.profiles.decoding.decoder import DISK, MEMORY
from models.profiles.decoding.processes import Crashed, DecoderProcess, Lost, OutOfTime
from models.profiles.decoding.queue import RETRY_SECONDS, DecodingQueue

logger = logging.getLogger(__name__)
DECODERS = 2
# CPU time is limited far below this; a busy machine may need longer.
ANSWER_SECONDS = 20.0
REFUSALS: dict[object, type[Problem]] = {one.code: one for one in (TooLarge, UnsupportedMedia)}


class ErrorTexts(NamedTuple):
    """The field of the form and the messages for its user."""

    field: str
    damaged: str
    too_much: str


class DecodePool:
    def __init__(self, module: str) -> None:
        """`module` is the work: `models.profiles.decoding.decoder.PICTURE` or `VIDEO`."""
        self._module, self._starts_early = module, False
        # These threads only wait for a process to start, answer and end. A process ends with its thread.
        self._threads = ThreadPoolExecutor(DECODERS, thread_name_prefix=module)
        self._turns = DecodingQueue(DECODERS)
        self._lock = threading.Lock()
        self._spare: DecoderProcess | None = None
        self._running: set[DecoderProcess] = set()
        self._is_closed = False

    async def warm(self) -> None:
        """Starts a process in advance, now and after each upload."""
        self._starts_early = True
        await asyncio.get_running_loop().run_in_executor(self._threads, self._refill)

    async def run(
        self, owner: str, words: ErrorTexts, source: BinaryIO, target: BinaryIO, **request: Any
    ) -> dict[str, Any]:
        """Decodes `source` into `target` and returns what the decoder found.

        Raises: TooLarge, UnsupportedMedia, Invalid, Unavailable.
        """
        async with self._turns.turn(owner):
            if self._is_closed:
                raise Unavailable(retry_after=RETRY_SECONDS)
            work = asyncio.get_running_loop().run_in_executor(
                self._threads, self._decode, words, source, target, request
            )
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                # The files are in use until the process has ended.
                with contextlib.suppress(Exception):
                    await work
                raise

    async def close(self) -> None:
        """Ends every process."""
        with self._lock:
            self._is_closed = True
            processes, self._spare = [*self._running, *filter(None, [self._spare])], None
        for process in processes:
            process.kill()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        for process in processes:
            process.end()

    # -- in a thread --

    def _decode(
        self, words: ErrorTexts, source: BinaryIO, target: BinaryIO, request: dict[str, Any]
    ) -> dict[str, Any]:
        process = self._take()
        try:
            answer = process.ask(source, target, request, ANSWER_SECONDS)
        except OutOfTime as error:
            raise Invalid(**{words.field: words.too_much}) from error
        except Crashed as error:
            logger.warning("a decoder crashed", extra={"decoder": self._module, "detail": str(error)})
            raise Invalid(**{words.field: words.damaged}) from error
        except Lost as error:
            logger.warning("a decoder was lost", extra={"decoder": self._module, "detail": str(error)})
            raise Unavailable(retry_after=RETRY_SECONDS) from error
        finally:
            with self._lock:
                self._running.discard(process)
            self._refill()
        return self._result_of(words, answer)

    def _result_of(self, words: ErrorTexts, answer: dict[str, Any]) -> dict[str, Any]:
        """Returns the result, or raises the refusal as a Problem."""
        if isinstance(result := answer.get("result"), dict):
            return result
        if "fault" in answer:
            logger.error("a decoder cannot start", extra={"decoder": self._module, "detail": answer["fault"]})
            raise Unavailable(retry_after=RETRY_SECONDS)
        if "problem" in answer:
            message = str(answer.get("message", ""))[:300]
            refusal = REFUSALS.get(answer["problem"])
            raise refusal(message) if refusal else Invalid(**{words.field: message})
        if answer.get("failed") == DISK:
            raise DiskFull("files")
        raise Invalid(**{words.field: words.too_much if answer.get("failed") == MEMORY else words.damaged})

    def _take(self) -> DecoderProcess:
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None and not spare.is_alive:
            spare.end()
            spare = None
        process = spare or self._start()
        with self._lock:
            self._running.add(process)
        if self._is_closed:
            process.kill()
        return process

    def _start(self) -> DecoderProcess:
        if self._is_closed:
            raise Unavailable(retry_after=RETRY_SECONDS)
        try:
            return DecoderProcess(self._module)
        except OSError as error:  # no memory, or too many processes or files
            logger.error("a decoder cannot start", extra={"decoder": self._module, "detail": str(error)})
            raise Unavailable(retry_after=RETRY_SECONDS) from error

    def _refill(self) -> None:
        if not self._starts_early or self._spare is not None:
            return
        with contextlib.suppress(Unavailable):
            process = self._start()
            with self._lock:
                if self._spare is None and not self._is_closed:
                    self._spare = process
                    return
            process.end()
