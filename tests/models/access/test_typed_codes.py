"""Codes in typed and pasted text: found only where a reader would find one."""

from __future__ import annotations

import random
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.access.typed_codes import MOST_TYPED, code_in
from models.ids import CROCKFORD, new_code

CODE = "8GZK2M4TV0QX71WA"
LINK = f"https://napalm.example/onboarding?inviteCode={CODE}"
WRAPPED = f"https://l.example/l.php?u={quote(LINK + '&utm_source=x', safe='')}&h=AT0{'x' * 13}"
FOUND = {
    "as it is": CODE,
    "lower case": CODE.lower(),
    "grouped": "8GZK-2M4T-V0QX-71WA",
    "odd groups": "8G ZK2 M4TV-0QX7 1WA",
    "O for 0, I and L for 1": "8gzk2m4tvoqx7lwa",
    "I for 1": "8gzk2m4tvOqx7Iwa",
    "full-width": "８ＧＺＫ－２Ｍ４Ｔ－Ｖ０ＱＸ－７１ＷＡ",
    "Arabic digits": "٨GZK٢M٤TV٠QX٧١WA",
    "Devanagari digits": "८GZK२M४TV०QX७१WA",
    "line breaks": "8GZK\r\n2M4T\nV0QX\t71WA\n",
    "a label": "Code: 8GZK-2M4T-V0QX-71WA",
    "a label without a colon": "Invite code 8GZK 2M4T V0QX 71WA",
    "the label of recovery codes": "Recovery code: 8GZK-2M4T-V0QX-71WA",
    "a French label": "Code\u00a0: 8GZK 2M4T V0QX 71WA",
    "a label in another language": "Код: 8GZK 2M4T V0QX 71WA",
    "a Chinese label": "邀请码：8GZK2M4TV0QX71WA。",
    "a sentence": "Hey! Use my code 8GZK-2M4T-V0QX-71WA on Napalm Sky, see you there.",
    "a sentence with is": "My code is 8GZK2M4TV0QX71WA!",
    "a sentence without a label": "Come here: 8GZK 2M4T V0QX 71WA, then call.",
    "words of four letters around": "come here 8GZK 2M4T V0QX 71WA then call",
    "quotes and stars": "*“8GZK-2M4T-V0QX-71WA”*",
    "a link": LINK,
    "a link with a full stop": f"{LINK}.",
    "a link in a sentence": f"Napalm Sky invites you ({LINK}), come in!",
    "a link in angle brackets": f"<{LINK}>",
    "tracking after it": f"{LINK}&utm_source=whatsapp&fbclid=IwAR0123456789AB",
    "tracking before it": f"https://napalm.example/onboarding?fbclid=IwAR0123456789AB&inviteCode={CODE}#top",
    "upper-case host": f"HTTPS://NAPALM.EXAMPLE/onboarding?inviteCode={CODE}",
    "all in upper case": LINK.upper(),
    "another path": f"http://localhost:8080/de/sky/onboarding/?inviteCode={CODE}",
    "no scheme": f"napalm.example/onboarding?inviteCode={CODE}",
    "a dash in the link": "https://napalm.example/onboarding?inviteCode=8GZK-2M4T-V0QX-71WA",
    "encoded spaces": "https://napalm.example/onboarding?inviteCode=8GZK%202M4T+V0QX%2071WA",
    "encoded": quote(LINK, safe=""),
    "encoded twice": quote(quote(LINK, safe=""), safe=""),
    "inside another link": WRAPPED,
    "as HTML": f'<a href="https://napalm.example/onboarding?introduce=x&amp;inviteCode={CODE}">in</a>',
    "quoted-printable": f"https://napalm.example/onboarding?inviteCode=3D{CODE}",
    "groups of eight in a sentence": "Use 8GZK2M4T-V0QX71WA today",
    "groups of eight with a space": "Hi Anna your code 8GZK2M4T V0QX71WA from Kim",
    "groups of five": "use 8GZK2-M4TV0-QX71W-A today",
    "groups of two in a sentence": "use 8G ZK 2M 4T V0 QX 71 WA today",
    "groups of three in a sentence": "use 8GZ-K2M-4TV-0QX-71W-A today",
    "read out letter by letter": "take 8 G Z K 2 M 4 T V 0 Q X 7 1 W A ok",
    "a label without a space": f"code{CODE}",
    "a label in angle brackets": f"code<{CODE}>",
    "a label without a space, in groups": "see you, invitecode8gzk-2m4t-v0qx-71wa ok",
    "a hash": f"code #{CODE}",
    "underlined": f"use _{CODE}_ now",
    "Chinese without spaces": f"我的邀请码是{CODE}快来",
    "Chinese without spaces, in groups": "我的邀请码是8GZK-2M4T-V0QX-71WA快来",
    "Thai without spaces": f"โค้ด{CODE}นะ",
    "Japanese, full-width": "コードは８ＧＺＫ２Ｍ４ＴＶ０ＱＸ７１ＷＡです",
    "Cyrillic letters that look the same": "8GZК-2М4Т-V0QХ-71WА",
    "Greek letters that look the same": "код 8GΖΚ2Μ4ΤV0QΧ71WΑ",
    "mathematical letters": "𝟖𝐆𝐙𝐊𝟐𝐌𝟒𝐓𝐕𝟎𝐐𝐗𝟕𝟏𝐖𝐀",
    "Proofpoint, version 1": f"https://urldefense.proofpoint.com/v1/url?u={quote(LINK, safe='')}&k=abc",
    "Proofpoint, version 2": (
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__napalm.example_onboarding-3FinviteCode-3D"
        f"{CODE[:8]}-2D{CODE[8:]}&d=DwMFaQ&c=abc&r=def"
    ),
    "Proofpoint, version 3": f"https://urldefense.com/v3/__{LINK}__;!!AbCdEf!xYz123$",
    "Outlook around Proofpoint": (
        "https://eur01.safelinks.protection.outlook.com/?url="
        + quote(f"https://urldefense.com/v3/__{LINK}__;!!AbCdEf!xYz123$", safe="")
        + "&data=05%7C02%7C"
        + "0123456789abcdef" * 60
    ),
    "Google": f"https://www.google.com/url?q={quote(LINK, safe='')}&sa=D&usg=AOvVaw0123456789ABCD",
    "Google, not encoded": f"https://www.google.com/url?q={LINK}&sa=D&usg=AOvVaw0123456789ABCD",
    "a share link": f"https://t.me/share/url?url={quote(LINK, safe='')}&text=hi",
    "Markdown": f"[join]({LINK})",
    "a link in a chat": f"<{LINK}|join>",
    "a link before a full stop of Chinese": f"{LINK}。快来",
    "a link with escapes of a script": LINK.replace("=", "\\u003d"),
    "JSON": f'{{"inviteCode": "{CODE}"}}',
    "quoted-printable with a soft break": (
        "https://napalm.example/onboarding?inviteCode=3D8GZK2M4T=\r\nV0QX71WA"
    ),
    "the address of the picture": f"https://napalm.example/invite-codes/{CODE}/qr.svg",
}
DASHES = "-_‐‑‒–—―−﹘﹣－⁃־᠆〜〰゠ーـ⸺⸻·.\u00ad"
SPACES = (
    " \t\n\u00a0\u1680\u2000\u2002\u2003\u2009\u200a\u200b\u200c\u200d\u202f\u205f"
    "\u2060\u3000\ufeff\u200e\u2028"
)
NOT_FOUND = [
    "", " ", "no code at all", CODE[:-1], f"{CODE}9", f"{CODE[:-1]}U", "Code:", LINK[:-1], "8GZK-2M4T-V0QX",
    "https://napalm.example/onboarding", f"{CODE[:8]}ж{CODE[9:]}", f"{CODE} " + "x" * MOST_TYPED,
    "\x00", "\ud800", f"code{CODE}9", f"x{CODE}", "absolute complete sentence 2026",
    f"{CODE[:8]}é{CODE[8:]} x",
]  # fmt: skip


@pytest.mark.parametrize("typed", FOUND.values(), ids=FOUND.keys())
def test_a_code_is_found(typed: str) -> None:
    assert code_in(typed) == CODE


@pytest.mark.parametrize("between", DASHES + SPACES, ids=ascii)
def test_any_dash_or_space_may_separate(between: str) -> None:
    parts = [CODE[at : at + 4] for at in range(0, 16, 4)]
    assert code_in(between.join(parts)) == CODE
    assert code_in(f"Code: {between.join(parts)}") == CODE
    assert code_in(f" {between} ".join(parts)) == CODE


@pytest.mark.parametrize("typed", NOT_FOUND, ids=lambda typed: ascii(typed[:20]))
def test_text_without_a_code(typed: str) -> None:
    assert code_in(typed) is None


def test_one_of_several_links_is_read() -> None:
    other = new_code()
    assert code_in(f"{LINK} {LINK.replace(CODE, other)}") in (CODE, other)


@given(
    st.text(CROCKFORD, min_size=16, max_size=16),
    st.sampled_from(
        ["{}", "Code: {}", "inviteCode={}", "https://a.example/x?b=1&inviteCode={}&c=2", "use code {}!"]
    ),
    st.sampled_from([str.lower, str.upper, str.swapcase]),
)
def test_every_code_is_found_in_every_form(code: str, form: str, case: object) -> None:
    assert callable(case)
    assert code_in(form.format(case(code))) == code


@given(st.text(max_size=300))
def test_any_text_gives_a_valid_code_or_none(typed: str) -> None:
    found = code_in(typed)
    assert found is None or (len(found) == 16 and set(found) <= set(CROCKFORD))


@pytest.mark.parametrize(
    "form",
    [
        "{}\n\nSent from my iPhone",
        "Come here with {}",
        "Come here with {} then call",
        "{}\n2026 was good",
        "this is {} from 2025",
        "{0}\r\n{0} once more",
    ],
)
def test_words_around_a_code_are_not_read_as_its_groups(form: str) -> None:
    draw = random.Random(16)
    for number in range(4000):
        code = "".join(draw.choices(CROCKFORD, k=16))
        separator = ("-", "–", " - ")[number % 3]
        typed = form.format(separator.join(code[at : at + 4] for at in range(0, 16, 4)))
        assert code_in(typed) == code, typed


@pytest.mark.parametrize("form", ["{} then call", "come here {}", "come here {} then call"])
def test_words_in_another_case_are_not_read_as_groups(form: str) -> None:
    draw = random.Random(16)
    for _ in range(1000):
        code = "".join(draw.choices(CROCKFORD, k=16))
        typed = form.format(" ".join(code[at : at + 4] for at in range(0, 16, 4)))
        assert code_in(typed) == code or code.isalpha(), typed


# Each of the last ones becomes several characters by NFKC: "::=", 18 Arabic ones, two marks.
COSTLY = [
    "8GZK ", "code:", "inviteCode=%25", "8- - -", "%25252525", "A\u200d", "inviteCode=8G ", ":", "=", ":-",
    "https://a.example/?inviteCode=https%3A%2F%2F", "inviteCode=%E2%A9%B4", "\u0301\u0316", "ß", "ﬃ",
    "\u2a74", "\ufdfa", "\u0344\u0316", "8 ", "8-", "8GZK2M4T ", "8GZK2-", "codecode8",
    "urldefense-2D", "=\n",
]  # fmt: skip


@pytest.mark.parametrize("piece", COSTLY, ids=ascii)
@pytest.mark.parametrize("length", [MOST_TYPED // 3, MOST_TYPED])
def test_no_text_takes_long_to_read(piece: str, length: int) -> None:
    began = time.thread_time()
    code_in((piece * length)[:length])
    assert time.thread_time() - began < 0.1


def test_what_becomes_too_long_by_normalisation_is_not_read() -> None:
    filling = "\u2a74" * (MOST_TYPED // 2)
    assert code_in(f"{filling} {CODE}") is None
    assert code_in(f"{'x' * (MOST_TYPED - 17)} {CODE}") == CODE
