import re
from datetime import timedelta
from uuid import RFC_4122

from adapters.system.clock import SystemClock
from adapters.system.identifiers import SystemIdentifiers


def test_the_time_is_in_utc_with_its_zone() -> None:
    now = SystemClock().now()

    assert now.utcoffset() == timedelta(0)


def test_the_monotonic_time_does_not_go_back() -> None:
    clock = SystemClock()
    times = [clock.monotonic() for _ in range(100)]

    assert times == sorted(times)


async def test_a_sleep_takes_as_long_as_it_says() -> None:
    clock = SystemClock()
    began = clock.monotonic()

    await clock.sleep(0.01)

    assert clock.monotonic() - began >= 0.009


def test_row_ids_are_uuids_of_version_seven() -> None:
    made = [SystemIdentifiers().uuid() for _ in range(100)]

    assert {identifier.version for identifier in made} == {7}
    assert {identifier.variant for identifier in made} == {RFC_4122}
    assert len(set(made)) == 100


def test_row_ids_start_with_the_time_so_that_later_ones_sort_later() -> None:
    began = SystemClock().now().timestamp() * 1000
    identifier = SystemIdentifiers().uuid()
    ended = SystemClock().now().timestamp() * 1000

    assert began - 1 <= identifier.int >> 80 <= ended + 1


def test_a_row_id_makes_a_key_that_midtrans_takes() -> None:
    assert len(str(SystemIdentifiers().uuid())) == 36


def test_a_checkout_token_has_more_than_128_random_bits_and_fits_into_an_address() -> None:
    made = {SystemIdentifiers().checkout_token() for _ in range(100)}

    assert len(made) == 100
    # Each letter is one of 64, so that it carries six bits.
    assert all(len(token) * 6 >= 192 for token in made)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", token) for token in made)
