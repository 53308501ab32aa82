"""Settings of the session that DATABASE_URL, the user or the database brings along: ours replace them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from models.postgres.async_connection import connect, read_url
from tests.support.servers import Servers

ASK = r"select '1 day 2 hours'::interval, 0.1::float8 + 0.2::float8, 'a\b', now()::text like '%+00'"
WANTED = (timedelta(days=1, hours=2), 0.1 + 0.2, r"a\b", True)


@pytest.mark.parametrize(
    "option",
    [
        "intervalstyle=sql_standard",
        "intervalstyle=iso_8601",
        "extra_float_digits=-10",
        "standard_conforming_strings=off",
        "timezone=Asia/Kolkata",
        "datestyle=SQL",
        "bytea_output=escape",
    ],
)
async def test_values_are_read_in_one_form(servers: Servers, option: str) -> None:
    url = f"{servers.database_url}&options={quote('-c' + option, safe='')}"
    connection = await connect(read_url(url))
    try:
        await connection.execute(ASK)
        assert connection.cursor.fetchall() == [WANTED]
        await connection.execute(r"select '\x00ff'::bytea")
        assert bytes(connection.cursor.fetchall()[0][0]) == b"\0\xff"
    finally:
        connection.close()
