"""What a robot says: that it is one, and something that fits."""

from __future__ import annotations

import pytest

from robots import phrases


def test_it_says_that_it_is_a_robot() -> None:
    assert "a robot" in phrases.greeting("Mira", "Ann", 0)[0]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("bye!", "Goodbye, Ann!"),
        ("Hello", "Hello again, Ann!"),
        ("Where do you live?", "A good question"),
        ("I like trains", "Thank you"),
    ],
)
def test_answers_fit(text: str, answer: str) -> None:
    assert phrases.reply(text, "Ann", 1).startswith(answer)


@pytest.mark.parametrize("seed", range(12))
def test_no_line_is_longer_than_a_message_may_be(seed: int) -> None:
    assert all(len(line) <= 500 for line in phrases.greeting("Mira", "A" * 40, seed))
