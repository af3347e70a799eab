from dataclasses import fields
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import pytest

from entrypoints.http.pages.language import Language
from entrypoints.http.pages.words import WORDS, State, Words, rupiah

INDONESIAN, ENGLISH = WORDS[Language.INDONESIAN], WORDS[Language.ENGLISH]


def texts(words: Words) -> dict[str, str]:
    """Every text of a language by where it stands."""
    found: dict[str, Any] = {field.name: getattr(words, field.name) for field in fields(words)}
    found |= {
        f"{state}.{place}": text for state, told in words.states.items() for place, text in enumerate(told)
    }
    found |= {f"step {place}": step for place, step in enumerate(words.scan_steps)}
    return {name: text for name, text in found.items() if isinstance(text, str)}


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("words", [INDONESIAN, ENGLISH], ids=["id", "en"])
def test_each_language_says_everything(words: Words) -> None:
    silent = {name for name, text in texts(words).items() if not text}

    assert set(words.states) == set(State)
    assert silent == {"waiting.1"}
    assert len(words.months.split()) == 12


def test_the_two_languages_say_the_same_of_the_same() -> None:
    indonesian, english = texts(INDONESIAN), texts(ENGLISH)

    assert indonesian.keys() == english.keys()
    assert {name: names_in(text) for name, text in indonesian.items()} == {
        name: names_in(text) for name, text in english.items()
    }
    assert names_in("".join(indonesian.values())) == {"merchant", "amount", "refunded"}
    alike = {name for name, text in indonesian.items() if text == english[name]}
    assert alike == {"waiting.1"}


@pytest.mark.parametrize(
    ("words", "shown"),
    [(INDONESIAN, "17 Agu 2026, 00.05 WIB"), (ENGLISH, "17 Aug 2026, 00:05 WIB")],
    ids=["id", "en"],
)
def test_a_time_is_jakarta_s(words: Words, shown: str) -> None:
    assert words.time(datetime(2026, 8, 16, 17, 5, 59, tzinfo=UTC)) == shown


@pytest.mark.parametrize(
    ("amount", "shown"), [(1, "Rp1"), (999, "Rp999"), (25_000, "Rp25.000"), (20_000_000, "Rp20.000.000")]
)
def test_an_amount_is_written_as_in_every_wallet(amount: int, shown: str) -> None:
    assert rupiah(amount) == shown
