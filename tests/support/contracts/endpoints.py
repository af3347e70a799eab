"""What every store of endpoints promises, whatever it is made of."""

from datetime import datetime, timedelta

import pytest

from domain.endpoint import OF_SETTINGS, Disabled, Endpoint
from domain.ports.work import UnitOfWork
from support.builders import NOW, an_id
from support.contracts.time import PassTime
from support.merchant import OTHER_SECRET, SECRET, URL, an_endpoint, is_paid, listens, take

HOURS_24 = 24 * 3600
THIRD_SECRET = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


class EndpointsContract:
    """Override ``begin``, ``pass_time`` and ``now``; the store is empty before each test."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def pass_time(self) -> PassTime:
        raise NotImplementedError

    @pytest.fixture
    def now(self) -> datetime:
        raise NotImplementedError

    async def one(self, begin: UnitOfWork) -> Endpoint:
        async with begin() as work:
            (endpoint,) = await work.endpoints.page()
        return endpoint

    async def keep(self, begin: UnitOfWork, *, url: str = URL, secret: str = SECRET) -> Endpoint:
        async with begin() as work:
            return await work.endpoints.keep_of_settings(url=url, secret=secret, allow_private=True)

    async def test_endpoints_are_kept_whole_and_listed_oldest_first(self, begin: UnitOfWork) -> None:
        of_all = an_endpoint("b")
        of_user = an_endpoint(
            "a",
            user_id=9_007_199_254_740_993,
            url="http://10.0.0.7:9000/hook?token=x&y=%20",
            allow_private=True,
            created_at=NOW + timedelta(seconds=1),
        )

        async with begin() as work:
            await work.endpoints.add(of_user)
            await work.endpoints.add(of_all)
        async with begin() as work:
            listed = await work.endpoints.page()

        assert listed == [of_all, of_user]

    async def test_a_rotated_secret_is_kept_for_a_day(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        endpoint = await listens(begin)

        async with begin() as work:
            assert await work.endpoints.rotate(endpoint, OTHER_SECRET)
        rotated = await self.one(begin)
        await pass_time(HOURS_24 - 5)
        later = await self.one(begin)
        await pass_time(10)
        after = await self.one(begin)

        assert (rotated.secret, rotated.previous_secret) == (OTHER_SECRET, SECRET)
        assert (later.secret, later.previous_secret) == (OTHER_SECRET, SECRET)
        assert (after.secret, after.previous_secret) == (OTHER_SECRET, None)

    async def test_a_secret_that_is_rotated_twice_leaves_the_first_behind(self, begin: UnitOfWork) -> None:
        endpoint = await listens(begin)

        async with begin() as work:
            await work.endpoints.rotate(endpoint, OTHER_SECRET)
            await work.endpoints.rotate(endpoint, THIRD_SECRET)

        found = await self.one(begin)
        assert (found.secret, found.previous_secret) == (THIRD_SECRET, OTHER_SECRET)

    async def test_a_disabled_one_says_since_when_and_why(self, begin: UnitOfWork, now: datetime) -> None:
        endpoint = await listens(begin)

        async with begin() as work:
            assert await work.endpoints.disable(endpoint, Disabled.OPERATOR)
            assert await work.endpoints.disable(endpoint, Disabled.GONE)

        found = await self.one(begin)
        assert found.disabled is Disabled.OPERATOR
        assert found.disabled_at is not None
        assert abs(found.disabled_at - now) < timedelta(minutes=1)

    async def test_one_that_said_it_is_gone_is_left_to_be_when_an_operator_says_so(
        self, begin: UnitOfWork
    ) -> None:
        endpoint = await listens(begin)

        async with begin() as work:
            await work.endpoints.disable(endpoint, Disabled.GONE)
        gone = await self.one(begin)
        async with begin() as work:
            await work.endpoints.disable(endpoint, Disabled.OPERATOR)
        found = await self.one(begin)

        assert (gone.disabled, found.disabled) == (Disabled.GONE, Disabled.OPERATOR)
        assert found.disabled_at == gone.disabled_at

    async def test_an_enabled_one_is_as_it_was(self, begin: UnitOfWork) -> None:
        endpoint = await listens(begin)

        async with begin() as work:
            await work.endpoints.disable(endpoint, Disabled.OPERATOR)
        async with begin() as work:
            assert await work.endpoints.enable(endpoint)

        assert await self.one(begin) == an_endpoint()

    async def test_one_that_is_not_there_is_told_so(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            assert not await work.endpoints.rotate(an_id("nobody"), SECRET)
            assert not await work.endpoints.disable(an_id("nobody"), Disabled.OPERATOR)
            assert not await work.endpoints.enable(an_id("nobody"))
            assert not await work.endpoints.drop_of_settings()

    async def test_the_settings_name_one_endpoint_however_often_they_are_read(
        self, begin: UnitOfWork
    ) -> None:
        first = await self.keep(begin)
        again = await self.keep(begin)

        assert first == again == await self.one(begin)
        assert (first.id, first.url, first.secret, first.user_id) == (OF_SETTINGS, URL, SECRET, None)
        assert (first.allow_private, first.previous_secret, first.is_of_settings) == (True, None, True)

    async def test_another_secret_in_the_settings_is_a_rotation(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await self.keep(begin)

        rotated = await self.keep(begin, secret=OTHER_SECRET)
        await pass_time(HOURS_24 - 5)
        again = await self.keep(begin, secret=OTHER_SECRET)
        await pass_time(10)
        after = await self.keep(begin, secret=OTHER_SECRET)

        assert (rotated.secret, rotated.previous_secret) == (OTHER_SECRET, SECRET)
        assert again.previous_secret == SECRET
        assert after.previous_secret is None

    async def test_settings_that_name_none_any_more_disable_it_until_they_do_again(
        self, begin: UnitOfWork
    ) -> None:
        await self.keep(begin)

        async with begin() as work:
            assert await work.endpoints.drop_of_settings()
            assert not await work.endpoints.drop_of_settings()
        dropped = await self.one(begin)
        kept = await self.keep(begin)

        assert dropped.disabled is Disabled.SETTINGS
        assert (kept.disabled_at, kept.disabled) == (None, None)

    @pytest.mark.parametrize("why", [Disabled.GONE, Disabled.OPERATOR])
    async def test_the_settings_enable_no_endpoint_that_was_disabled_for_another_reason(
        self, begin: UnitOfWork, why: Disabled
    ) -> None:
        await self.keep(begin)
        async with begin() as work:
            await work.endpoints.disable(OF_SETTINGS, why)

        kept = await self.keep(begin)
        moved = await self.keep(begin, url="https://shop.example/elsewhere")

        assert kept.disabled is why
        assert (moved.url, moved.disabled) == ("https://shop.example/elsewhere", None)

    async def test_leaving_by_an_exception_undoes_everything(self, begin: UnitOfWork) -> None:
        endpoint = await listens(begin)

        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await work.endpoints.rotate(endpoint, OTHER_SECRET)
                await work.endpoints.add(an_endpoint("another"))
                raise ZeroDivisionError

        assert await self.one(begin) == an_endpoint()

    async def test_both_secrets_sign_while_one_is_rotated(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        endpoint = await listens(begin)
        async with begin() as work:
            await work.endpoints.rotate(endpoint, OTHER_SECRET)
        await is_paid(begin, "order-1")

        (during,) = await take(begin)
        await pass_time(HOURS_24 + 5)
        (after,) = await take(begin)

        assert during.secrets == (OTHER_SECRET, SECRET)
        assert after.secrets == (OTHER_SECRET,)
