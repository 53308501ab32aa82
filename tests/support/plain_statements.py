"""Statements of a test itself, without a file of SQL."""

from __future__ import annotations

from models.postgres.database import Db
from models.postgres.statements import Statement, Statements

PREPARED = frozenset({"planned", "shape"})


class Plain(Statements):
    """Statements of the test itself."""

    def __init__(self, db: Db, **sql: str) -> None:
        self._db = db
        self._queries = {name: Statement(name, text, name in PREPARED) for name, text in sql.items()}
