"""The clauses of the shipped terms that decisions name: one for each reason of a report.

`templates/public/terms/terms.md` has their texts. With TERMS_FILE the operator's own numbers are unknown, so
decisions then name the rule in words only.
"""

from __future__ import annotations

import msgspec

from models.settings.config import Config


class Clause(msgspec.Struct, frozen=True):
    """`number` is None if the site has terms of its own."""

    number: str | None
    words: str

    @property
    def path(self) -> str:
        """The clause in the terms."""
        return f"/terms#clause-{self.number.replace('.', '-')}" if self.number else "/terms"

    @property
    def text(self) -> str:
        """For e-mails and API clients."""
        return f"Clause {self.number} of the terms: {self.words}" if self.number else self.words


CLAUSES = {
    "nudity": Clause("2.1", "No nudity, and nothing sexual, in pictures, videos and calls."),
    "harassment": Clause("2.2", "No harassment, no threats, no hate."),
    "minor": Clause(
        "1.1",
        "You must be 18 or older, and nobody under 18 may be seen in a picture, a video or a call.",
    ),
    "fake": Clause(
        "1.2",
        "The name, the selfie and the video you show must be yours, and so must the face in a call: "
        "no impersonation, no recording in place of a camera.",
    ),
    "spam": Clause("2.3", "No selling, no spam, no bots."),
    "other": Clause("2.6", "Nothing that is illegal, and nothing else that harms the people you meet here."),
}


def clause_of(rule: str, config: Config) -> Clause:
    """The clause for the reason of a report."""
    clause = CLAUSES.get(rule, CLAUSES["other"])
    return Clause(None, clause.words) if config.terms_file else clause
