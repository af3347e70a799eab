"""What strangers wrote, printed or logged: it never steers a terminal, and never begins a line."""

import asyncio
import io
import json
import logging
from typing import Any, Final

import pytest
import structlog
from click.testing import Result

from domain.errors import PaymentNotFound
from domain.evidence import StatusReply
from domain.payment import Break
from domain.ports.gateway import Declined, RefundTaken
from domain.status import Status
from entrypoints.telemetry.logs import configure_logs
from support import builders
from unit.entrypoints.commands import failed, given, on_a_terminal, printed, run
from unit.entrypoints.harness import Service, a_notification_body

# ESC and BEL of a title, clear screen by the one-character CSI, next line, line separators, text that runs
# backwards, delete, and a line of its own.
ODD: Final = "x\x1b]0;owned\x07\x1b[2J\x9b31m\x85\u2028\u2029\u202e\u2066\x7f\r\nINSERTED"

pytestmark = pytest.mark.usefixtures("commands")


def is_harmless(text: str) -> bool:
    """Nothing but what is printed and the ends of our own lines; and what was odd is there, in its place."""
    lines = text.split("\n")
    return all(line.isprintable() for line in lines) and not any(
        line.startswith("INSERTED") for line in lines
    )


def a_marked_payment(service: Service) -> None:
    """A payment of an earlier service, whose ids may be anything, and with a break about somebody's words."""
    given(
        service,
        order_id=ODD,
        status=Status.SETTLEMENT,
        paid_at=builders.NOW,
        transaction_id=ODD,
        metadata={ODD: ODD},
        callback_url=ODD,
        breaks=(Break(reason="paid_twice", subject=ODD),),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("payments", "list"),
        ("payments", "list", "--json"),
        ("payments", "list", "--attention"),
        ("payments", "list", "--attention", "--json"),
        ("payments", "show", ODD),
        ("payments", "show", ODD, "--json"),
        ("payments", "export", ODD),
        ("payments", "attend", ODD, "--note", "INSERTED"),
    ],
    ids=" ".join,
)
def test_a_payment_s_odd_texts_are_harmless(service: Service, arguments: tuple[str, ...]) -> None:
    a_marked_payment(service)

    told = printed(*arguments)

    assert "INSERTED" in told
    assert is_harmless(told)


def test_what_midtrans_says_is_harmless_in_a_synced_and_exported_payment(service: Service) -> None:
    given(service)
    raw = json.dumps({"transaction_status": "settlement", "x": ODD}, ensure_ascii=False).encode()
    reply: StatusReply = builders.a_status_reply(raw=raw, transaction_status=f"settlement{ODD}")
    service.gateway.answers_status_of("t-1", reply)

    told = [
        printed("payments", "sync", "order-1"),
        printed("payments", "show", "order-1"),
        printed("payments", "export", "order-1"),
    ]

    assert all(is_harmless(text) for text in told)
    assert json.loads(told[2])["timeline"][-1]["midtrans_sent"]["x"] == ODD


def test_an_export_in_a_file_is_safe_to_look_at(service: Service, tmp_path: object) -> None:
    a_marked_payment(service)
    file = f"{tmp_path}/export.json"

    printed("payments", "export", ODD, "--output", file)

    with open(file, encoding="utf-8") as written:  # noqa: PTH123 - its newlines as they are
        text = written.read()
    assert is_harmless(text)
    assert json.loads(text)["payment"]["order_id"] == ODD


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_refund_s_odd_texts_are_harmless(service: Service, as_json: list[str]) -> None:
    given(service, status=Status.SETTLEMENT, paid_at=builders.NOW)
    service.gateway.answers_refunds_with(
        RefundTaken(transaction_id="t-1", raw=b"{}"), Declined(code="414", message=ODD, raw=ODD.encode())
    )
    printed("payments", "refund", "order-1", "--amount", "1", "--yes")
    run("payments", "refund", "order-1", "--amount", "2", "--yes")

    assert is_harmless(printed("payments", "show", "order-1", *as_json))
    assert is_harmless(printed("payments", "export", "order-1"))


def test_a_refusal_in_midtrans_s_words_is_harmless(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    given(service)
    service.gateway.answers_cancel_of("t-1", Declined(code="414", message=ODD, raw=b""))

    told = failed(capsys, "payments", "cancel", "order-1", "--yes")

    assert "INSERTED" in told
    assert is_harmless(told)


def test_an_order_id_that_is_not_there_is_repeated_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    told = failed(capsys, "payments", "show", ODD)

    assert "INSERTED" in str(PaymentNotFound(ODD))
    assert is_harmless(told)


def test_a_question_about_an_odd_payment_is_harmless(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_marked_payment(service)
    on_a_terminal(monkeypatch)

    asked: Result = run("payments", "refund", ODD, said="n\n")

    assert "Rp10.000" in asked.output
    assert is_harmless(asked.output)


@pytest.mark.parametrize("as_json", [[], ["--json"]])
async def test_a_notification_s_odd_texts_are_harmless(service: Service, as_json: list[str]) -> None:
    said = a_notification_body(order_id=f"{ODD}"[:64], transaction_id=ODD[:64], extra={ODD: [ODD]})
    answer = await service.notify(**said)
    assert answer.status_code == 200
    (kept,) = service.begin.notifications

    listed = await in_a_thread("webhooks", "list", *as_json)
    shown = await in_a_thread("webhooks", "show", str(kept.id), *as_json)

    assert "owned" in listed
    assert "owned" in shown
    assert is_harmless(listed)
    assert is_harmless(shown)


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("by_library", [False, True], ids=["by us", "by a library"])
def test_a_log_line_stays_one_line_of_printed_characters(log_format: str, *, by_library: bool) -> None:
    stream = io.StringIO()
    configure_logs(log_format=log_format, level="info", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)

    if by_library:
        logging.getLogger("some.library").warning("%s", ODD)
    else:
        structlog.get_logger().info("payment.changed", order_id=ODD, detail={ODD: [ODD]}, odd=ODD.encode())

    (line,) = stream.getvalue().splitlines()
    assert line.isprintable()
    if log_format == "json" and not by_library:
        assert json.loads(line)["order_id"] == ODD


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("by_library", [False, True], ids=["by us", "by a library"])
def test_a_traceback_with_a_stranger_s_words_is_harmless(log_format: str, *, by_library: bool) -> None:
    stream = io.StringIO()
    configure_logs(log_format=log_format, level="info", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)

    try:
        fail()
    except ValueError:
        logger = logging.getLogger("some.library") if by_library else structlog.get_logger()
        logger.exception("it.failed")

    told = stream.getvalue()
    assert "ValueError" in told
    assert "owned" in told
    assert is_harmless(told)


def test_a_fault_of_a_command_repeats_no_row_and_steers_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = f"{ODD}\nDETAIL:  Failing row contains (order-1, a-token,\n two lines)."

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(row)

    monkeypatch.setattr(service.begin, "check_reachable", broken)

    told = failed(capsys, "payments", "list")

    assert "owned" in told
    assert "a-token" not in told
    assert is_harmless(told)


def fail() -> None:
    raise ValueError(ODD)


def test_half_a_character_is_no_reason_to_lose_a_line() -> None:
    stream = io.StringIO()
    configure_logs(log_format="json", level="info", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)

    structlog.get_logger().info("x", name="\ud800")

    assert json.loads(stream.getvalue())["name"] == "\ud800"


async def in_a_thread(*arguments: str) -> str:
    """A command starts a loop of its own, which it cannot inside of this one."""
    return await asyncio.to_thread(printed, *arguments)
