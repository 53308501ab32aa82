"""Media responses: byte ranges, and a file that is deleted while it is read."""

from __future__ import annotations

import logging

import pytest
from tornado.simple_httpclient import HTTPStreamClosedError

from models.profiles.media import CHUNK
from tests.conftest import MakePerson, Person, Running
from tests.support.clients import Answer
from tests.support.scenes import rows

DATA = bytes(range(256)) * 9000


async def kept(site: Running, person: MakePerson) -> tuple[Person, str]:
    """A user with a file of three chunks, and its path."""
    ann = await person("Ann")
    async with site.models.db.transaction() as on:
        media_id = await site.models.media.save(ann.user_id, "video", "video/webm", DATA, on=on)
    return ann, f"/media/{media_id}"


async def test_ranges_are_only_for_get(site: Running, person: MakePerson) -> None:
    ann, url = await kept(site, person)
    head = await site.client.send("HEAD", url, token=ann.token, headers={"Range": "bytes=0-9"})
    assert (head.status, head.headers["Content-Length"], head.body) == (200, str(len(DATA)), b"")
    assert "Content-Range" not in head.headers
    behind = await site.client.send("HEAD", url, token=ann.token, headers={"Range": f"bytes={len(DATA)}-"})
    assert behind.status == 200


async def test_a_range_of_an_unchanged_file(site: Running, person: MakePerson) -> None:
    ann, url = await kept(site, person)
    etag = f'"{url.rpartition("/")[2]}"'

    async def asked(**headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await site.client.get(url, token=ann.token, headers=sent)

    part = await asked(Range="bytes=5-6", If_Range=etag)
    assert (part.status, part.body, part.headers["Etag"]) == (206, DATA[5:7], etag)
    for other in ('"another"', f"W/{etag}", "Wed, 21 Oct 2026 07:28:00 GMT"):
        assert (await asked(Range="bytes=5-6", If_Range=other)).status == 200, other
    unchanged = await asked(Range="bytes=5-6", If_None_Match=etag)
    assert (unchanged.status, unchanged.body) == (304, b"")
    several = await asked(Range="bytes=0-1,5-6")
    assert (several.status, len(several.body)) == (200, len(DATA))


async def test_a_file_deleted_while_it_is_read_ends_the_answer_quietly(
    site: Running, person: MakePerson, caplog: pytest.LogCaptureFixture
) -> None:
    ann, url = await kept(site, person)
    await rows(site.models, "delete from media_chunks where seq > 0")
    with caplog.at_level(logging.WARNING), pytest.raises(HTTPStreamClosedError):
        await site.client.get(url, token=ann.token)
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []
    part = await site.client.get(url, token=ann.token, headers={"Range": f"bytes=0-{CHUNK - 1}"})
    assert part.body == DATA[:CHUNK]
