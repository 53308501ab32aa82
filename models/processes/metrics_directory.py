"""The directory in which the workers of one start keep their metrics; removed at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def metrics_directory(data: Path) -> Iterator[Path]:
    """In the system's temporary directory, which may be in memory; otherwise in the data directory. Raises:
    OSError, if neither can be written.
    """
    with _temporary(data) as path:
        yield Path(path)


def _temporary(data: Path) -> tempfile.TemporaryDirectory[str]:
    with suppress(OSError):
        return tempfile.TemporaryDirectory(prefix="napalmsky-metrics-", ignore_cleanup_errors=True)
    return tempfile.TemporaryDirectory(prefix="metrics-", dir=data, ignore_cleanup_errors=True)
