"""Encrypted backups: whole with the right key, rejected when cut, reordered or opened with another key."""

from __future__ import annotations

import io

import pytest

from models.backups.sealing import CHUNK, MAGIC, SALT_BYTES, TAG_BYTES, NotOpened, Sealer, is_sealed, unseal

KEY = "a long passphrase"


def sealed(data: bytes) -> bytes:
    file = io.BytesIO()
    sealer = Sealer(file, KEY)
    for first in range(0, len(data), 50_000):
        sealer.write(data[first : first + 50_000])
    sealer.close()
    return file.getvalue()


def opened(data: bytes, key: str = KEY) -> bytes:
    file, plain = io.BytesIO(data), io.BytesIO()
    assert is_sealed(file)
    unseal(file, key, plain)
    return plain.read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_written_is_read(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    assert opened(sealed(data)) == data


def test_the_content_and_its_repetitions_are_hidden() -> None:
    data = b"napalmsky" * 20_000
    one, other = sealed(data), sealed(data)
    assert b"napalmsky" not in one[len(MAGIC) :]
    assert one != other


def test_a_file_that_was_changed_is_rejected() -> None:
    whole = sealed(bytes(3 * CHUNK + 10))
    begin, size = len(MAGIC) + SALT_BYTES, CHUNK + TAG_BYTES
    chunks = [whole[at : at + size] for at in range(begin, len(whole), size)]
    changed = {
        "a bit": whole[:-1] + bytes([whole[-1] ^ 1]),
        "the last chunk is gone": whole[: begin + 3 * size],
        "a part of a chunk is gone": whole[:-3],
        "two chunks are swapped": whole[:begin] + b"".join([chunks[1], chunks[0], *chunks[2:]]),
        "something follows": whole + whole[begin:],
        "only the beginning": whole[:begin],
    }
    assert opened(whole)
    for what, data in changed.items():
        with pytest.raises(NotOpened):
            print(what, len(opened(data)))


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(NotOpened):
        opened(sealed(b"x"), KEY + "!")


def test_a_plain_file_is_not_sealed() -> None:
    file = io.BytesIO(b"PK\x03\x04")
    assert not is_sealed(file)
    assert file.read() == b"PK\x03\x04"
