"""Forms received into a file: each part is found, and what is no form is a plain refusal."""

from __future__ import annotations

import tempfile

import pytest

from handlers.multipart import MOST_PARTS, parts_of
from models.errors import BadRequest
from tests.clients import multipart


def parsed(body: bytes, kind: str = "multipart/form-data; boundary=b") -> dict[str, bytes]:
    with tempfile.TemporaryFile() as file:
        file.write(body)
        return {name: part.read() for name, part in parts_of(file, kind).items()}


@pytest.mark.parametrize("data", [b"", b"x", b"\r\n", b"--", b"\r\n--", bytes(3_000_000)])
def test_every_part_is_found(data: bytes) -> None:
    body, kind = multipart("video", "a.webm", "video/webm", data, _xsrf="token", other="é")
    assert parsed(body, kind) == {"_xsrf": b"token", "other": "é".encode(), "video": data}


def test_the_boundary_may_be_quoted_and_heads_in_any_case() -> None:
    head = b'content-type: x/y\r\nCONTENT-DISPOSITION: form-data;  name="v"; filename="name=z"'
    body = b"--b\r\n" + head + b"\r\n\r\n1\r\n--b--"
    assert parsed(body, 'multipart/form-data; boundary="b"; charset=utf-8') == {"v": b"1"}


HEAD = b'--b\r\nContent-Disposition: form-data; name="v"\r\n\r\n'


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"no mark at all", HEAD, HEAD + b"1", HEAD + b"1\r\n--b", HEAD + b"1\r\n--b\r\n",
        b"--b\r\nno: name\r\n\r\n1\r\n--b--",
        b'--b\r\nContent-Disposition: form-data; name="v"\r\n1\r\n--b--',
        b"--b\r\n" + b"a" * 9000 + HEAD[5:] + b"1\r\n--b--",
        (HEAD + b"1\r\n") * (MOST_PARTS + 1) + b"--b--",
    ],
)  # fmt: skip
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parsed(body)


def test_a_form_without_a_boundary_is_refused() -> None:
    with pytest.raises(BadRequest):
        parsed(HEAD + b"1\r\n--b--", "multipart/form-data")
