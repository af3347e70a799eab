"""Laws about every single change: what may follow what, and that it is written down."""

from typing import Final

from domain.chain import Chain, contradiction_in, fault_in, row_of
from domain.history import EVIDENCE, digest_of
from domain.payment import AFTER_FAILURE, Payment
from domain.status import MONEY_BACK, Status
from simulation.database import Change
from simulation.law import Law
from simulation.scene import Scene

_FIXED: Final = ("id", "user_id", "gross_amount", "payment_type", "created_at", "expires_at", "metadata")


class History:
    """Watches each commit, and reads the whole log in the end."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._broke = scene, scene.world.broke
        scene.database.on_commit.append(self._committed)

    def judge(self) -> None:
        for payment in self._scene.database.state.payments.values():
            chain = self._chain(payment)
            if fault := fault_in(chain) or contradiction_in(chain):
                self._broke(Law.LOG_IS_WHOLE, f"{payment.order_id}: {fault}")

    def _committed(self, change: Change) -> None:
        before, after = change.before, change.after
        self._scene.world.tell("database", "{} is {} ({})", after.order_id, after.status, change.purpose)
        if before is None:
            return
        name = after.order_id
        if after.status.rank < before.status.rank:
            self._broke(Law.ONLY_UP, f"{name} went from {before.status} to {after.status}")
        if before.paid_at not in {None, after.paid_at} or after.status.is_paid is (after.paid_at is None):
            self._broke(Law.PAID_AT_ONCE, f"{name} is {after.status}: {before.paid_at}, then {after.paid_at}")
        if after.late is not self._should_be_late(change, before, after):
            self._broke(Law.LATE_ONCE, f"{name} went from {before.status} to {after.status}: {after.late}")
        if not before.refunded_amount <= after.refunded_amount <= after.gross_amount:
            self._broke(Law.REFUNDS_WITHIN, f"{name}: {after.refunded_amount}")
        is_logged = after.log_length == before.log_length + len(change.entries)
        if not is_logged or (after != before and not change.entries):
            self._broke(
                Law.CHANGE_IS_LOGGED, f"{name} has {after.log_length} rows, {len(change.entries)} new"
            )
        if any(getattr(before, part) != getattr(after, part) for part in _FIXED):
            self._broke(Law.ORDER_IS_FIXED, name)
        if after.status is not before.status:
            self._check_word(after)
        if change.purpose == "webhook":
            self._check_doubt(before, after)

    def _should_be_late(self, change: Change, before: Payment, after: Payment) -> bool:
        """Several things may be told in one change; the end may be among them."""
        recorded = (before.status, *(entry.status for entry in change.entries))
        had_ended = any(status.is_unpaid_end for status in recorded)
        had_ended = had_ended or any(found.reason == AFTER_FAILURE for found in before.breaks)
        return before.late or (after.status.is_paid and had_ended)

    def _check_doubt(self, before: Payment, after: Payment) -> None:
        """A notification alone moves nothing that has ended, takes no money back and finds no transaction."""
        is_moved = after.status is not before.status
        contradicts = before.status.is_unpaid_end or after.status in MONEY_BACK
        contradicts = contradicts or self._scene.confirm == "always"
        if (is_moved and contradicts) or after.transaction_id != before.transaction_id:
            self._broke(Law.DOUBT_FIRST, f"{after.order_id} went from {before.status} to {after.status}")

    def _check_word(self, payment: Payment) -> None:
        """A status is only ever Midtrans's word about this order and amount."""
        name, status = payment.order_id, payment.status
        held = [one for one in self._scene.midtrans.of_order(name) if one.amount == payment.gross_amount]
        if status.is_paid and not any(one.now.settled_at is not None for one in held):
            self._broke(Law.PAID_BY_MONEY, f"{name} is {status}")
        if status is Status.PENDING and not held:
            self._broke(Law.PENDING_WITH_TRANSACTION, name)
        is_an_end = status.is_unpaid_end and status is not Status.FAILURE
        if (
            is_an_end
            and name not in self._scene.others.tampered_with
            and not any(one.was(status) for one in held)
        ):
            self._broke(Law.END_BY_MIDTRANS, f"{name} is {status}")

    def _chain(self, payment: Payment) -> Chain:
        entries = tuple(self._scene.database.state.entries[payment.id])
        unproven = frozenset(
            entry.seq
            for entry in entries
            if EVIDENCE in entry.detail and entry.detail[EVIDENCE] != digest_of(entry.raw).hex()
        )
        return Chain(
            row=row_of(payment),
            payment_id=payment.id,
            length=payment.log_length,
            head=payment.log_head,
            entries=entries,
            unproven=unproven,
        )
