"""What a partner of the demo says in the chat. Plain, short, and clear about being a robot."""

from __future__ import annotations

import re

LIKES = (
    "long train rides", "old maps", "the sound of rain", "baking bread", "night swimming", "crosswords",
    "mountain huts", "jazz records", "street markets", "growing tomatoes", "chess in the park", "lighthouses",
)  # fmt: skip
QUESTIONS = (
    "What would you do with a free afternoon?",
    "Which song did you last have stuck in your head?",
    "Which place would you show a visitor first?",
    "What did you want to become as a child?",
)


def greeting(own_name: str, other_name: str, seed: int) -> list[str]:
    like = LIKES[seed % len(LIKES)]
    return [
        f"Hi {other_name}! I am {own_name}, a robot of this demo. My picture and my voice are generated.",
        f"I pretend to like {like}. {question(seed)}",
    ]


def question(number: int) -> str:
    return QUESTIONS[number % len(QUESTIONS)]


def goodbye(other_name: str) -> str:
    return f"Our time is nearly up. Goodbye, {other_name}, it was nice to meet you!"


def reply(text: str, other_name: str, number: int) -> str:
    """An answer to what the other wrote; `number` counts the answers of this call."""
    words = set(re.findall(r"[a-z]+", text.lower()))
    if words & {"bye", "goodbye", "ciao", "tschüss"}:
        return f"Goodbye, {other_name}! You can hang up, I will be back in the room at once."
    if words & {"hi", "hello", "hey", "hallo", "hola"}:
        return f"Hello again, {other_name}! {question(number)}"
    if "?" in text:
        return "A good question for a person. I am a robot and only know a few sentences."
    return f"Thank you for telling me. {question(number + 1)}"
