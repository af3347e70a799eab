"""The smallest endpoints, and payments that change so that there is news for them."""

from typing import Any, Final
from uuid import UUID

from domain.decide import decide
from domain.delivery import Answered, DueDelivery, Unreached, verdict
from domain.endpoint import Endpoint
from domain.evidence import Evidence
from domain.ports.deliveries import Settled
from domain.ports.work import UnitOfWork, Work
from domain.status import Status
from support.builders import NOW, ORDER_ID, USER_ID, a_status_reply, an_id, given

# ``whsec_`` and 24 bytes: of nobody's but the tests'.
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET: Final = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
URL: Final = "https://shop.example/bayar"


def an_endpoint(name: str = "endpoint", **changes: Any) -> Endpoint:
    """An endpoint for every user's payments; ``name`` makes its id."""
    given: dict[str, Any] = {
        "id": an_id(name),
        "user_id": None,
        "url": URL,
        "secret": SECRET,
        "created_at": NOW,
    }
    return Endpoint(**given | changes)


async def listens(begin: UnitOfWork, name: str = "endpoint", **changes: Any) -> UUID:
    """An endpoint that is stored; its id."""
    endpoint = an_endpoint(name, **changes)
    async with begin() as work:
        await work.endpoints.add(endpoint)
    return endpoint.id


async def pending(begin: UnitOfWork, order_id: str = ORDER_ID, **changes: Any) -> None:
    """A stored payment that waits for its customer; that is no news yet."""
    told = {"order_id": order_id, "status": Status.PENDING, "transaction_id": f"t-{order_id}"}
    await given(begin, **told | {"user_id": USER_ID} | changes)


async def happens(begin: UnitOfWork, *evidence: Evidence, order_id: str = ORDER_ID) -> None:
    """Store what these pieces of evidence make of a payment, each in a commit of its own."""
    for piece in evidence:
        async with begin() as work:
            await changes(work, piece, order_id=order_id)


async def changes(work: Work, evidence: Evidence, *, order_id: str = ORDER_ID) -> None:
    """The same inside an open transaction."""
    payment = await work.payments.lock(order_id)
    assert payment is not None
    decision = decide(payment, evidence)
    assert decision.changed
    await work.payments.save(decision.payment, decision.entries)


def paid(order_id: str = ORDER_ID) -> Evidence:
    return a_status_reply(order_id=order_id, transaction_id=f"t-{order_id}")


def refunded(amount: int, order_id: str = ORDER_ID) -> Evidence:
    status = "refund" if amount == 10_000 else "partial_refund"
    return a_status_reply(
        order_id=order_id,
        transaction_id=f"t-{order_id}",
        transaction_status=status,
        refund_amount=amount,
    )


async def is_paid(begin: UnitOfWork, *order_ids: str) -> None:
    """Payments that came into being and were paid: one piece of news for each."""
    for order_id in order_ids or (ORDER_ID,):
        await pending(begin, order_id)
        await happens(begin, paid(order_id), order_id=order_id)


async def take(begin: UnitOfWork, limit: int = 100) -> list[DueDelivery]:
    async with begin() as work:
        return await work.deliveries.take(limit=limit)


async def settle(begin: UnitOfWork, due: DueDelivery, answer: Answered | Unreached) -> Settled:
    """Keep what a try came to, as the domain decides without any luck."""
    async with begin() as work:
        return await work.deliveries.settle(due, answer, verdict(due, answer, chance=0.5))
