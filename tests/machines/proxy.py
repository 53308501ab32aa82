"""The HAProxy of deploy/haproxy: the same file, with the tests' ports instead of its addresses."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import ROOT

EXAMPLE = ROOT / "deploy" / "haproxy" / "haproxy.cfg"
START_SECONDS = 60.0


def filled_in(port: int, machines: Sequence[int]) -> str:
    """Replaces only the values that are marked as the operator's own."""
    text = EXAMPLE.read_text().replace("    bind :8080\n", f"    bind 127.0.0.1:{port}\n")
    for name, own in zip(("one", "two", "three"), machines, strict=True):
        text, found = re.subn(rf"(    server {name}) \S+\n", rf"\1 127.0.0.1:{own}\n", text)
        assert found == 2
    return text


class Proxy:
    def __init__(self, home: Path, port: int, machines: Sequence[int]) -> None:
        self.port = port
        self.url = f"http://localhost:{port}"
        self._file, self._log = home / "haproxy.cfg", home / "haproxy.log"
        self._file.write_text(filled_in(port, machines))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Runs in the foreground as our own child; returns once it accepts connections."""
        with self._log.open("ab") as log:
            command = ["haproxy", "-db", "-f", str(self._file)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._is_listening():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, "HAProxy does not come up"
            time.sleep(0.02)

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
