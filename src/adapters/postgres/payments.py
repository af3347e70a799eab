from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from adapters.postgres.errors import translated
from adapters.postgres.pool import ACQUIRE_SECONDS
from adapters.postgres.statements import load
from domain.errors import OrderIdTaken, TransactionTaken, UnknownUser
from domain.history import Detail, Entry
from domain.merchant_event import news
from domain.payment import Break, Payment, expiry_of, read_answer
from domain.schedule import ask_after_change_in, ask_in
from domain.status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from adapters.postgres.pool import Connection, Pool
    from domain.merchant_event import MerchantEvent
    from domain.ports.payments import Place

SQL: Final = load("payments.sql")
_ADD, _LOCK, _FIND, _SAVE = SQL["add"], SQL["lock"], SQL["find"], SQL["save"]
_LOCK_FREE, _FIND_ALL = SQL["lock_free"], SQL["find_all"]
_TAKE_TURN, _LOG = SQL["take_turn"], SQL["log"]
_CHARGE_AGAIN, _CHARGE_ANEW = SQL["charge_again"], SQL["charge_anew"]
_NEVER_CHARGE_AGAIN = SQL["never_charge_again"]
_TAKE_DUE, _ANY_DUE, _PUT_OFF = SQL["take_due"], SQL["any_due"], SQL["put_off"]
_PAGE_OF_USER, _PAGE_OF_ALL = SQL["page_of_user"], SQL["page_of_all"]
_ATTENTION = SQL["attention"]
_PLAN_ANEW: Final = "SET LOCAL plan_cache_mode = force_custom_plan"


class PostgresPayments:
    """The payments of one open transaction."""

    def __init__(self, connection: Connection, recorded: list[Entry]) -> None:
        self._connection, self._recorded = connection, recorded
        # What nobody is told need not be written for a whole group.
        self._is_anybody_told = True

    async def add(self, payment: Payment, entries: tuple[Entry, ...]) -> None:
        if not await self.add_all([(payment, entries)]):
            raise OrderIdTaken(payment.order_id)

    async def add_all(self, payments: Sequence[tuple[Payment, tuple[Entry, ...]]]) -> set[UUID]:
        entries = [entry for _, own in payments for entry in own]
        new = [payment for payment, _ in payments]
        try:
            rows = await self._connection.fetch(_ADD, *_added_columns(new), *_columns(entries))
        except asyncpg.ForeignKeyViolationError as stranger:
            raise UnknownUser(new[0].user_id) from stranger
        added = {row["id"] for row in rows}
        self._recorded.extend(entry for entry in entries if entry.payment_id in added)
        return added

    async def lock(self, order_id: str) -> Payment | None:
        row = await self._connection.fetchrow(_LOCK, order_id)
        return payment_of(row) if row else None

    async def save(self, payment: Payment, entries: tuple[Entry, ...]) -> None:
        await self.save_all([(payment, entries)])

    async def save_all(self, changes: Sequence[tuple[Payment, tuple[Entry, ...]]]) -> None:
        payments = [payment for payment, _ in changes]
        entries = [entry for _, own in changes for entry in own]
        told = changes if self._is_anybody_told else ()
        events = [event for payment, own in told for event in news(payment, own)]
        try:
            rows = await self._connection.fetch(
                _SAVE, *_saved_columns(payments), *_columns(entries), *_news_columns(events)
            )
        except asyncpg.UniqueViolationError as raced:
            raise TransactionTaken(str(payments[0].transaction_id)) from raced
        if len(rows) < len(payments):
            saved = {row["id"] for row in rows}
            refused = next(payment for payment in payments if payment.id not in saved)
            raise TransactionTaken(str(refused.transaction_id))
        self._recorded.extend(entries)

    async def lock_free(self, order_ids: Sequence[str]) -> list[Payment]:
        rows = await self._connection.fetch(_LOCK_FREE, list(order_ids))
        self._is_anybody_told = any(row["is_anybody_told"] for row in rows) or not rows
        return [payment_of(row) for row in rows]

    async def charge_again(self, payment_id: UUID) -> bool:
        return await self._connection.fetchrow(_CHARGE_AGAIN, payment_id) is not None

    async def charge_anew(self, payment_id: UUID) -> bool:
        return await self._connection.fetchrow(_CHARGE_ANEW, payment_id) is not None

    async def never_charge_again(self, payment_id: UUID) -> bool:
        return await self._connection.fetchrow(_NEVER_CHARGE_AGAIN, payment_id) is not None

    async def any_due(self) -> bool:
        return bool(await self._connection.fetchval(_ANY_DUE))

    async def take_due(self, *, limit: int) -> list[str]:
        return [row["order_id"] for row in await self._connection.fetch(_TAKE_DUE, limit)]

    async def put_off(self, payment: Payment, *, at: datetime) -> None:
        await self._connection.execute(_PUT_OFF, payment.id, ask_in(payment, at))

    async def take_turn(self, payment_id: UUID, *, seconds: int) -> bool:
        return await self._connection.fetchrow(_TAKE_TURN, payment_id, seconds) is not None


class PostgresPaymentReader:
    """Payments as committed, one statement and one connection a call, had within ``patience`` seconds."""

    def __init__(self, *, pool: Pool, patience: float = ACQUIRE_SECONDS) -> None:
        self._pool, self._patience = pool, patience

    async def find(self, order_id: str) -> Payment | None:
        if not may_be_asked_for(order_id):
            return None
        rows = await self._rows(_FIND, order_id)
        return payment_of(rows[0]) if rows else None

    async def find_all(self, order_ids: Sequence[str]) -> list[Payment]:
        wanted = [order_id for order_id in order_ids if may_be_asked_for(order_id)]
        return [payment_of(row) for row in await self._rows(_FIND_ALL, wanted)] if wanted else []

    async def page(
        self, *, user_id: int | None, status: Status | None, after: Place | None, limit: int
    ) -> list[Payment]:
        place = (after.created_at, after.id) if after else (None, None)
        if user_id is None:
            rows = await self._planned_rows(_PAGE_OF_ALL, status, *place, limit)
        else:
            rows = await self._planned_rows(_PAGE_OF_USER, user_id, status, *place, limit)
        return [payment_of(row) for row in rows]

    async def attention(self, *, limit: int) -> list[Payment]:
        return [payment_of(row) for row in await self._rows(_ATTENTION, limit)]

    async def log(self, payment_id: UUID) -> list[Entry]:
        rows = await self._rows(_LOG, payment_id)
        return [replace(entry_of(row), raw=row["evidence"] or b"") for row in rows]

    async def _planned_rows(self, statement: str, *arguments: object) -> list[Any]:
        """Planned for these arguments: of a status that few have, one plan for all may read everything."""
        with translated():
            async with self._pool.acquire(timeout=self._patience) as connection, connection.transaction():
                await connection.execute(_PLAN_ANEW)
                return await connection.fetch(statement, *arguments)

    async def _rows(self, statement: str, *arguments: object) -> list[Any]:
        with translated():
            async with self._pool.acquire(timeout=self._patience) as connection:
                return await connection.fetch(statement, *arguments)


def _added_columns(payments: Sequence[Payment]) -> tuple[list[Any], ...]:
    """New payments as one array per column, for unnest."""
    return (
        [payment.id for payment in payments],
        [payment.user_id for payment in payments],
        [payment.order_id for payment in payments],
        [payment.gross_amount for payment in payments],
        [payment.payment_type for payment in payments],
        [payment.status for payment in payments],
        [payment.created_at for payment in payments],
        [payment.expires_at for payment in payments],
        [payment.callback_url for payment in payments],
        [json.dumps(dict(payment.metadata)) if payment.metadata else "{}" for payment in payments],
        [payment.log_length for payment in payments],
        [payment.log_head for payment in payments],
        [ask_after_change_in(payment) for payment in payments],
        [payment.checkout_token for payment in payments],
    )


def _saved_columns(payments: Sequence[Payment]) -> tuple[list[Any], ...]:
    """What may change of payments as one array per column, for unnest."""
    return (
        [payment.id for payment in payments],
        [payment.status for payment in payments],
        [payment.transaction_id for payment in payments],
        [payment.charge_answer for payment in payments],
        [payment.updated_at for payment in payments],
        [payment.paid_at for payment in payments],
        [payment.late for payment in payments],
        [payment.refunded_amount for payment in payments],
        [_breaks_json(payment.breaks) for payment in payments],
        [payment.log_length for payment in payments],
        [payment.log_head for payment in payments],
        [payment.unconfirmed_since for payment in payments],
        [_breaks_json(payment.attended) for payment in payments],
        [bool(payment.attention) for payment in payments],
        [ask_after_change_in(payment) for payment in payments],
    )


def _breaks_json(breaks: Sequence[Break]) -> str:
    return json.dumps([asdict(found) for found in breaks]) if breaks else "[]"


def _columns(entries: Sequence[Entry]) -> tuple[list[Any], ...]:
    """The entries as one array per column, for unnest."""
    return (
        [entry.payment_id for entry in entries],
        [entry.seq for entry in entries],
        [entry.recorded_at for entry in entries],
        [entry.what for entry in entries],
        [entry.source for entry in entries],
        [entry.status for entry in entries],
        [json.dumps(dict(entry.detail)) for entry in entries],
        [entry.digest for entry in entries],
        [entry.raw or None for entry in entries],
    )


def _news_columns(events: Sequence[MerchantEvent]) -> tuple[list[Any], ...]:
    """What the shop is told, as one array per column, for unnest."""
    return (
        [event.id for event in events],
        [event.payment_id for event in events],
        [event.seq for event in events],
        [event.type for event in events],
        [event.body for event in events],
    )


def payment_of(row: Any) -> Payment:
    answer = row["midtrans_response_json"]
    created_at = row["created_at"]
    return Payment(
        id=row["id"],
        user_id=row["user_id"],
        order_id=row["order_id"],
        gross_amount=row["gross_amount"],
        payment_type=row["payment_type"] or "",
        status=_status(row["status"], is_paid=row["paid_at"] is not None),
        created_at=created_at,
        updated_at=row["updated_at"],
        expires_at=row["expires_at"] or expiry_of(read_answer(answer), created_at),
        earlier_status=_earlier_status(row["status"]),
        charged_at=row["charged_last_at"],
        changed_at=row["changed_at"],
        read_at=row["read_at"],
        paid_at=row["paid_at"],
        late=row["late"],
        refunded_amount=row["refunded_amount"],
        transaction_id=row["midtrans_transaction_id"],
        charge_answer=answer,
        callback_url=row["callback_url"],
        checkout_token=row["checkout_token"],
        metadata=json.loads(row["metadata"]),
        breaks=_breaks(row["breaks"]),
        unconfirmed_since=row["unconfirmed_since"],
        attended=_breaks(row["attended"]),
        log_length=row["log_length"],
        log_head=row["log_head"],
    )


def _breaks(text: str) -> tuple[Break, ...]:
    return tuple(Break(**found) for found in json.loads(text)) if text != "[]" else ()


def _status(word: str | None, *, is_paid: bool) -> Status:
    """An earlier service may have used a word of its own, such as Midtrans's ``capture`` for cards.

    A payment with such a word that was paid stays paid; any other is open until Midtrans is asked.
    """
    known = status_of(word or "")
    if known is not None:
        return known
    return Status.SETTLEMENT if is_paid or (word or "").lower() == "capture" else Status.PENDING


def _earlier_status(word: str | None) -> str | None:
    """The row's own word where it is none of ours; an empty one where it has none."""
    return None if status_of(word or "") else word or ""


def may_be_asked_for(order_id: str) -> bool:
    """Whether Postgres can look for it: it may come from an address or a command line."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in order_id)


def entry_of(row: Any) -> Entry:
    return Entry(
        payment_id=row["payment_id"],
        seq=row["seq"],
        recorded_at=row["recorded_at"],
        what=row["what"],
        source=row["source"],
        status=row["status"],
        detail=_detail(row["detail"]),
        digest=row["digest"],
    )


def _detail(text: str) -> Detail:
    """What an entry tells; where somebody edited it to what no entry of ours can tell, its text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    is_ours = isinstance(found, dict) and all(isinstance(value, str | int | None) for value in found.values())
    return found if is_ours else {"edited": text}
