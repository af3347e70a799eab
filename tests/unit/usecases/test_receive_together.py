"""Notifications that arrive at the same time share a commit, and every promise of each is kept."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from domain.errors import DatabaseUnavailable
from domain.history import Entry
from domain.payment import Payment
from domain.signature import ServerKeys
from domain.status import Status
from domain.usecases.receive_notification import Delivery, Outcome, ReceiveNotification, Told
from support.builders import SERVER_KEY, a_delivery, given
from support.fakes import (
    CountingIdentifiers,
    InMemoryPaymentReader,
    InMemoryPayments,
    InMemoryUnitOfWork,
)
from support.log import is_intact


@pytest.fixture
def receive(begin: InMemoryUnitOfWork, ids: CountingIdentifiers) -> ReceiveNotification:
    return ReceiveNotification(
        begin=begin, ids=ids, keys=ServerKeys(current=SERVER_KEY), confirm_always=False
    )


@pytest.fixture
async def pending(begin: InMemoryUnitOfWork) -> list[Payment]:
    return [
        await given(begin, order_id=f"order-{number}", transaction_id=f"t-{number}", status=Status.PENDING)
        for number in range(6)
    ]


@pytest.fixture
def commits(begin: InMemoryUnitOfWork, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many notifications each commit brought."""
    seen: list[int] = []
    check = begin._check_commit

    def counting() -> None:
        check()
        seen.append(len(begin.state.notifications))

    monkeypatch.setattr(begin, "_check_commit", counting)
    return seen


def settled(number: int, **changes: Any) -> Delivery:
    return a_delivery(**{"order_id": f"order-{number}", "transaction_id": f"t-{number}"} | changes)


async def all_at_once(receive: ReceiveNotification, *deliveries: Delivery) -> list[Told | BaseException]:
    return await asyncio.gather(*map(receive, deliveries), return_exceptions=True)


async def test_many_at_once_are_all_applied_in_few_commits(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: list[Payment],
    commits: list[int],
) -> None:
    told = await all_at_once(receive, *(settled(number) for number in range(6)))

    assert told == [(Outcome.APPLIED, None)] * 6
    assert len(commits) <= 2
    for payment in pending:
        found = await reader.find(payment.order_id)
        assert found is not None
        assert found.status is Status.SETTLEMENT
        assert is_intact(await reader.log(payment.id), found)
    assert all(row.processed for row in begin.notifications)
    assert len(begin.notifications) == 6


async def test_two_of_one_order_in_a_group_are_both_right(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: list[Payment],
) -> None:
    told = await all_at_once(
        receive, settled(5), settled(5), settled(0), settled(0, transaction_status="pending"), settled(0)
    )

    assert sorted(outcome for outcome, _ in told if outcome) == [  # type: ignore[misc]
        Outcome.APPLIED,
        Outcome.APPLIED,
        Outcome.KNOWN,
        Outcome.KNOWN,
        Outcome.KNOWN,
    ]
    found = await reader.find("order-0")
    assert found is not None
    assert found.status is Status.SETTLEMENT
    assert is_intact(await reader.log(pending[0].id), found)
    assert len(begin.notifications) == 5


@pytest.mark.usefixtures("pending")
async def test_one_that_cannot_be_stored_does_not_fail_its_neighbours(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = InMemoryPayments.save

    async def save(self: InMemoryPayments, payment: Payment, entries: tuple[Entry, ...]) -> None:
        if payment.order_id == "order-3":
            raise RuntimeError("poisoned")
        await whole(self, payment, entries)

    monkeypatch.setattr(InMemoryPayments, "save", save)

    told = await all_at_once(receive, *(settled(number) for number in range(6)))

    outcomes = [one[0] for one in told if isinstance(one, tuple)]
    assert [number for number, outcome in enumerate(outcomes) if outcome is not Outcome.APPLIED] == [3]
    assert outcomes[3] is Outcome.FAILED
    assert len(begin.notifications) == 6
    assert [row.order_id for row in begin.notifications if not row.processed] == ["order-3"]
    assert (await reader.find("order-4")).status is Status.SETTLEMENT  # type: ignore[union-attr]


@pytest.mark.usefixtures("pending")
async def test_one_whose_payment_is_in_anothers_hands_waits_alone(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork
) -> None:
    async with begin() as work:
        await work.payments.lock("order-3")
        told = await all_at_once(receive, *(settled(number) for number in range(6)))

    assert isinstance(told[3], DatabaseUnavailable)
    assert [one for number, one in enumerate(told) if number != 3] == [(Outcome.APPLIED, None)] * 5
    assert "order-3" not in {row.order_id for row in begin.notifications}


@pytest.mark.usefixtures("pending")
async def test_every_kind_in_one_group_has_its_own_outcome(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork
) -> None:
    told = await all_at_once(
        receive,
        settled(0),
        settled(1, transaction_status="refund"),
        settled(2, gross_amount="9.00"),
        settled(9),
        a_delivery("another key", order_id="order-4", transaction_id="t-4"),
        settled(5, transaction_status="expire"),
    )

    assert [one[0] for one in told if isinstance(one, tuple)] == [
        Outcome.APPLIED,
        Outcome.DOUBTFUL,
        Outcome.SET_ASIDE,
        Outcome.UNKNOWN_ORDER,
        Outcome.FORGED,
        Outcome.APPLIED,
    ]
    assert len(begin.notifications) == 6


async def test_none_of_a_group_is_told_as_kept_when_the_commit_is_lost(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: list[Payment],
) -> None:
    begin.fail_next_commits = 7  # that of the group, and then of each alone

    told = await all_at_once(receive, *(settled(number) for number in range(6)))

    assert all(isinstance(one, DatabaseUnavailable) for one in told)
    assert begin.notifications == []
    assert [await reader.find(payment.order_id) for payment in pending] == pending


async def test_a_group_whose_commit_was_not_heard_of_is_answered_and_kept_once(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: list[Payment],
) -> None:
    begin.lose_next_answers = 1

    told = await all_at_once(
        receive, *(settled(number) for number in range(5)), settled(5, transaction_status="refund")
    )

    assert told == [(Outcome.KNOWN, None)] * 5 + [(Outcome.DOUBTFUL, None)]
    assert [row.processed for row in begin.notifications] == [True] * 5 + [False]
    for payment in pending[:5]:
        found = await reader.find(payment.order_id)
        assert found is not None
        assert found.status is Status.SETTLEMENT
        assert is_intact(await reader.log(payment.id), found)


@pytest.mark.usefixtures("pending")
async def test_a_group_takes_its_transaction_id_conflicts_apart(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    whole = InMemoryPayments.save_all

    async def save_all(self: InMemoryPayments, changes: Sequence[tuple[Payment, tuple[Entry, ...]]]) -> None:
        calls.append(len(changes))
        if len(changes) > 1:
            raise RuntimeError("one of them")
        await whole(self, changes)

    monkeypatch.setattr(InMemoryPayments, "save_all", save_all)

    told = await all_at_once(receive, *(settled(number) for number in range(6)))

    assert told == [(Outcome.APPLIED, None)] * 6
    assert max(calls) > 1
    assert len(begin.notifications) == 6


@pytest.mark.usefixtures("pending")
async def test_in_a_flood_of_forged_ones_all_are_refused_few_are_kept_and_the_genuine_one_is_served(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork
) -> None:
    flood = [a_delivery("another key", order_id=f"forged-{number}") for number in range(2000)]

    told = await all_at_once(receive, *flood[:1000], settled(0), *flood[1000:])

    assert told[1000] == (Outcome.APPLIED, None)
    assert {one for number, one in enumerate(told) if number != 1000} == {(Outcome.FORGED, None)}
    assert sum(row.forged for row in begin.notifications) <= 200
