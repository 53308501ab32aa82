"""WebSocket frames (RFC 6455) without I/O, by the library `websockets`: the handshake, frames in, frames out.

No extensions and no subprotocols. Malformed frames fail with 1002, invalid UTF-8 with 1007, too long messages
with this application's own close code.
"""

from __future__ import annotations

import logging
from typing import cast

from tornado.httputil import HTTPServerRequest
from websockets.datastructures import Headers
from websockets.frames import Close, CloseCode, Opcode
from websockets.frames import Frame as Frame
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

# The library logs every opening as INFO.
LIBRARY = logging.getLogger("websockets.server")
LIBRARY.setLevel(logging.WARNING)
LONGEST_REASON = 123
NOT_UTF8, INTERNAL = 1007, 1011
BINARY, CLOSE, CONT, PING = Opcode.BINARY, Opcode.CLOSE, Opcode.CONT, Opcode.PING
PONG, TEXT = Opcode.PONG, Opcode.TEXT
HANDSHAKE = ("Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version")
# The first two bytes of a whole, unmasked text message of up to 125 bytes, by its length.
SHORT_HEADS = tuple(bytes((0x81, size)) for size in range(126))
# 4 KiB of the smallest frames take a few milliseconds; the caller checks the budget in between.
PIECE = 4096


class FrameProtocol(ServerProtocol):
    """One connection after its handshake. `too_big` is the close code for messages above `max_bytes`."""

    def __init__(self, max_bytes: int, too_big: int) -> None:
        super().__init__(state=State.OPEN, max_size=max_bytes, logger=LIBRARY)
        self._too_big = too_big

    def frames_of(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes. The answers to them are in `data_to_send`."""
        self.receive_data(data)
        return cast("list[Frame]", self.events_received())

    def send_close(self, code: CloseCode | int | None = None, reason: str | None = "") -> None:
        super().send_close(code, _short(reason))

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        if code == CloseCode.MESSAGE_TOO_BIG:
            code, reason = self._too_big, "too big"
        super().fail(code, _short(reason))


class FrameReader:
    """The frames of the data that one client sends, parsed a piece at a time and given out one by one.

    `farewell` is what remains to be sent once the client has closed or violated the protocol: it is empty
    before, and nothing more is parsed afterwards.
    """

    def __init__(self, protocol: FrameProtocol) -> None:
        self._protocol = protocol
        # The data received, parsed up to `_at`; then the parsed frames, last first.
        self._unread, self._at = b"", 0
        self._frames: list[Frame] = []
        self._answers: list[bytes] = []
        self.farewell: list[bytes] = []

    def feed(self, data: bytes) -> None:
        if self._unread:
            self._unread, self._at = self._unread[self._at :] + data, 0
        else:
            self._unread = data

    def next(self) -> Frame | None:
        """The next frame; None if no frame is complete or the connection is over."""
        while not self._frames:
            if not self._unread or self.farewell:
                return None
            self._parse(self._next_piece())
        return self._frames.pop()

    def answers(self) -> list[bytes]:
        """The PONGs to the PINGs of the frames parsed so far, each once."""
        answers, self._answers = self._answers, []
        return answers

    def forget_frames(self) -> None:
        """Drops the frames that are parsed and not given out."""
        self._frames = []

    def clear(self) -> None:
        self._unread, self._at, self._frames = b"", 0, []

    def _next_piece(self) -> bytes:
        begin, unread = self._at, self._unread
        self._at = begin + PIECE
        if self._at < len(unread):
            return unread[begin : self._at]
        self._unread, self._at = b"", 0
        return unread[begin:]

    def _parse(self, piece: bytes) -> None:
        frames = self._protocol.frames_of(piece)
        frames.reverse()
        self._frames = frames
        written = self._protocol.data_to_send()
        # The library marks the end by an empty item.
        if written and not written[-1]:
            self.farewell = written
        elif written:
            self._answers += written


def answer_to(request: HTTPServerRequest) -> bytes | None:
    """The 101 response to a handshake; None if it is incomplete. Tornado has checked the rest of the
    request.
    """
    headers = Headers()
    for name in HANDSHAKE:
        for value in request.headers.get_list(name):
            headers[name] = value
    handshake = ServerProtocol(logger=LIBRARY)
    response = handshake.accept(Request(request.uri or "/", headers, request.method or "", request.version))
    if response.status_code != 101 or not request.headers.get("Host"):
        return None
    handshake.send_response(response)
    return b"".join(handshake.data_to_send())


def text_frame(payload: bytes) -> bytes:
    """One whole text message, as `Frame.serialize` of the library writes it, at a third of its cost."""
    size = len(payload)
    if size < 126:
        return SHORT_HEADS[size] + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload


def close_code_of(payload: bytes) -> int:
    """The code of a Close frame that the library has accepted; 1005 without one."""
    return int(Close.parse(payload).code)


def _short(reason: str | None) -> str:
    """Truncates a text to fit a Close frame, never inside a character."""
    return (reason or "").encode()[:LONGEST_REASON].decode(errors="ignore")
