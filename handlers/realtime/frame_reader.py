"""The frames of the data that one client sends, parsed a piece at a time and given out one by one."""

from __future__ import annotations

from handlers.realtime.frame_protocol import Frame, FrameProtocol

# 4 KiB of the smallest frames take a few milliseconds; the caller checks the budget in between.
PIECE = 4096


class FrameReader:
    """`farewell` is what remains to be sent once the client has closed or violated the protocol: it is empty
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
