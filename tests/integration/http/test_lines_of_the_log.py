"""What the whole service logs of one payment, and what it never does."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from entrypoints.telemetry.logs import configure_logs
from integration.http.harness import Fault, Shop
from support.builders import SERVER_KEY
from support.service import TOKEN_SECRET, a_token


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    stream = io.StringIO()
    configure_logs(log_format="json", level="debug", stream=stream)
    # A logger that keeps what it was first used with would write to this test's stream for ever.
    structlog.configure(cache_logger_on_first_use=False)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


async def test_every_change_of_a_payment_is_one_line_once_it_is_on_disk(
    shop: Shop, lines: io.StringIO
) -> None:
    payment = await shop.created(order_id="order-1001")
    await shop.pay(payment)
    await shop.reaches("order-1001", "settlement")

    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    changes = [(line["seq"], line["what"]) for line in told if line["event"] == "payment.changed"]
    assert changes == [(1, "created"), (2, "pending"), (3, "settlement")]


async def test_nothing_secret_is_logged_on_the_way(shop: Shop, lines: io.StringIO) -> None:
    shop.line.faults += [Fault.LOST_ANSWER, Fault.NOT_MIDTRANS]
    payment = await shop.created(
        order_id="order-1001", payment_type="qris", customer={"email": "siti@shop.example"}
    )
    await shop.pay(payment)
    await shop.reaches("order-1001", "settlement")
    await shop.notify(order_id="order-1001", signature_key="5" * 128)

    text = lines.getvalue()
    (event, _forged) = await shop.events()
    secrets = [SERVER_KEY, TOKEN_SECRET, event["signature_key"], "5" * 20, "siti", payment["qr_string"]]
    assert '"event":"payment.changed"' in text
    assert [secret for secret in [*secrets, *a_token().split(".")[:1]] if secret in text] == []
