"""Laws about the end: when all has come to rest, Bayar and Midtrans say the same."""

from collections.abc import Iterator

from domain.payment import Payment
from domain.refund import RefundStatus
from domain.status import Status
from simulation.database import Change
from simulation.law import Law
from simulation.midtrans import Transaction
from simulation.scene import Scene


class Truth:
    """Judges what is stored against what Midtrans holds."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._broke = scene, scene.world.broke
        # Since when each payment is known; one that was adopted always was.
        self._known_since: dict[str, float] = {}
        scene.database.on_commit.append(self._committed)

    def _committed(self, change: Change) -> None:
        if change.before is None:
            self._known_since[change.after.order_id] = self._scene.world.time

    def is_at_rest(self) -> bool:
        """Whether nothing can change any more, though what has ended will be asked about again."""
        state = self._scene.database.state
        return (
            self._scene.world.is_quiet
            and all(row.processed or row.error or row.forged for row in state.notifications.values())
            and not any(
                one.status.is_open or one.unconfirmed_since or any(self._disagreements(one))
                for one in state.payments.values()
            )
        )

    def judge(self) -> None:
        state = self._scene.database.state
        for payment in state.payments.values():
            for what in self._disagreements(payment):
                self._broke(Law.AGREES, what)
            known = self._real_reasons(payment)
            for found in payment.breaks:
                if found.reason not in known:
                    self._broke(Law.BREAK_IS_REAL, f"{payment.order_id}: {found.reason} {found.subject}")
            is_left = payment.status is Status.CREATED and not payment.breaks
            if payment.status is Status.PENDING or is_left:
                self._broke(Law.ENDS, f"{payment.order_id} is {payment.status}")
        for row in state.notifications.values():
            if row.is_verified and not row.processed and row.error is None:
                self._broke(Law.INBOX_IS_DONE, f"{row.order_id}: {row.transaction_status}")
            if row.forged and row.processed:
                self._broke(Law.FORGED_IS_NOTHING, row.order_id)

    def _disagreements(self, payment: Payment) -> Iterator[str]:
        name, status = payment.order_id, payment.status
        there = self._scene.midtrans.of_order(name)
        held = [one for one in there if one.amount == payment.gross_amount]
        if not held:
            # What has another amount is a break, and leaves the payment as it was.
            if status is not Status.FAILURE and not (there and status is Status.CREATED):
                yield f"{name} is {status}, Midtrans has nothing for it"
            return
        least = max(self._least(payment, one) for one in held)
        most = max(Status(one.status).rank for one in held)
        is_contradicted = any(found.reason == "not_confirmed" for found in payment.breaks)
        if not least <= status.rank <= most and not is_contradicted:
            yield f"{name} is {status}, Midtrans has {', '.join(f'{one.id} {one.status}' for one in held)}"
        own = next((one for one in held if one.id == payment.transaction_id), None)
        if own is None and status.rank > Status.FAILURE.rank:
            yield f"{name} has transaction {payment.transaction_id}"
        if own is not None and status.is_paid and not Status(own.status).is_paid:
            yield f"{name} stands for the unpaid {own.id}"

    def _least(self, payment: Payment, transaction: Transaction) -> int:
        """The rank that must be known at least: what a notification told, and what asking tells.

        Nobody asks about money that went back, or about a second transaction, unless a notification tells.
        One that came before there was a payment was about an unknown order.
        """
        is_clear = payment.order_id not in self._scene.network.lied_about
        since = self._known_since.get(payment.order_id, 0.0)
        told = [status for status, at in transaction.received.items() if at >= since]
        ranks = [Status(status).rank for status in told if is_clear]
        newest = self._scene.midtrans.of_order(payment.order_id)[-1]
        if transaction.id == payment.transaction_id or (transaction is newest and not payment.transaction_id):
            ranks.append(min(Status(transaction.status).rank, Status.SETTLEMENT.rank))
        return max(ranks, default=0)

    def _real_reasons(self, payment: Payment) -> set[str]:
        """Of which breaks this world gave cause."""
        name, others = payment.order_id, self._scene.others
        held = self._scene.midtrans.of_order(name)
        found = set()
        if sum(one.now.settled_at is not None for one in held) > 1:
            found.add("paid_twice")
        if any(one.amount != payment.gross_amount for one in held):
            found.add("amount")
        if name in others.charged_elsewhere:
            found.add("charge_after_failure")
        if name in others.tampered_with:
            found |= {"not_confirmed", "order_id", "amount", "transaction_taken"}
        if name in self._scene.network.lied_about:
            found |= {"amount", "order_id"}
        refunds = (row.refund for row in self._scene.database.state.refunds.values())
        if any(one.payment_id == payment.id and one.status is RefundStatus.REQUESTED for one in refunds):
            found.add("refund_unknown")
        return found
