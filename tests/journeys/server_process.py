"""The real server.py as a child process: a port of its own, a data directory of its own, embedded servers.

`stop` is SIGTERM and waits for the drain; `kill` is SIGKILL of the Python process alone, as a crash would be.
`start` again serves on the same port from the same directory. Its output is kept; `faults` are the lines that
no healthy server writes.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import ROOT
from tests.support.pace import within

START_SECONDS = 90.0  # on a busy machine
STOP_SECONDS = 20.0
SETTINGS = {
    "STUN_URLS": "",
    "GUESTS_PER_HOUR": "100000",
    "API_PER_MINUTE": "1000000",
    "TURN_PER_HOUR": "1000",
    "UNKNOWN_CODES_PER_HOUR": "1000",
    # No server listens there: the pages offer e-mails, and none is sent.
    "SMTP_URL": "smtp://localhost:9",
    "MAIL_FROM": "hello@napalmsky.example",
}
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
FAULTS = ("Traceback", '"level":"error"', '"level": "error"', "napalmsky.csp", "ERROR")


def faults_in(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if any(mark in line for mark in FAULTS)]


class ServerProcess:
    # What to write before the command: the network namespace that the process shall be in.
    prefix: tuple[str, ...] = ()

    def __init__(self, home: Path, port: int, *words: str, **settings: str) -> None:
        """`words` follow `server.py`; without them the site is served."""
        self.port = port
        self._words = words
        self.url = f"http://localhost:{port}"
        self.log = home / "server.log"
        self._environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.plain_url = f"http://insecure.test:{port}"  # not loopback by name: no secure context
        own = {"PORT": str(port), "DATA_DIR": str(home / "data"), "ALLOWED_ORIGINS": self.plain_url}
        self._environment |= SETTINGS | own | settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once /readyz says so."""
        with self.log.open("ab") as log:
            command = [*self.prefix, sys.executable, "server.py", *self._words]
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"The server does not come up:\n{self.log.read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """SIGTERM; the drain must end with exit code 0."""
        assert self._end(signal.SIGTERM) == 0, self.log.read_text()

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def crash(self) -> None:
        self.kill()
        self.start()

    def command(self, *words: str) -> str:
        """The output of another command that runs beside the site."""
        ran = subprocess.run(
            [sys.executable, "server.py", *words],
            cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True, timeout=START_SECONDS,
            check=True,
        )  # fmt: skip
        return ran.stdout

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(within(STOP_SECONDS))
        self._process = None
        return code

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("localhost", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    @property
    def faults(self) -> list[str]:
        """Tracebacks, errors and content-policy reports in the log so far."""
        return faults_in(self.log)
