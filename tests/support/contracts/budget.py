"""What every budget of questions to Midtrans promises; it is 20 a second here."""

import asyncio

import pytest

from domain.ports.work import UnitOfWork
from support.contracts.time import PassTime


class AskingBudgetContract:
    """Override ``begin`` and ``pass_time``."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def pass_time(self) -> PassTime:
        raise NotImplementedError

    async def test_a_seconds_worth_may_be_asked_and_no_more(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        async with begin() as work:
            first = await work.budget.allowance()
            await work.budget.spend(20)
            spent = await work.budget.allowance()
        await pass_time(3600)
        async with begin() as work:
            saved = await work.budget.allowance()

        assert (first, spent, saved) == (20, 0, 20)

    async def test_what_was_spent_beyond_it_has_to_come_in_first_and_is_a_seconds_worth_at_most(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        async with begin() as work:
            await work.budget.spend(72_000)
        await pass_time(0.5)
        async with begin() as work:
            early = await work.budget.allowance()
        await pass_time(2)
        async with begin() as work:
            later = await work.budget.allowance()

        assert early == 0
        assert later is not None
        assert later >= 19

    async def test_nobody_gets_any_while_another_decides(self, begin: UnitOfWork) -> None:
        async def take() -> int:
            async with begin() as work:
                allowance = await work.budget.allowance()
                await asyncio.sleep(0)
                await work.budget.spend(min(allowance or 0, 15))
                return allowance or 0

        async with asyncio.timeout(10):
            allowances = await asyncio.gather(*(take() for _ in range(4)))

        assert sum(min(allowance, 15) for allowance in allowances) <= 25

    async def test_what_is_undone_is_not_spent(self, begin: UnitOfWork) -> None:
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await work.budget.spend(20)
                raise ZeroDivisionError

        async with begin() as work:
            assert await work.budget.allowance() == 20

    async def test_after_three_silent_rounds_one_question_at_a_time_shows_whether_midtrans_is_back(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        async def allowance() -> int | None:
            async with begin() as work:
                return await work.budget.allowance()

        async def report(*, answered: bool) -> None:
            async with begin() as work:
                await work.budget.report(answered=answered)

        await report(answered=False)
        await report(answered=False)
        twice = await allowance()
        await report(answered=False)
        paused = await allowance()
        await pass_time(2)
        probe = await allowance()
        async with begin() as work:
            await work.budget.spend(1)
        probing = await allowance()
        await report(answered=True)
        await pass_time(1)
        back = await allowance()

        assert (twice, paused, probe, probing, back) == (20, None, 1, None, 20)

    async def test_a_probe_that_died_is_made_again(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        for _ in range(3):
            async with begin() as work:
                await work.budget.report(answered=False)
        await pass_time(2)
        async with begin() as work:
            await work.budget.spend(1)
        await pass_time(21)

        async with begin() as work:
            assert await work.budget.allowance() == 1

    async def test_questions_that_nobody_allowed_put_off_no_probe(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        for _ in range(3):
            async with begin() as work:
                await work.budget.report(answered=False)
        for _ in range(3):
            await pass_time(2)
            async with begin() as work:
                await work.budget.overspend(1)

        async with begin() as work:
            assert await work.budget.allowance() == 1

    async def test_questions_that_nobody_allowed_are_counted(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            await work.budget.overspend(15)

        async with begin() as work:
            allowance = await work.budget.allowance()

        assert allowance is not None
        assert allowance <= 6

    async def test_any_number_of_questions_that_nobody_allowed_puts_off_the_others_for_no_time(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        for _ in range(3):
            async with begin() as work:
                await work.budget.overspend(1000)

        async with begin() as work:
            at_once = await work.budget.allowance()
        await pass_time(1)
        async with begin() as work:
            later = await work.budget.allowance()

        assert at_once
        assert later is not None
        assert later >= 19

    async def test_of_what_comes_in_while_others_are_asked_without_end_half_is_left(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        allowances = list[int | None]()

        for _ in range(20):
            async with begin() as work:
                await work.budget.overspend(100)
            await pass_time(0.05)
            async with begin() as work:
                await work.budget.overspend(100)
                allowances.append(await work.budget.allowance())
                await work.budget.spend(allowances[-1] or 0)

        assert sum(allowance or 0 for allowance in allowances) >= 9

    async def test_neither_a_debt_nor_a_burst_puts_off_a_probe(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        async with begin() as work:
            await work.budget.spend(100)
            for _ in range(3):
                await work.budget.report(answered=False)
        await pass_time(1.1)
        async with begin() as work:
            in_debt = await work.budget.allowance()
            await work.budget.overspend(100)
            after_a_burst = await work.budget.allowance()

        assert (in_debt, after_a_burst) == (1, 1)
