"""WebSocket frames (RFC 6455) without I/O, by the library `websockets`: the handshake, frames in, frames out.

No extensions and no subprotocols. Malformed frames fail with 1002, invalid UTF-8 with 1007, too long messages
with this application's own close code. A whole text message is read and written here, at a fraction of the
library's cost; the library handles everything else.
"""

from __future__ import annotations

import base64
import logging

from tornado.httputil import HTTPServerRequest
from websockets.frames import Close, CloseCode, Opcode
from websockets.frames import Frame as Frame
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.utils import accept_key

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library was installed without its compiled part
    from websockets.utils import apply_mask

# The library logs every opening as INFO.
LIBRARY = logging.getLogger("websockets.server")
LIBRARY.setLevel(logging.WARNING)
LONGEST_REASON = 123
NOT_UTF8, INTERNAL = 1007, 1011
BINARY, CLOSE, CONT, PING = Opcode.BINARY, Opcode.CLOSE, Opcode.CONT, Opcode.PING
PONG, TEXT = Opcode.PONG, Opcode.TEXT
DATA = (TEXT, BINARY, CONT)
ANSWER = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: {}\r\n\r\n"
)
NONCE_BYTES = 16
# The first byte of a whole text message; the first two of an unmasked one of up to 125 bytes, by its length.
WHOLE_TEXT = 0x81
SHORT_HEADS = tuple(bytes((WHOLE_TEXT, size)) for size in range(126))
MASKED, TWO_BYTES, EIGHT_BYTES = 0x80, 126, 127
# 4 KiB of the smallest frames take a few milliseconds; the caller checks the budget in between.
PIECE = 4096


class FrameProtocol(ServerProtocol):
    """One connection after its handshake. `too_big` is the close code for messages above `max_bytes`."""

    def __init__(self, max_bytes: int, too_big: int) -> None:
        super().__init__(state=State.OPEN, max_size=max_bytes, logger=LIBRARY)
        self.max_bytes, self._too_big = max_bytes, too_big

    def frames_of(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes. The answers to them are in `data_to_send`."""
        self.receive_data(data)
        # After the handshake, every event is a frame.
        frames: list[Frame] = self.events_received()  # type: ignore[assignment]
        return frames

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
        # What the library has of a frame that is not complete, and whether a message is not complete.
        self._partial, self._is_fragmented = 0, False
        self._answers: list[bytes] = []
        self.farewell: list[bytes] = []

    def feed(self, data: bytes) -> None:
        if self._unread:
            self._unread, self._at = self._unread[self._at :] + data, 0
        else:
            self._unread = data

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to parse, to give out or to send at the end."""
        return not (self._unread or self._frames or self.farewell)

    def next(self) -> Frame | bytes | None:
        """The next frame, or the text of a whole message; None if nothing is complete or all is over."""
        while not self._frames:
            if not self._unread or self.farewell:
                return None
            if not self._partial and not self._is_fragmented and (text := self._whole_text()) is not None:
                return text
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

    def _whole_text(self) -> bytes | None:
        """The text of the next frame, if it is a whole text message, here completely, and not too long."""
        data, at, end = self._unread, self._at, len(self._unread)
        if data[at] != WHOLE_TEXT or end - at < 8:
            return None
        # Negative if the frame is not masked, which is an error.
        size, at = data[at + 1] - MASKED, at + 2
        if size == TWO_BYTES:
            size, at = data[at] << 8 | data[at + 1], at + 2
        elif size == EIGHT_BYTES:
            return None
        start, stop = at + 4, at + 4 + size
        if not 0 <= size <= self._protocol.max_bytes or stop > end:
            return None
        if stop == end:
            self._unread, self._at = b"", 0
        else:
            self._at = stop
        return apply_mask(data[start:stop], data[at:start])

    def _next_piece(self) -> bytes:
        begin, unread = self._at, self._unread
        self._at = begin + PIECE
        if self._at < len(unread):
            return unread[begin : self._at]
        self._unread, self._at = b"", 0
        return unread[begin:]

    def _parse(self, piece: bytes) -> None:
        frames = self._protocol.frames_of(piece)
        self._partial += len(piece)
        for frame in frames:
            self._partial -= _least_size(len(frame.data))
            if frame.opcode in DATA:
                self._is_fragmented = not frame.fin
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
    headers = request.headers
    key = headers.get("Sec-WebSocket-Key", "")
    if request.version != "HTTP/1.1" or not headers.get("Host") or not _is_nonce(key):
        return None
    return ANSWER.format(accept_key(key)).encode()


def _is_nonce(key: str) -> bool:
    """Whether this is one key of 16 bytes. Several headers of that name are joined by commas."""
    try:
        return len(base64.b64decode(key, validate=True)) == NONCE_BYTES
    except ValueError:
        return False


def _least_size(size: int) -> int:
    """The size of a masked frame with `size` bytes of payload, in the shortest form. If a client uses a
    longer form, the count of what is missing stays too high, and the library reads all that follows.
    """
    return size + (6 if size < TWO_BYTES else 8 if size < 65536 else 14)


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
