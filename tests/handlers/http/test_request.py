"""The client's address behind trusted proxies; fields and their errors."""

from __future__ import annotations

import ipaddress
from types import SimpleNamespace

import pytest

from handlers.http.request import client_address, field_of, form_fields, json_fields
from models.errors import BadRequest

TRUSTED = tuple(ipaddress.ip_network(one) for one in ("10.0.0.0/8", "127.0.0.1/32", "fd00::/8"))


def address(peer: str, forwarded: str | None, *, trusted: bool = True) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = SimpleNamespace(remote_ip=peer, headers=headers)
    return client_address(request, TRUSTED if trusted else ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.7, 10.0.0.2 , 127.0.0.1", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.7, nonsense", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", ",", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7:99999x", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7:", "10.0.0.1"),
        ("10.0.0.1", "[2001:DB8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "[2001:db8::7]", "2001:db8::7"),
        ("10.0.0.1", '"[2001:db8::7]:4711"', "2001:db8::7"),
        ("10.0.0.1", "2001:0db8:0000::0007", "2001:db8::7"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "[::ffff:203.0.113.7]:80", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, ::ffff:10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.2:8080", "203.0.113.7"),
        ("10.0.0.1", "fe80::7%eth0", "fe80::7"),
        ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, _hidden", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, , ", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7 ,\t10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.007", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7/32", "10.0.0.1"),
        ("10.0.0.1", "٢٠٣.0.113.7", "10.0.0.1"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("fd00::1%eth0", "203.0.113.7", "203.0.113.7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        # Peers that are not our proxies may send any header.
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("192.168.0.1", "1.2.3.4", "192.168.0.1"),
    ],
)
def test_the_right_most_hop_that_is_not_our_proxy(peer: str, forwarded: str | None, client: str) -> None:
    assert address(peer, forwarded) == client
    plain = peer.removeprefix("::ffff:").partition("%")[0]
    assert address(peer, forwarded, trusted=False) == plain


def test_a_peer_on_a_unix_socket_has_an_address() -> None:
    assert address("0.0.0.0", "203.0.113.7") == "0.0.0.0"
    assert address("", None) == "127.0.0.1"
    assert address("not an address", "203.0.113.7") == "not an address"


def test_json_fields() -> None:
    assert json_fields(b"") == json_fields(b"{}") == {}
    assert json_fields(b'{"a":[1,null]}') == {"a": [1, None]}
    for body in (b"[]", b"1", b"{", b"\xff", b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"):
        with pytest.raises(BadRequest):
            json_fields(body)


def test_form_fields_have_the_last_value_of_each_name() -> None:
    assert form_fields({"a": [b"1", "é".encode()], "b": []}) == {"a": "é"}
    with pytest.raises(BadRequest):
        form_fields({"a": [b"\xff"]})


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("Expected `int`, got `str` - at `$.age`", "age", "Expected `int`, got `str`."),
        ("Expected `int`, got `str` - at `$.a.b[...]`", "a", "Expected `int`, got `str`."),
        ("Expected `int`, got `str` - at `$.a[0]`", "a", "Expected `int`, got `str`."),
        ("Object missing required field `name`", "name", "This is needed."),
        ("Expected `object`, got `array`", "body", "Expected `object`, got `array`."),
    ],
)
def test_an_error_names_its_field(text: str, field: str, words: str) -> None:
    assert field_of(text) == (field, words)
