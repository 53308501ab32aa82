"""Structured logs: one JSON object per line on standard error, without secrets.

Nothing that a user sent is logged: no token, code, text, SDP or address. Tornado's own access log is off,
because it shows query strings.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from contextvars import ContextVar
from datetime import UTC, datetime

SECONDS_BETWEEN = 60.0
ENCODER = json.JSONEncoder(default=str, ensure_ascii=False)
# The attributes of every LogRecord; all others were given as `extra`.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


REQUEST: ContextVar[str] = ContextVar("request", default="")


def begin_request() -> None:
    """Gives the lines of one request a random id; its tasks inherit it."""
    REQUEST.set(secrets.token_hex(6))


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST.get():
            line["request"] = request_id
        line |= {name: value for name, value in vars(record).items() if name not in STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return ENCODER.encode(line)


class TextLines(logging.Formatter):
    """For a person at a terminal: the time, the level, the message, and the other fields."""

    def format(self, record: logging.LogRecord) -> str:
        facts = {name: value for name, value in vars(record).items() if name not in STANDARD}
        more = "".join(f"  {name}={value}" for name, value in facts.items())
        at = datetime.fromtimestamp(record.created).astimezone()
        text = f"{at:%H:%M:%S} {record.levelname.lower():7} {record.getMessage()}{more}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class WithoutValues(logging.Filter):
    """Removes the values from Tornado's warnings: a malformed header can hold a token, and every warning
    holds an address. The same warning is logged once a minute.
    """

    def __init__(self) -> None:
        super().__init__()
        self._logged_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            return True
        record.msg, record.args = re.sub(r"%[-0-9.]*[a-z]", "…", str(record.msg)), ()
        now = time.monotonic()
        is_due = now - self._logged_at.get(record.msg, -SECONDS_BETWEEN) >= SECONDS_BETWEEN
        if is_due:
            self._logged_at[record.msg] = now
        return is_due


def set_up_logs(kind: str = "json", level: int = logging.INFO) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if kind == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # No line shows these, so they need not be found out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # These two loggers log whole request lines and addresses.
    for name in ("tornado.access", "yoyo", "httpx", "stripe"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("tornado.general").addFilter(WithoutValues())
