"""The decode pool: each upload in its own process; bounded, killable, and fair."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tornado.ioloop import IOLoop

from models.errors import Invalid, Unavailable
from models.profiles.decoding import pool
from models.profiles.decoding.decoder import CPU_SECONDS, MOST_MEMORY, PICTURE
from models.profiles.decoding.pool import DecodePool, ErrorTexts
from models.profiles.decoding.processes import Crashed, DecoderProcess, Lost, OutOfTime
from tests.conftest import jpeg
from tests.support.media.files import file_of
from tests.support.pace import within
from tests.support.scenes import until
from tests.support.source_tree import ROOT

WORDS = ErrorTexts("selfie", "damaged", "too much")
# Work modules that exist only in this test.
HOSTILE = "tests.support.media.hostile_work"


@pytest.fixture
def pictures(io_loop: IOLoop) -> Iterator[DecodePool]:
    made = DecodePool(PICTURE)
    yield made
    io_loop.run_sync(made.close)


def decoders() -> list[psutil.Process]:
    """The decoder processes among the children of this process, which also has database servers."""
    own = psutil.Process().children()
    return [one for one in own if "models.profiles.decoding.decoder" in " ".join(one.cmdline())]


def ask(kind: str, seconds: float = 20.0, **request: Any) -> dict[str, Any]:
    return DecoderProcess(kind).ask(file_of(jpeg()), file_of(b""), request, seconds)


async def test_a_picture_is_decoded_and_its_process_is_gone(pictures: DecodePool) -> None:
    target = file_of(b"")
    assert "preview" in await pictures.run("ann", WORDS, file_of(jpeg()), target, is_selfie=True)
    target.seek(0)
    assert target.read(2) == b"\xff\xd8"
    await until(lambda: decoders() == [])


async def test_a_process_started_in_advance_is_used_and_replaced(pictures: DecodePool) -> None:
    await pictures.warm()
    await until(decoders)  # A child has the name of its parent until it runs its own program.
    (early,) = decoders()
    await pictures.run("ann", WORDS, file_of(jpeg()), file_of(b""), is_selfie=True)
    await until(decoders)
    (next_one,) = decoders()
    assert next_one.pid != early.pid
    next_one.kill()
    await until(lambda: next_one.status() == psutil.STATUS_ZOMBIE)
    await pictures.run("ann", WORDS, file_of(jpeg()), file_of(b""), is_selfie=True)


def test_a_process_inherits_no_files_and_no_environment() -> None:
    process = DecoderProcess(PICTURE)
    child = psutil.Process(process.pid)
    try:
        assert child.environ() == {}
        opened = os.listdir(f"/proc/{process.pid}/fd")
        assert len(opened) <= 5
        assert child.net_connections("inet") == []
    finally:
        process.end()


@pytest.mark.parametrize(
    ("work", "error"),
    [("spin", OutOfTime), ("crash", Crashed), ("leave", Crashed), ("killed", Lost), ("chatter", Crashed)],
)
def test_a_hostile_upload_ends_its_process_only(work: str, error: type[Exception]) -> None:
    before = os.times()
    with pytest.raises(error):
        ask(HOSTILE, work=work)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert used < CPU_SECONDS + 0.1
    assert decoders() == []


def test_memory_is_limited() -> None:
    answer = ask(HOSTILE, work="grow")
    assert answer["failed"] == "memory"
    assert int(answer["detail"]) * 1024 < 300e6
    assert MOST_MEMORY < 300e6


def test_the_wait_for_an_answer_is_limited() -> None:
    with pytest.raises(Lost):
        ask(HOSTILE, 0.5, work="sleep")
    assert decoders() == []


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    """Even if the parent is killed during the work."""
    code = (
        "import sys, threading; sys.path.insert(0, sys.argv[1])\n"
        "from models.profiles.decoding.processes import DecoderProcess\n"
        "from tests.support.media.files import file_of\n"
        f"process = DecoderProcess({HOSTILE!r}); print(process.pid, flush=True)\n"
        "process.ask(file_of(b'x'), file_of(b''), {'work': 'sleep'}, 60)"
    )
    root = str(ROOT)
    with subprocess.Popen([sys.executable, "-c", code, root], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    child.wait(60)


async def test_failures_are_reported_with_a_message(io_loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = DecodePool(HOSTILE)
    try:
        for work, error in (
            ("spin", "too much"),
            ("grow", "too much"),
            ("crash", "damaged"),
            ("odd", "damaged"),
        ):
            with pytest.raises(Invalid) as refused:
                await hostile.run("ann", WORDS, file_of(b"x"), file_of(b""), work=work)
            assert refused.value.fields == {"selfie": error}
        monkeypatch.setattr(pool, "ANSWER_SECONDS", 0.5)
        with pytest.raises(Unavailable):
            await hostile.run("ann", WORDS, file_of(b"x"), file_of(b""), work="sleep")
    finally:
        await hostile.close()


async def test_a_decoder_that_is_missing_is_unavailable(io_loop: IOLoop) -> None:
    broken = DecodePool("tests.there_is_no_such_module")
    with pytest.raises(Unavailable):
        await broken.run("ann", WORDS, file_of(b"x"), file_of(b""))
    await broken.close()
    with pytest.raises(Unavailable):
        await broken.run("ann", WORDS, file_of(b"x"), file_of(b""))


async def test_closing_the_pool_ends_running_work() -> None:
    hostile = DecodePool(HOSTILE)
    work = asyncio.ensure_future(hostile.run("ann", WORDS, file_of(b"x"), file_of(b""), work="sleep"))
    await until(lambda: bool(decoders()))
    began = time.monotonic()
    await hostile.close()
    with pytest.raises(Unavailable):
        await work
    assert time.monotonic() - began < within(5)
    await until(lambda: decoders() == [])


async def test_one_user_cannot_occupy_every_decoder(pictures: DecodePool) -> None:
    hostile = DecodePool(HOSTILE)
    try:
        spins = [
            asyncio.ensure_future(hostile.run("eve", WORDS, file_of(b"x"), file_of(b""), work="spin"))
            for _ in range(3)
        ]
        await asyncio.sleep(0)
        assert await hostile.run("ann", WORDS, file_of(b"x"), file_of(b""), work="nothing") == {}
        assert not any(one.done() for one in spins[1:])
        assert all(isinstance(one, Invalid) for one in await asyncio.gather(*spins, return_exceptions=True))
    finally:
        await hostile.close()


def test_the_server_itself_imports_no_decoder() -> None:
    decoders = ("av", "models.profiles.decoding.pictures", "models.profiles.decoding.video_remux")
    code = f"import sys, server; print([one for one in {decoders} if one in sys.modules])"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.strip() == "[]"
