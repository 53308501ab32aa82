"""A form with one file, parsed as it arrives (RFC 7578): the file goes to disk, other fields are short.

Limits: ten parts, the first 4 KiB of each other field, and the limit of the file. If two parts have the same
name, the later one counts. Malformed and incomplete forms are rejected.
"""

from __future__ import annotations

import logging
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from models.errors import BadRequest, TooLarge
from models.profiles.uploads import write_all

MOST_PARTS, MOST_FIELD = 10, 4096
# The library logs the data it was sent.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


class FormReader:
    """Call `write` with each piece of the body, then `end`; `fields` has the fields of the form without the
    file.
    """

    def __init__(self, content_type: str, name: str, file: BinaryIO, most: int) -> None:
        """The part called `name` is written to `file`. Raises: BadRequest, if there is no boundary."""
        self.fields: dict[str, bytes] = {}
        self.has_file = False
        self._name, self._file, self._most = name.encode(), file, most
        self._parts, self._size = 0, 0
        self._header, self._value, self._part = b"", b"", b""
        self._is_ended = False
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        try:
            self._parser = self._make_parser(boundary)
        except FormParserError as error:
            raise BadRequest("The form could not be read.") from error

    def write(self, chunk: bytes) -> None:
        """Raises: BadRequest, TooLarge, Unavailable, DiskFull."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise BadRequest("The form could not be read.") from error

    def end(self) -> None:
        """Raises: BadRequest, if the last boundary is missing."""
        if not self._is_ended:
            raise BadRequest("The form could not be read.")

    def _make_parser(self, boundary: bytes) -> MultipartParser:
        if not boundary:
            raise FormParserError("no boundary")
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header,
                "on_header_value": self._add_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._start_content,
                "on_part_data": self._add_content,
                "on_end": self._finish,
            },
        )

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise FormParserError("too many parts")
        self._part = b""

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._part = parse_options_header(self._value)[1].get(b"name", b"")
        self._header = self._value = b""

    def _start_content(self) -> None:
        """Raises: FormParserError, for a part without a name."""
        if not self._part:
            raise FormParserError("a part without a name")
        if self._part == self._name:
            self.has_file, self._size = True, 0
            self._file.seek(0)
            self._file.truncate()
        else:
            self.fields[self._part.decode(errors="replace")] = b""

    def _add_content(self, data: bytes, start: int, end: int) -> None:
        if self._part == self._name:
            self._add_to_file(data[start:end])
            return
        name = self._part.decode(errors="replace")
        self.fields[name] = (self.fields[name] + data[start:end])[:MOST_FIELD]

    def _add_to_file(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._most:
            raise TooLarge
        write_all(self._file, data)

    def _finish(self) -> None:
        self._is_ended = True
