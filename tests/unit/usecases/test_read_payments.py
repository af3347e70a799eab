from collections.abc import Callable

import pytest

from domain.access import ANY_PAYMENT, Caller
from domain.errors import PaymentNotFound, UnknownUser
from domain.ports.payments import Place
from domain.status import Status
from domain.usecases.get_payment import GetPayment
from domain.usecases.list_payments import ListPayments
from support.builders import MINUTE, NOW, given
from support.fakes import InMemoryPaymentReader, InMemoryUnitOfWork

OWNER = Caller(user_id=1)
NEIGHBOUR = Caller(user_id=2)
STRANGER = Caller(user_id=404)


@pytest.fixture
def getting(begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader) -> Callable[..., GetPayment]:
    def getting(*, any_user: bool = False) -> GetPayment:
        return GetPayment(begin=begin, reader=reader, any_user=any_user)

    return getting


@pytest.fixture
def listing(begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader) -> Callable[..., ListPayments]:
    def listing(*, any_user: bool = False) -> ListPayments:
        return ListPayments(begin=begin, reader=reader, any_user=any_user)

    return listing


async def test_the_owner_gets_a_payment_as_stored(
    getting: Callable[..., GetPayment], begin: InMemoryUnitOfWork
) -> None:
    payment = await given(begin, status=Status.PENDING, transaction_id="t-1")

    assert await getting()("order-1", OWNER) == payment


async def test_the_scope_for_any_payment_gets_everybodys(
    getting: Callable[..., GetPayment], begin: InMemoryUnitOfWork
) -> None:
    payment = await given(begin)
    operator = Caller(user_id=404, scopes=frozenset({ANY_PAYMENT}))

    assert await getting()("order-1", operator) == payment


async def test_anothers_payment_and_an_absent_one_are_told_alike(
    getting: Callable[..., GetPayment], begin: InMemoryUnitOfWork
) -> None:
    await given(begin, user_id=2, order_id="theirs")
    await given(begin)

    with pytest.raises(PaymentNotFound) as foreign:
        await getting()("theirs", OWNER)
    with pytest.raises(PaymentNotFound) as absent:
        await getting()("absent", OWNER)

    assert str(foreign.value).replace("theirs", "…") == str(absent.value).replace("absent", "…")


@pytest.mark.parametrize("order_id", ["order-1", "absent"])
async def test_a_stranger_is_told_that_they_are_unknown(
    getting: Callable[..., GetPayment], begin: InMemoryUnitOfWork, order_id: str
) -> None:
    await given(begin)

    with pytest.raises(UnknownUser):
        await getting()(order_id, STRANGER)


async def test_where_any_user_may_call_a_stranger_finds_nothing(
    getting: Callable[..., GetPayment], begin: InMemoryUnitOfWork
) -> None:
    await given(begin)

    with pytest.raises(PaymentNotFound):
        await getting(any_user=True)("order-1", STRANGER)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
async def test_pages_lead_through_all_own_payments_newest_first(
    listing: Callable[..., ListPayments], begin: InMemoryUnitOfWork, limit: int
) -> None:
    for number in range(5):
        await given(begin, order_id=f"order-{number}", created_at=NOW + number // 2 * MINUTE)
    await given(begin, order_id="theirs", user_id=2)
    list_payments = listing()

    listed, after, pages = list[str](), None, 0
    while pages == 0 or after:
        page = await list_payments(OWNER, status=None, after=after, limit=limit)
        listed += [payment.order_id for payment in page.payments]
        after, pages = page.next, pages + 1

    assert len(listed) == len(set(listed)) == 5
    assert listed[0] == "order-4"
    assert set(listed[1:3]) == {"order-2", "order-3"}
    assert set(listed[3:]) == {"order-0", "order-1"}
    assert pages == -(-5 // limit)


async def test_the_next_page_starts_after_the_last_of_this_one(
    listing: Callable[..., ListPayments], begin: InMemoryUnitOfWork
) -> None:
    for number in range(3):
        await given(begin, order_id=f"order-{number}", created_at=NOW + number * MINUTE)

    page = await listing()(OWNER, status=None, after=None, limit=2)

    last = page.payments[-1]
    assert page.next == Place(created_at=last.created_at, id=last.id)


async def test_a_last_page_that_is_just_full_leads_nowhere(
    listing: Callable[..., ListPayments], begin: InMemoryUnitOfWork
) -> None:
    for number in range(2):
        await given(begin, order_id=f"order-{number}")

    page = await listing()(OWNER, status=None, after=None, limit=2)

    assert (len(page.payments), page.next) == (2, None)


async def test_a_list_can_be_of_one_status(
    listing: Callable[..., ListPayments], begin: InMemoryUnitOfWork
) -> None:
    await given(begin, order_id="created")
    await given(begin, order_id="pending", status=Status.PENDING, transaction_id="t-1")

    page = await listing()(OWNER, status=Status.PENDING, after=None, limit=9)

    assert [payment.order_id for payment in page.payments] == ["pending"]


async def test_even_the_scope_for_any_payment_lists_its_own(
    listing: Callable[..., ListPayments], begin: InMemoryUnitOfWork
) -> None:
    await given(begin)
    await given(begin, order_id="theirs", user_id=2)
    operator = Caller(user_id=2, scopes=frozenset({ANY_PAYMENT}))

    page = await listing()(operator, status=None, after=None, limit=9)

    assert [payment.order_id for payment in page.payments] == ["theirs"]


async def test_a_user_without_payments_has_an_empty_list(
    listing: Callable[..., ListPayments], begin: InMemoryUnitOfWork
) -> None:
    await given(begin, user_id=2)

    page = await listing()(OWNER, status=None, after=None, limit=9)

    assert (page.payments, page.next) == ([], None)


async def test_a_stranger_is_told_so_instead_of_an_empty_list(
    listing: Callable[..., ListPayments], begin: InMemoryUnitOfWork
) -> None:
    await given(begin)

    with pytest.raises(UnknownUser):
        await listing()(STRANGER, status=None, after=None, limit=9)
    page = await listing(any_user=True)(STRANGER, status=None, after=None, limit=9)

    assert page.payments == []
