"""What DATABASE_URL says to the service alone."""

import pytest

from entrypoints.database_address import DatabaseAddress, read_address
from entrypoints.settings import SettingsError, load
from support.service import environment


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("postgresql://u@h/db?statement_cache_size=0", "postgresql://u@h/db"),
        ("postgresql://u@h/db?statement_cache_size=0&host=/dir", "postgresql://u@h/db?host=/dir"),
        ("postgresql://u@h/db?host=/dir&statement_cache_size=0", "postgresql://u@h/db?host=/dir"),
        ("postgresql:///db?a=1&statement_cache_size=0&b=2", "postgresql:///db?a=1&b=2"),
    ],
)
def test_that_no_statement_is_kept_is_taken_out_of_the_address(said: str, left: str) -> None:
    assert read_address(said) == DatabaseAddress(url=left, statements=0)


@pytest.mark.parametrize(
    "said", ["postgresql://u@h/db", "postgresql://u:statement_cache_size=0@h/db?host=/dir"]
)
def test_any_other_address_stays_as_it_is_and_statements_are_kept(said: str) -> None:
    address = read_address(said)

    assert address.url == said
    assert address.statements > 0


@pytest.mark.parametrize("number", ["", "none", "-1", "1.5", "99999999999"])
def test_a_number_of_statements_that_is_none_is_named(number: str) -> None:
    url = f"postgresql://u:secret@h/db?statement_cache_size={number}"

    with pytest.raises(SettingsError, match="DATABASE_URL needs a number") as refused:
        load(environment(DATABASE_URL=url))

    assert "secret" not in str(refused.value)


def test_the_settings_have_both_apart() -> None:
    settings = load(environment(DATABASE_URL="postgresql://u@h/db?statement_cache_size=0"))

    assert (settings.database_url, settings.statements_kept) == ("postgresql://u@h/db", 0)
