"""Ids and codes: where they come from, and what passes for one."""

from __future__ import annotations

import uuid

import pytest

from models.ids import CROCKFORD, as_code, is_id, new_code, new_id, notice_reference, report_reference


def test_ids_are_random_uuids_in_lower_case() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(is_id(one) and uuid.UUID(one).version == 4 for one in ids)


ID = "0b9c1f64-7a0e-4d53-9b1f-3f2f6f1c8a27"


def test_references_name_their_kind_and_are_short() -> None:
    assert (report_reference(ID), notice_reference(ID)) == ("R-0B9C1F647A", "N-0B9C1F647A")


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "",
        "x",
        ID.upper(),
        ID[1:],
        ID + "0",
        ID + "\n",
        f"{{{ID}}}",
    ],
)
def test_what_is_no_id(value: object) -> None:
    assert not is_id(value)


def test_codes_are_sixteen_letters_of_crockford() -> None:
    codes = {new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(len(code) == 16 and set(code) <= set(CROCKFORD) and as_code(code) == code for code in codes)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("abcd-efgh-jkmn-pqrs", "ABCDEFGHJKMNPQRS"),
        ("oOiIlL00 1234 5678\t", "0011110012345678"),
        ("ABCDEFGHJKMNPQRU", None),
        ("ABCDEFGHJKMNPQR", None),
        ("ABCDEFGHJKMNPQRSS", None),
        ("ÄBCDEFGHJKMNPQRS", None),
        ("", None),
    ],
)
def test_a_code_is_read_as_people_type_it(typed: str, code: str | None) -> None:
    assert as_code(typed) == code
