"""Structured logs: one JSON object per line on standard error, without secrets.

Nothing that a user sent is logged: no token, code, text, SDP or address. Tornado's own access log is off,
because it shows query strings.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

# The attributes of every LogRecord; all others were given as `extra`.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def set_up_logs(level: int = logging.INFO) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These two loggers log whole request lines and addresses.
    for name in ("tornado.access", "yoyo", "httpx", "stripe"):
        logging.getLogger(name).setLevel(logging.WARNING)
