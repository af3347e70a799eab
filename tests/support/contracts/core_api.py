"""What everything that plays Midtrans promises: the look-alike over HTTP, and the model of the simulation.

Facts: docs.midtrans.com, pages on charge, status, cancel, expire, notifications and idempotent requests.
"""

import hashlib
from typing import Any, Protocol

import pytest

Body = dict[str, Any]
KEY = "d63ae3e0-a7c5-4733-8d81-b451168d8a2c"
FIVE_MINUTES = 300.0


class CoreApi(Protocol):
    """Midtrans, as a merchant with ``server_key`` sees it, and whose time can pass.

    A charge is of 10,000 rupiah unless told otherwise; each call gives HTTP status and body.
    """

    server_key: str

    async def charge(self, order_id: str, *, key: str | None = None, **fields: Any) -> tuple[int, Body]: ...
    async def status(self, any_id: str) -> tuple[int, Body]: ...
    async def cancel(self, any_id: str) -> tuple[int, Body]: ...
    async def expire(self, any_id: str) -> tuple[int, Body]: ...

    async def pay(self, order_id: str) -> None:
        """The customer pays it."""
        ...

    async def deny(self, order_id: str) -> None:
        """The fraud check denies it."""
        ...

    async def charge_back(self, order_id: str) -> None: ...

    async def pass_time(self, seconds: float) -> None: ...

    def notified(self) -> list[Body]:
        """Every notification so far, oldest first."""
        ...


class CoreApiContract:
    """Override ``api``; nothing was charged before each test."""

    @pytest.fixture
    def api(self) -> CoreApi:
        raise NotImplementedError

    @pytest.mark.parametrize("payment_type", ["gopay", "qris"])
    async def test_a_charge_is_taken_with_a_transaction_and_a_qr(
        self, api: CoreApi, payment_type: str
    ) -> None:
        http, body = await api.charge("o-1", payment_type=payment_type)

        told = (body["status_code"], body["transaction_status"], body["fraud_status"], body["currency"])
        assert (http, told) == (200, ("201", "pending", "accept", "IDR"))
        assert (body["order_id"], body["gross_amount"]) == ("o-1", "10000.00")
        assert body["transaction_id"]
        names = [action["name"] for action in body["actions"]]
        assert "generate-qr-code" in names
        assert ("deeplink-redirect" in names, "qr_string" in body) == (
            payment_type == "gopay",
            payment_type == "qris",
        )

    async def test_the_same_key_brings_the_same_answer_and_one_transaction(self, api: CoreApi) -> None:
        first = await api.charge("o-1", key=KEY)
        await api.pay("o-1")
        await api.pass_time(FIVE_MINUTES - 1)

        assert await api.charge("o-1", key=KEY) == first
        assert [body["transaction_status"] for body in api.notified()] == ["pending", "settlement"]

    async def test_a_key_is_forgotten_after_five_minutes(self, api: CoreApi) -> None:
        await api.charge("o-1", key=KEY)
        await api.pass_time(FIVE_MINUTES)

        http, body = await api.charge("o-1", key=KEY)

        assert (http, body["status_code"]) == (200, "406")

    async def test_a_refusal_is_not_remembered(self, api: CoreApi) -> None:
        await api.charge("o-1")
        _, refused = await api.charge("o-1", key=KEY)
        await api.cancel("o-1")

        _, taken = await api.charge("o-1", key=KEY)

        assert (refused["status_code"], taken["status_code"]) == ("406", "201")

    @pytest.mark.parametrize("is_paid", [True, False])
    async def test_an_order_id_that_is_pending_or_paid_is_taken(self, api: CoreApi, *, is_paid: bool) -> None:
        await api.charge("o-1")
        if is_paid:
            await api.pay("o-1")

        http, body = await api.charge("o-1")

        assert (http, body["status_code"]) == (200, "406")
        assert "transaction_id" not in body

    @pytest.mark.parametrize("end", ["cancel", "expire", "deny"])
    async def test_an_order_id_whose_transaction_ended_unpaid_is_free_again(
        self, api: CoreApi, end: str
    ) -> None:
        _, first = await api.charge("o-1")
        await getattr(api, end)("o-1")

        _, second = await api.charge("o-1")
        _, newest = await api.status("o-1")
        _, old = await api.status(first["transaction_id"])

        assert second["status_code"] == "201"
        assert second["transaction_id"] != first["transaction_id"]
        assert (newest["transaction_id"], newest["transaction_status"]) == (
            second["transaction_id"],
            "pending",
        )
        assert (old["transaction_id"], old["transaction_status"]) == (first["transaction_id"], end)

    @pytest.mark.parametrize(
        ("do", "status", "code"),
        [
            (None, "pending", "201"),
            ("pay", "settlement", "200"),
            ("cancel", "cancel", "200"),
            ("expire", "expire", "407"),
            ("deny", "deny", "202"),
        ],
    )
    async def test_a_status_reply_has_its_own_codes(
        self, api: CoreApi, do: str | None, status: str, code: str
    ) -> None:
        await api.charge("o-1")
        if do is not None:
            await getattr(api, do)("o-1")

        http, body = await api.status("o-1")

        assert (http, body["transaction_status"], body["status_code"]) == (200, status, code)
        assert (body["order_id"], body["gross_amount"], body["currency"]) == ("o-1", "10000.00", "IDR")
        assert ("settlement_time" in body) == (status == "settlement")
        assert body["signature_key"] == signed(body, api.server_key)

    async def test_a_chargeback_is_told_as_such(self, api: CoreApi) -> None:
        await api.charge("o-1")
        await api.pay("o-1")
        await api.charge_back("o-1")

        _, body = await api.status("o-1")

        assert (body["transaction_status"], body["status_code"]) == ("chargeback", "200")
        assert api.notified()[-1]["transaction_status"] == "chargeback"

    @pytest.mark.parametrize("call", ["status", "cancel", "expire"])
    async def test_what_is_unknown_is_a_404_in_the_body_alone(self, api: CoreApi, call: str) -> None:
        http, body = await getattr(api, call)("nobodys")

        assert (http, body["status_code"]) == (200, "404")

    @pytest.mark.parametrize(("how", "code"), [("cancel", "200"), ("expire", "407")])
    async def test_a_pending_transaction_is_ended_as_asked(self, api: CoreApi, how: str, code: str) -> None:
        _, charged = await api.charge("o-1")

        http, body = await getattr(api, how)(charged["transaction_id"])

        assert (http, body["status_code"], body["transaction_status"]) == (200, code, how)
        assert (body["order_id"], body["transaction_id"]) == ("o-1", charged["transaction_id"])

    @pytest.mark.parametrize("how", ["cancel", "expire"])
    @pytest.mark.parametrize("before", ["pay", "cancel", "expire"])
    async def test_what_has_ended_or_is_paid_cannot_be_ended(
        self, api: CoreApi, how: str, before: str
    ) -> None:
        await api.charge("o-1")
        await getattr(api, before)("o-1")
        told = len(api.notified())

        http, body = await getattr(api, how)("o-1")

        assert (http, body["status_code"]) == (200, "412")
        assert len(api.notified()) == told

    async def test_a_charge_whose_time_is_over_is_refused(self, api: CoreApi) -> None:
        expiry = {"order_time": "2020-01-01 10:00:00 +0700", "expiry_duration": 15, "unit": "minute"}

        http, body = await api.charge("o-1", custom_expiry=expiry)

        assert (http, body["status_code"]) == (400, "400")
        assert api.notified() == []

    @pytest.mark.parametrize(
        ("do", "status", "code"),
        [
            ("pay", "settlement", "200"),
            ("cancel", "cancel", "202"),
            ("expire", "expire", "202"),
            ("deny", "deny", "202"),
        ],
    )
    async def test_every_change_is_notified_with_the_codes_of_notifications_and_signed(
        self, api: CoreApi, do: str, status: str, code: str
    ) -> None:
        _, charged = await api.charge("o-1")
        await getattr(api, do)("o-1")

        first, second = api.notified()

        assert (first["transaction_status"], first["status_code"]) == ("pending", "201")
        assert (second["transaction_status"], second["status_code"]) == (status, code)
        for body in (first, second):
            assert (body["order_id"], body["transaction_id"]) == ("o-1", charged["transaction_id"])
            assert (body["gross_amount"], body["currency"]) == ("10000.00", "IDR")
            assert body["signature_key"] == signed(body, api.server_key)


def signed(body: Body, server_key: str) -> str:
    """By the letter of the documentation, over the body's own status code."""
    text = body["order_id"] + body["status_code"] + body["gross_amount"] + server_key
    return hashlib.sha512(text.encode()).hexdigest()
