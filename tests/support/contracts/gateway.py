"""What every payment gateway promises, told in Midtrans's situations and not in its bytes."""

import json
from datetime import timedelta
from typing import Protocol

import pytest

from domain.errors import GatewayUnavailable
from domain.evidence import ChargeAnswer, ChargeRefused, NoTransaction, ReportedRefund, StatusReply
from domain.ports.gateway import (
    AlreadyThere,
    Declined,
    NotTaken,
    PaymentGateway,
    RefundTaken,
    Unanswered,
)
from domain.rupiah import PaymentType
from domain.status import Status
from support.builders import NOW, a_charge, a_refund_order, an_order
from support.recorded import QR_STRING


class Situation(Protocol):
    """A gateway and what happens behind it; the time stands at ``NOW``."""

    @property
    def gateway(self) -> PaymentGateway: ...

    def takes_charges(self, *, transaction_id: str) -> None: ...
    def denies_charges(self, *, transaction_id: str) -> None: ...
    def refuses_charges(self, *, code: int, message: str) -> None: ...
    def refuses_as_duplicate(self) -> None: ...
    def is_out_of_reach(self) -> None: ...
    def is_too_busy(self, *, retry_after: int) -> None: ...
    def loses_its_answers(self) -> None: ...
    def refuses_the_key(self) -> None: ...
    def holds(self, *, transaction_id: str, status: str) -> None: ...
    def ends(self, *, transaction_id: str, status: str) -> None: ...
    def holds_a_refund(self, *, transaction_id: str, status: str, refunded: int) -> None: ...
    def lists_refunds(self, *refunds: ReportedRefund) -> None: ...
    def refuses_to_cancel(self, *, code: int, message: str) -> None: ...
    def takes_refunds(self) -> None: ...
    def refuses_refunds(self, *, code: int, message: str) -> None: ...
    def asks_the_bank_in_vain(self) -> None: ...
    def knows_the_refund(self) -> None: ...


class PaymentGatewayContract:
    """Override ``midtrans``."""

    @pytest.fixture
    def midtrans(self) -> Situation:
        raise NotImplementedError

    async def test_a_taken_charge_is_pending_with_its_transaction(self, midtrans: Situation) -> None:
        midtrans.takes_charges(transaction_id="t-1")

        outcome = await midtrans.gateway.charge(a_charge(), within=10)

        assert isinstance(outcome, ChargeAnswer)
        assert outcome.status is Status.PENDING
        assert outcome.transaction_id == "t-1"
        assert outcome.received_at == NOW

    async def test_the_answer_to_a_charge_is_kept_whole(self, midtrans: Situation) -> None:
        midtrans.takes_charges(transaction_id="t-1")

        outcome = await midtrans.gateway.charge(a_charge(payment_type=PaymentType.QRIS), within=10)

        assert isinstance(outcome, ChargeAnswer)
        answer = json.loads(outcome.answer)
        assert answer["qr_string"] == QR_STRING
        assert len(answer["actions"]) == 2

    async def test_a_repeated_charge_is_the_same_transaction(self, midtrans: Situation) -> None:
        midtrans.takes_charges(transaction_id="t-1")

        outcomes = [await midtrans.gateway.charge(a_charge(), within=10) for _ in range(2)]

        assert outcomes[0] == outcomes[1]
        assert isinstance(outcomes[0], ChargeAnswer)

    async def test_a_denied_charge_says_so_with_its_transaction(self, midtrans: Situation) -> None:
        midtrans.denies_charges(transaction_id="t-1")

        outcome = await midtrans.gateway.charge(a_charge(), within=10)

        assert isinstance(outcome, ChargeAnswer)
        assert (outcome.status, outcome.transaction_id) == (Status.DENY, "t-1")

    async def test_a_refused_charge_tells_the_gateways_own_code_and_words(self, midtrans: Situation) -> None:
        midtrans.refuses_charges(code=402, message="Payment channel is not activated.")

        outcome = await midtrans.gateway.charge(a_charge(), within=10)

        assert outcome == ChargeRefused(
            code="402", message="Payment channel is not activated.", received_at=NOW
        )

    async def test_a_charge_of_an_order_that_is_there_says_so(self, midtrans: Situation) -> None:
        midtrans.refuses_as_duplicate()

        assert await midtrans.gateway.charge(a_charge(), within=10) == AlreadyThere()

    async def test_a_charge_out_of_reach_was_not_taken(self, midtrans: Situation) -> None:
        midtrans.is_out_of_reach()

        outcome = await midtrans.gateway.charge(a_charge(), within=10)

        assert isinstance(outcome, NotTaken)
        assert outcome.retry_after is None

    async def test_a_charge_that_met_the_rate_limit_was_not_taken(self, midtrans: Situation) -> None:
        midtrans.is_too_busy(retry_after=7)

        outcome = await midtrans.gateway.charge(a_charge(), within=10)

        assert isinstance(outcome, NotTaken)
        assert outcome.retry_after == 7

    async def test_a_charge_whose_answer_is_lost_may_exist(self, midtrans: Situation) -> None:
        midtrans.loses_its_answers()

        outcome = await midtrans.gateway.charge(a_charge(), within=10)

        assert isinstance(outcome, Unanswered)

    @pytest.mark.parametrize(
        ("status", "code"),
        [("pending", "201"), ("settlement", "200"), ("expire", "407"), ("cancel", "200")],
    )
    async def test_what_is_held_of_a_transaction_is_told(
        self, midtrans: Situation, status: str, code: str
    ) -> None:
        midtrans.holds(transaction_id="t-1", status=status)

        reply = await midtrans.gateway.status("t-1")

        assert isinstance(reply, StatusReply)
        assert (reply.transaction_status, reply.status_code) == (status, code)
        assert (reply.order_id, reply.transaction_id) == ("order-1", "t-1")
        assert (reply.gross_amount, reply.currency) == ("10000.00", "IDR")
        assert reply.received_at == NOW

    async def test_a_settlement_tells_when_it_was_paid(self, midtrans: Situation) -> None:
        midtrans.holds(transaction_id="t-1", status="settlement")

        reply = await midtrans.gateway.status("t-1")

        assert isinstance(reply, StatusReply)
        assert reply.settled_at == NOW + timedelta(seconds=90)

    async def test_a_refunded_transaction_tells_the_sum_of_its_refunds(self, midtrans: Situation) -> None:
        midtrans.holds_a_refund(transaction_id="t-1", status="partial_refund", refunded=4_000)

        reply = await midtrans.gateway.status("t-1")

        assert isinstance(reply, StatusReply)
        assert (reply.transaction_status, reply.refund_amount) == ("partial_refund", 4_000)

    async def test_a_transaction_is_also_found_by_its_order_id(self, midtrans: Situation) -> None:
        midtrans.holds(transaction_id="t-1", status="pending")

        reply = await midtrans.gateway.status(an_order().order_id)

        assert isinstance(reply, StatusReply)
        assert reply.transaction_id == "t-1"

    async def test_an_unknown_transaction_is_known_to_be_none(self, midtrans: Situation) -> None:
        midtrans.holds(transaction_id="t-1", status="pending")

        assert await midtrans.gateway.status("t-2") == NoTransaction(received_at=NOW)

    @pytest.mark.parametrize("trouble", ["is_out_of_reach", "loses_its_answers", "refuses_the_key"])
    async def test_a_status_that_is_not_told_is_unavailable_and_never_no_transaction(
        self, midtrans: Situation, trouble: str
    ) -> None:
        midtrans.holds(transaction_id="t-1", status="pending")
        getattr(midtrans, trouble)()

        with pytest.raises(GatewayUnavailable):
            await midtrans.gateway.status("t-1")

    @pytest.mark.parametrize(("how", "code"), [("cancel", "200"), ("expire", "407")])
    async def test_a_pending_transaction_is_ended_and_told_so(
        self, midtrans: Situation, how: str, code: str
    ) -> None:
        midtrans.holds(transaction_id="t-1", status="pending")
        midtrans.ends(transaction_id="t-1", status=how)

        reply = await getattr(midtrans.gateway, how)("t-1")

        assert isinstance(reply, StatusReply)
        assert (reply.transaction_status, reply.status_code) == (how, code)
        assert (reply.order_id, reply.transaction_id) == ("order-1", "t-1")

    @pytest.mark.parametrize("how", ["cancel", "expire"])
    @pytest.mark.parametrize(("status", "code"), [("settlement", "200"), ("expire", "407")])
    async def test_what_cannot_be_ended_is_told_as_it_is(
        self, midtrans: Situation, how: str, status: str, code: str
    ) -> None:
        midtrans.holds(transaction_id="t-1", status=status)

        reply = await getattr(midtrans.gateway, how)("t-1")

        assert isinstance(reply, StatusReply)
        assert (reply.transaction_status, reply.status_code) == (status, code)

    @pytest.mark.parametrize("how", ["cancel", "expire"])
    async def test_an_unknown_transaction_cannot_be_ended(self, midtrans: Situation, how: str) -> None:
        assert await getattr(midtrans.gateway, how)("t-1") == NoTransaction(received_at=NOW)

    async def test_a_refused_cancel_tells_the_gateways_own_code_and_words(self, midtrans: Situation) -> None:
        midtrans.refuses_to_cancel(code=402, message="GoPay merchant is not active.")

        assert await midtrans.gateway.cancel("t-1") == Declined(
            code="402", message="GoPay merchant is not active."
        )

    @pytest.mark.parametrize("how", ["cancel", "expire"])
    @pytest.mark.parametrize("trouble", ["is_out_of_reach", "is_busy", "loses_its_answers"])
    async def test_an_end_that_is_not_answered_is_unavailable(
        self, midtrans: Situation, trouble: str, how: str
    ) -> None:
        midtrans.holds(transaction_id="t-1", status="pending")
        if trouble == "is_busy":
            midtrans.is_too_busy(retry_after=7)
        else:
            getattr(midtrans, trouble)()

        with pytest.raises(GatewayUnavailable):
            await getattr(midtrans.gateway, how)("t-1")

    async def test_a_status_under_the_rate_limit_is_unavailable(self, midtrans: Situation) -> None:
        midtrans.is_too_busy(retry_after=7)

        with pytest.raises(GatewayUnavailable):
            await midtrans.gateway.status("t-1")

    async def test_a_status_tells_every_refund_and_the_bank_s_word_on_it(self, midtrans: Situation) -> None:
        refunds = (
            ReportedRefund(key="one", amount=1_000),
            ReportedRefund(key="two", amount=3_000, confirmed_at=NOW + timedelta(days=1)),
        )
        midtrans.lists_refunds(*refunds)

        reply = await midtrans.gateway.status("t-1")

        assert isinstance(reply, StatusReply)
        assert reply.refunds == refunds
        assert reply.refund_amount == 4_000

    async def test_a_taken_refund_is_taken(self, midtrans: Situation) -> None:
        midtrans.takes_refunds()

        assert await midtrans.gateway.refund(a_refund_order(), within=10) == RefundTaken(transaction_id="t-1")

    async def test_what_becomes_of_a_refund_comes_with_the_bytes_that_prove_it(
        self, midtrans: Situation
    ) -> None:
        midtrans.takes_refunds()
        taken = await midtrans.gateway.refund(a_refund_order(), within=10)
        midtrans.refuses_refunds(code=412, message="Not a penny.")
        declined = await midtrans.gateway.refund(a_refund_order(), within=10)

        assert isinstance(taken, RefundTaken)
        assert b'"t-1"' in taken.raw
        assert isinstance(declined, Declined)
        assert b"Not a penny." in declined.raw

    @pytest.mark.parametrize("code", [400, 401, 402, 404, 412, 414])
    async def test_a_declined_refund_tells_the_gateways_own_code_and_words(
        self, midtrans: Situation, code: int
    ) -> None:
        midtrans.refuses_refunds(code=code, message="No.")

        assert await midtrans.gateway.refund(a_refund_order(), within=10) == Declined(
            code=str(code), message="No."
        )

    async def test_a_refund_that_the_bank_refused_says_so(self, midtrans: Situation) -> None:
        midtrans.asks_the_bank_in_vain()

        outcome = await midtrans.gateway.refund(a_refund_order(), within=10)

        assert outcome == Declined(code="202", message="Refund denied by the bank", by_bank=True)

    async def test_a_refund_whose_key_is_there_says_so(self, midtrans: Situation) -> None:
        midtrans.knows_the_refund()

        assert await midtrans.gateway.refund(a_refund_order(), within=10) == AlreadyThere()

    async def test_a_refund_out_of_reach_was_not_taken(self, midtrans: Situation) -> None:
        midtrans.is_out_of_reach()

        outcome = await midtrans.gateway.refund(a_refund_order(), within=10)

        assert isinstance(outcome, NotTaken)
        assert outcome.retry_after is None

    async def test_a_refund_that_met_the_rate_limit_was_not_taken(self, midtrans: Situation) -> None:
        midtrans.is_too_busy(retry_after=7)

        outcome = await midtrans.gateway.refund(a_refund_order(), within=10)

        assert isinstance(outcome, NotTaken)
        assert outcome.retry_after == 7

    async def test_a_refund_whose_answer_is_lost_may_exist(self, midtrans: Situation) -> None:
        midtrans.loses_its_answers()

        assert isinstance(await midtrans.gateway.refund(a_refund_order(), within=10), Unanswered)
