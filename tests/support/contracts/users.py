"""What every store of users promises, whatever it is made of."""

import asyncio

import pytest

from domain.ports.work import UnitOfWork


class UsersContract:
    """Override ``begin``; the store is empty before each test."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    async def test_nobody_exists_before_being_added(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            before = await work.users.exists(1)
            await work.users.add(1)
            after = await work.users.exists(1)

        assert (before, after) == (False, True)

    async def test_a_user_with_a_told_id_has_that_id(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            added = await work.users.add(9_007_199_254_740_993)

        assert added == 9_007_199_254_740_993

    async def test_adding_a_user_again_changes_nothing(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            await work.users.add(7)

        async with begin() as work:
            again = await work.users.add(7)
            listed = await work.users.page(limit=10)

        assert (again, listed) == (7, [7])

    async def test_users_without_a_told_id_get_different_ones(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            added = [await work.users.add() for _ in range(3)]
            listed = await work.users.page(limit=10)

        assert len(set(added)) == 3
        assert sorted(added) == listed

    async def test_a_free_id_is_found_past_those_that_were_told(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            first = await work.users.add()
            for ahead in range(1, 4):
                await work.users.add(first + ahead)

        async with begin() as work:
            added = await work.users.add()
            exists = await work.users.exists(added)

        assert added not in range(first, first + 4)
        assert exists

    async def test_adding_the_same_user_at_once_is_no_trouble(self, begin: UnitOfWork) -> None:
        async def add() -> int:
            async with begin() as work:
                return await work.users.add(7)

        async with asyncio.timeout(10):
            added = await asyncio.gather(*(add() for _ in range(4)))

        assert added == [7, 7, 7, 7]

    async def test_users_are_listed_by_id_up_to_a_limit(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            for user_id in (30, 10, 20):
                await work.users.add(user_id)
            listed = await work.users.page(limit=2)

        assert listed == [10, 20]
