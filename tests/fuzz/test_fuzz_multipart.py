"""Forms of any bytes, in any pieces: a form, or a refusal; never another exception, never much time."""

from __future__ import annotations

import random
import time

import pytest

from handlers.http.multipart import MOST_FIELD, MOST_PARTS, FormReader
from models.errors import BadRequest, TooLarge
from tests.fuzz.budget import rounds
from tests.support.clients import multipart
from tests.support.media.files import file_of

MOST = 100_000
PIECES = [
    b"\r\n", b"\n", b"\r", b"--", b"--b", b"\r\n--b", b"\r\n--b--", b"--b--\r\n", b":", b";", b"=", b'"',
    b"\0", b"\xff", b'Content-Disposition: form-data; name="video"',
    b'content-disposition: form-data; name="video"; filename="a"',
    b"Content-Disposition: form-data; name=video", b"Content-Disposition: form-data; name*=utf-8''video",
    b"Content-Type: multipart/mixed; boundary=b", b"Content-Transfer-Encoding: base64", b" " * 5000,
    b"a" * 9000,
    b'Content-Disposition: form-data; name="' + b"x" * 3000 + b'"',
]  # fmt: skip
KINDS = [
    "multipart/form-data; boundary=b",
    'multipart/form-data; boundary="b"',
    "multipart/form-data;boundary=b;x=y",
]


def mutated(body: bytes, chance: random.Random) -> bytes:
    data = bytearray(body)
    for _ in range(chance.randint(0, 6)):
        at, size = chance.randint(0, len(data)), chance.choice((0, 1, 2, 10, 1000))
        data[at : at + size] = chance.choice(PIECES) * chance.choice((1, 1, 1, 3, 50))
    return bytes(data)


@pytest.mark.prove
def test_any_bytes_are_a_form_or_a_refusal() -> None:
    chance, forms = random.Random(11), 0
    for number in rounds():
        data = bytes(chance.randbytes(chance.choice((0, 1, 100, 70_000, MOST + 1))))
        body, kind = multipart("video", "a", "video/webm", data, _xsrf="token")
        mark = kind.rpartition("=")[2]
        body = mutated(body.replace(mark.encode(), b"b"), chance)
        kind = (
            chance.choice(KINDS) if chance.random() < 0.95 else chance.choice(KINDS)[: chance.randint(0, 40)]
        )
        began, file = time.process_time(), file_of(b"")
        try:
            reader = FormReader(kind, "video", file, MOST)
            at = 0
            while at < len(body):
                size = chance.choice((1, 2, 7, 100, 65536)) if len(body) < 5000 else 65536
                reader.write(body[at : at + size])
                at += size
            reader.end()
            forms += 1
        except (BadRequest, TooLarge):
            pass
        else:
            assert len(reader.fields) <= MOST_PARTS
            assert all(len(one) <= MOST_FIELD for one in reader.fields.values())
        assert file.seek(0, 2) <= MOST
        assert time.process_time() - began < 1, (number, kind, body[:300])
    assert forms
