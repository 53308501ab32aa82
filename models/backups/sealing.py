"""Encryption of backups with a passphrase or key (`BACKUP_KEY`), as a stream.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", 2015), as the file format age uses it: chunks of 64 KiB with
ChaCha20-Poly1305 (RFC 8439), whose nonce is a counter and a mark of the last chunk. A cut or reordered file
is detected. The key of a file is derived from the setting and a random salt with scrypt (RFC 7914).
"""

from __future__ import annotations

import os
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"napalmsky sealed backup 1\n"
SALT_BYTES, CHUNK, TAG_BYTES = 16, 64 * 1024, 16


class NotOpened(Exception):
    """The key is wrong, or the file was cut or changed."""


class _Cipher:
    def __init__(self, key: str, salt: bytes) -> None:
        derived = Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(key.encode())
        self._cipher, self._count = ChaCha20Poly1305(derived), 0

    def _nonce(self, *, is_last: bool) -> bytes:
        self._count += 1
        return (self._count - 1).to_bytes(11, "big") + bytes([is_last])

    def seal(self, chunk: bytes, *, is_last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(is_last=is_last), chunk, None)

    def open(self, chunk: bytes, *, is_last: bool) -> bytes:
        """Raises: NotOpened."""
        try:
            return self._cipher.decrypt(self._nonce(is_last=is_last), chunk, None)
        except InvalidTag as error:
            raise NotOpened from error


class Sealer:
    """A file that encrypts what is written to it. `close` writes the last chunk, and leaves the file open."""

    def __init__(self, file: IO[bytes], key: str) -> None:
        salt = os.urandom(SALT_BYTES)
        self._file, self._cipher, self._waiting = file, _Cipher(key, salt), bytearray()
        file.write(MAGIC + salt)

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > CHUNK:
            self._file.write(self._cipher.seal(bytes(self._waiting[:CHUNK]), is_last=False))
            del self._waiting[:CHUNK]
        return len(data)

    def flush(self) -> None:
        """Chunks are written when they are full."""

    def close(self) -> None:
        self._file.write(self._cipher.seal(bytes(self._waiting), is_last=True))


def is_sealed(file: IO[bytes]) -> bool:
    """Whether the file begins as an encrypted backup; its position is then behind that."""
    if file.read(len(MAGIC)) == MAGIC:
        return True
    file.seek(0)
    return False


def unseal(sealed: IO[bytes], key: str, plain: IO[bytes]) -> None:
    """From behind the beginning that `is_sealed` has read. Raises: NotOpened."""
    cipher = _Cipher(key, sealed.read(SALT_BYTES))
    chunk = sealed.read(CHUNK + TAG_BYTES)
    while True:
        following = sealed.read(CHUNK + TAG_BYTES)
        plain.write(cipher.open(chunk, is_last=not following))
        if not following:
            break
        chunk = following
    plain.seek(0)
