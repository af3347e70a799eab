"""Laws about refunds: kept before they are asked for, never too much, never twice, and in the end agreed."""

import json
from uuid import UUID

from domain.payment import Break, Payment
from domain.refund import RefundStatus, transaction_of
from simulation.database import Change
from simulation.front import Refunded
from simulation.law import Law
from simulation.line import Call
from simulation.midtrans import Refund
from simulation.scene import Scene

_COUNTING = frozenset({RefundStatus.REQUESTED, RefundStatus.ACCEPTED})


class Refunding:
    """Watches each refund on its way, and compares all with Midtrans in the end."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._broke = scene, scene.world.broke
        self._first: dict[tuple[int, str], Refunded] = {}
        scene.network.on_call.append(self._called)
        scene.database.on_commit.append(self._committed)
        scene.front.on_refunded.append(self._refunded)

    def is_at_rest(self) -> bool:
        """Whether no refund waits for its outcome any more."""
        rows = self._scene.database.state.refunds.values()
        return not any(row.refund.status is RefundStatus.REQUESTED and row.due_at for row in rows)

    def judge(self) -> None:
        state = self._scene.database.state
        names = {payment.id: payment for payment in state.payments.values()}
        for row in state.refunds.values():
            refund, payment = row.refund, names[row.refund.payment_id]
            is_there = str(refund.id) in self._there(payment)
            in_doubt = any(found.reason.startswith("refund_") for found in payment.breaks)
            is_given_up = Break(reason="refund_unknown", subject=str(refund.id)) in payment.breaks
            if refund.status is RefundStatus.REQUESTED and (is_there or not is_given_up):
                self._broke(Law.REFUNDS_AGREE, f"{payment.order_id}: {refund.key} has no outcome")
            if (refund.status is RefundStatus.ACCEPTED) is not is_there and not in_doubt:
                said = f"{refund.key} is {refund.status}, and {'there' if is_there else 'not there'}"
                self._broke(Law.REFUNDS_AGREE, f"{payment.order_id}: {said}")

    def _there(self, payment: Payment) -> dict[str, Refund]:
        held = self._scene.midtrans.of_order(payment.order_id)
        return {refund.key: refund for transaction in held for refund in transaction.refunds}

    def _called(self, call: Call) -> None:
        if call.verb != "refund":
            return
        wish = json.loads(call.content)
        row = self._scene.database.state.refunds.get(UUID(wish["refund_key"]))
        is_kept = row is not None and row.refund.amount == wish["amount"]
        if not is_kept or call.key != wish["refund_key"]:
            self._broke(Law.REFUND_BEFORE_ASKING, f"{call.subject}: {wish}")

    def _committed(self, change: Change) -> None:
        payment = change.after
        by_transaction: dict[str, int] = {}
        for row in self._scene.database.state.refunds.values():
            refund = row.refund
            if refund.payment_id == payment.id and refund.status in _COUNTING:
                of = transaction_of(payment, refund)
                by_transaction[of] = by_transaction.get(of, 0) + refund.amount
        for of, total in by_transaction.items():
            if total > payment.gross_amount:
                self._broke(Law.REFUNDS_RESERVED, f"{payment.order_id}: {total} of {of}")

    def _refunded(self, refunded: Refunded) -> None:
        told, key = refunded.told, (refunded.call.user_id, refunded.call.key)
        payment = self._scene.database.state.payments.get(refunded.order_id)
        if told.refund is not None and payment is not None:
            there = self._there(payment).get(str(told.refund.id))
            if there is None or there.amount != told.refund.amount:
                self._broke(Law.REFUND_ONCE, f"{refunded.order_id}: {refunded.call.key} is not there")
        first = self._first.get(key)
        if first is None:
            if told.status in {201, 502}:
                self._first[key] = refunded
        elif told.status in {201, 502, 504} and refunded.asked_at > first.at:
            self._again(first, refunded)

    def _again(self, first: Refunded, again: Refunded) -> None:
        before, now = first.told, again.told
        if before.refund is not None and now.refund is not None and before.refund.id != now.refund.id:
            self._broke(Law.REFUND_ONCE, f"{again.call.key} was made twice")
        # A refusal may turn out to be none; that is a break, and never the other way round.
        if before.status == 201 and now.status != 201:
            self._broke(Law.ONE_OUTCOME, f"{again.call.key}: {before}, then {now}")
