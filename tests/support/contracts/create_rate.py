"""What every counter of creates promises, whatever it is made of."""

import asyncio
from collections.abc import Callable

import pytest

from domain.ports.create_rate import CreateRate
from support.contracts.time import PassTime

RateOf = Callable[[int], CreateRate]


async def take(rate: CreateRate, user_id: int) -> int | None:
    (wait,) = await rate.take([user_id])
    return wait


class CreateRateContract:
    """Override ``rate_of`` (a counter of that many per minute) and ``pass_time``; nothing is counted yet."""

    @pytest.fixture
    def rate_of(self) -> RateOf:
        raise NotImplementedError

    @pytest.fixture
    def pass_time(self) -> PassTime:
        raise NotImplementedError

    async def test_within_the_number_there_is_no_wait(self, rate_of: RateOf) -> None:
        rate = rate_of(3)

        waits = [await take(rate, 1) for _ in range(3)]

        assert waits == [None, None, None]

    async def test_beyond_the_number_there_is_a_wait_within_the_minute(self, rate_of: RateOf) -> None:
        rate = rate_of(1)
        await take(rate, 1)

        wait = await take(rate, 1)

        assert wait is not None
        assert 1 <= wait <= 60

    async def test_the_wait_gets_shorter_and_ends(self, rate_of: RateOf, pass_time: PassTime) -> None:
        rate = rate_of(1)
        await take(rate, 1)

        await pass_time(50)
        wait = await take(rate, 1)
        await pass_time(wait or 0)
        after = await take(rate, 1)

        assert wait is not None
        assert 1 <= wait <= 10
        assert after is None

    async def test_a_refused_create_does_not_lengthen_the_wait(
        self, rate_of: RateOf, pass_time: PassTime
    ) -> None:
        rate = rate_of(1)
        for _ in range(5):
            await take(rate, 1)

        await pass_time(61)

        assert await take(rate, 1) is None

    async def test_users_do_not_share_their_number(self, rate_of: RateOf) -> None:
        rate = rate_of(1)
        await take(rate, 1)

        assert await take(rate, 2) is None

    async def test_creates_at_once_are_all_counted(self, rate_of: RateOf) -> None:
        rate = rate_of(3)

        async with asyncio.timeout(10):
            waits = await asyncio.gather(*(take(rate, 1) for _ in range(8)))

        assert sum(wait is None for wait in waits) == 3

    async def test_several_counters_count_together(self, rate_of: RateOf) -> None:
        one, other = rate_of(1), rate_of(1)
        await take(one, 1)

        assert await take(other, 1) is not None

    async def test_several_at_once_are_counted_one_after_another(self, rate_of: RateOf) -> None:
        rate = rate_of(2)
        await take(rate, 1)

        waits = await rate.take([1, 2, 1, 2, 2])

        assert [wait is None for wait in waits] == [True, True, False, True, False]
