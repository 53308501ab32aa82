"""Forms parsed as they arrive: the file and the fields are found, and malformed forms are rejected."""

from __future__ import annotations

import pytest

from handlers.http.multipart import MOST_FIELD, MOST_PARTS, FormReader
from models.errors import BadRequest, TooLarge
from tests.support.clients import multipart
from tests.support.media.files import file_of


def parsed(
    body: bytes, kind: str = "multipart/form-data; boundary=b", *, step: int = 65536, most: int = 4_000_000
) -> dict[str, bytes]:
    file = file_of(b"")
    reader = FormReader(kind, "video", file, most)
    for at in range(0, len(body), step):
        reader.write(body[at : at + step])
    reader.end()
    file.seek(0)
    return reader.fields | ({"video": file.read()} if reader.has_file else {})


@pytest.mark.parametrize("data", [b"", b"x", b"\r\n", b"--", b"\r\n--", bytes(3_000_000)])
def test_every_part_is_found(data: bytes) -> None:
    body, kind = multipart("video", "a.webm", "video/webm", data, _xsrf="token", other="é")
    expected = {"_xsrf": b"token", "other": "é".encode(), "video": data}
    assert parsed(body, kind) == expected
    assert parsed(body, kind, step=1 if len(data) < 99 else 1000) == expected


def test_the_boundary_may_be_quoted_and_headers_in_any_case() -> None:
    head = b'content-type: x/y\r\nCONTENT-DISPOSITION: form-data;  name="video"; filename="name=z"'
    body = b"--b\r\n" + head + b"\r\n\r\n1\r\n--b--"
    assert parsed(body, 'multipart/form-data; boundary="b"; charset=utf-8') == {"video": b"1"}


HEAD = b'--b\r\nContent-Disposition: form-data; name="video"\r\n\r\n'


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
def test_a_malformed_form_is_rejected(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parsed(body)


def test_a_form_without_a_boundary_is_rejected() -> None:
    with pytest.raises(BadRequest):
        parsed(HEAD + b"1\r\n--b--", "multipart/form-data")


def test_a_file_is_rejected_as_soon_as_it_is_too_long() -> None:
    with pytest.raises(TooLarge):
        parsed(HEAD + bytes(101), most=100)
    assert parsed(HEAD + bytes(100) + b"\r\n--b--", most=100) == {"video": bytes(100)}


def test_of_two_files_with_one_name_the_later_counts() -> None:
    assert parsed(HEAD + b"first\r\n" + HEAD + b"2nd\r\n--b--") == {"video": b"2nd"}


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=" + "x" * 300, "multipart/form-data; boundary="]
)
def test_a_boundary_is_neither_empty_nor_too_long(kind: str) -> None:
    with pytest.raises(BadRequest):
        parsed(b"", kind)


def test_only_the_start_of_another_field_is_kept() -> None:
    body = HEAD.replace(b"video", b"other") + b"a" * (MOST_FIELD + 1) + b"\r\n--b--"
    assert parsed(body) == {"other": b"a" * MOST_FIELD}
