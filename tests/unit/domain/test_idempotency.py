"""What makes two calls the same."""

import string
from contextlib import suppress
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidPayment
from domain.idempotency import fingerprint, parse_key

PRINTABLE: Final = "".join(chr(code) for code in range(0x20, 0x7F))
KEYS: Final = st.text(PRINTABLE.replace('"', "").replace("\\", "").replace(" ", ""), min_size=1, max_size=255)


@given(KEYS)
def test_a_key_is_the_same_in_quotes_and_bare(key: str) -> None:
    assert parse_key(f'"{key}"') == parse_key(key) == key


@given(st.text(PRINTABLE, min_size=1, max_size=255))
def test_every_printable_text_can_be_a_key_in_quotes(key: str) -> None:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')

    assert parse_key(f'"{quoted}"') == key


@given(st.text())
def test_a_header_is_a_key_of_printable_text_or_refused(header: str) -> None:
    with suppress(InvalidPayment):
        key = parse_key(header)
        assert 1 <= len(key) <= 255
        assert set(key) <= set(PRINTABLE)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("abc", "abc"),
        ('"abc"', "abc"),
        (' "abc"\t', "abc"),
        ('"a b"', "a b"),
        ("a b", "a b"),
        ('a"b', 'a"b'),
        ('"a\\"b"', 'a"b'),
        ("a\\b", "a\\b"),
        ("x" * 255, "x" * 255),
        (f'"{"x" * 255}"', "x" * 255),
        (string.punctuation.replace('"', ""), string.punctuation.replace('"', "")),
    ],
)
def test_what_is_a_key(header: str, key: str) -> None:
    assert parse_key(header) == key


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        '""',
        '"',
        '"abc',
        '"abc"d',
        '"a"b"',
        "x" * 256,
        f'"{"x" * 256}"',
        "caf\xe9",
        "a\tb",
        "a\x7f",
        "\xa0a",
        "a\xa0",
    ],
)
def test_what_is_no_key(header: str) -> None:
    with pytest.raises(InvalidPayment, match="255 printable ASCII"):
        parse_key(header)


@pytest.mark.parametrize(
    "other",
    [
        ("PUT", "/create", 1, b"{}"),
        ("POST", "/refunds", 1, b"{}"),
        ("POST", "/create", 2, b"{}"),
        ("POST", "/create", 1, b"[]"),
        ("POST", "/create1", 1, b"{}"),
        ("POST/", "create", 1, b"{}"),
    ],
)
def test_a_fingerprint_tells_method_path_user_and_values_apart(other: tuple[str, str, int, bytes]) -> None:
    assert fingerprint(*other) != fingerprint("POST", "/create", 1, b"{}")


def test_a_fingerprint_of_the_same_call_is_the_same() -> None:
    assert fingerprint("POST", "/create", 1, b"{}") == fingerprint("POST", "/create", 1, b"{}")
