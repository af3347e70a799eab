"""What is told beside the work: how calls of Midtrans went, and how log lines look."""

import asyncio
import io
import json
import logging

import pytest
import structlog
from prometheus_client.registry import REGISTRY

from domain import history
from domain.errors import GatewayUnavailable
from domain.evidence import ChargeRefused
from domain.ports.gateway import (
    AlreadyThere,
    ChargeOutcome,
    Declined,
    NotTaken,
    RefundOutcome,
    RefundTaken,
    Unanswered,
)
from domain.status import Status
from entrypoints.telemetry.logs import configure_logs
from entrypoints.telemetry.observed import ObservedGateway, tell_changes
from support import builders
from support.builders import NOW
from support.fakes import ManualClock, ScriptedGateway
from unit.entrypoints.harness import Logs


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def midtrans(clock: ManualClock) -> ScriptedGateway:
    return ScriptedGateway(clock=clock)


@pytest.fixture
def observed(midtrans: ScriptedGateway, clock: ManualClock) -> ObservedGateway:
    return ObservedGateway(gateway=midtrans, clock=clock)


def calls(call: str, outcome: str) -> float:
    labels = {"call": call, "outcome": outcome}
    return REGISTRY.get_sample_value("bayar_gateway_call_seconds_count", labels) or 0.0


OUTCOMES: list[tuple[ChargeOutcome, str]] = [
    (builders.a_charge_answer(), "pending"),
    (builders.a_charge_answer(status=Status.DENY), "deny"),
    (ChargeRefused(code="402", message="Payment channel is not activated.", received_at=NOW), "refused"),
    (NotTaken(reason="ConnectError"), "not taken"),
    (Unanswered(reason="no answer in time"), "unanswered"),
]


@pytest.mark.parametrize(("outcome", "word"), OUTCOMES)
async def test_a_charge_is_passed_on_and_counted_by_its_outcome(
    observed: ObservedGateway, midtrans: ScriptedGateway, outcome: ChargeOutcome, word: str
) -> None:
    midtrans.answers_charges_with(outcome)
    before = calls("charge", word)

    assert await observed.charge(builders.a_charge(), within=5) == outcome
    assert calls("charge", word) == before + 1


@pytest.mark.parametrize(("outcome", "reason"), [
    (OUTCOMES[2][0], "402 Payment channel is not activated."),
    (OUTCOMES[3][0], "ConnectError"),
    (OUTCOMES[4][0], "no answer in time"),
])  # fmt: skip
async def test_a_failed_charge_is_one_line_with_its_reason(
    observed: ObservedGateway,
    midtrans: ScriptedGateway,
    logs: Logs,
    outcome: ChargeOutcome,
    reason: str,
) -> None:
    midtrans.answers_charges_with(outcome)

    await observed.charge(builders.a_charge(), within=5)

    (line,) = logs.lines
    assert (line["event"], line["level"]) == ("gateway.charge_failed", "warning")
    assert (line["order_id"], line["reason"]) == ("order-1", reason)


async def test_a_charge_that_was_taken_is_no_line(
    observed: ObservedGateway, midtrans: ScriptedGateway, logs: Logs
) -> None:
    midtrans.answers_charges_with(builders.a_charge_answer())

    await observed.charge(builders.a_charge(), within=5)

    assert logs.lines == []


@pytest.mark.parametrize(
    ("outcome", "word", "reasons"),
    [
        (RefundTaken(transaction_id="t-1"), "accepted", []),
        (Declined(code="412", message="No."), "refused", ["412 No."]),
        (AlreadyThere(), "already there", ["Midtrans knows this order id or refund key"]),
        (NotTaken(reason="ConnectError"), "not taken", ["ConnectError"]),
        (Unanswered(reason="no answer in time"), "unanswered", ["no answer in time"]),
    ],
)
async def test_a_refund_is_passed_on_counted_and_told_when_it_failed(
    observed: ObservedGateway,
    midtrans: ScriptedGateway,
    logs: Logs,
    outcome: RefundOutcome,
    word: str,
    reasons: list[str],
) -> None:
    midtrans.answers_refunds_with(outcome)
    before = calls("refund", word)

    assert await observed.refund(builders.a_refund_order(), within=5) == outcome
    assert calls("refund", word) == before + 1
    lines = logs.of("gateway.refund_failed")
    assert [line["reason"] for line in lines] == reasons
    assert all((line["order_id"], line["refund"]) == ("order-1", "refund-1") for line in lines)


async def test_a_refused_cancel_is_passed_on_counted_and_told(
    observed: ObservedGateway, midtrans: ScriptedGateway, logs: Logs
) -> None:
    refused = Declined(code="402", message="No.")
    midtrans.answers_cancel_of("t-1", refused)
    before = calls("cancel", "refused")

    assert await observed.cancel("t-1") == refused
    assert calls("cancel", "refused") == before + 1
    assert [line["reason"] for line in logs.of("gateway.cancel_failed")] == ["402 No."]


async def test_a_question_is_counted_by_what_came_back(
    observed: ObservedGateway, midtrans: ScriptedGateway
) -> None:
    midtrans.answers_status_of("t-1", builders.a_status_reply())
    before = calls("status", "found"), calls("status", "unknown")

    await observed.status("t-1")
    await observed.status("t-2")

    assert (calls("status", "found"), calls("status", "unknown")) == (before[0] + 1, before[1] + 1)


async def test_a_question_without_an_answer_is_counted_told_and_raised(
    observed: ObservedGateway, midtrans: ScriptedGateway, logs: Logs
) -> None:
    midtrans.answers_status_of("t-1", GatewayUnavailable("ReadTimeout"))
    before = calls("status", "unavailable")

    with pytest.raises(GatewayUnavailable):
        await observed.status("t-1")

    assert calls("status", "unavailable") == before + 1
    assert [line["reason"] for line in logs.of("gateway.status_failed")] == ["ReadTimeout"]


async def test_a_call_is_timed(observed: ObservedGateway, midtrans: ScriptedGateway) -> None:
    midtrans.answers_charges_with(midtrans.after(3.0, builders.a_charge_answer()))
    labels = {"call": "charge", "outcome": "pending"}
    before = REGISTRY.get_sample_value("bayar_gateway_call_seconds_sum", labels) or 0.0

    await observed.charge(builders.a_charge(), within=5)

    after = REGISTRY.get_sample_value("bayar_gateway_call_seconds_sum", labels) or 0.0
    assert after - before == pytest.approx(3.0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(stream: io.StringIO, log_format: str | None, level: str = "info") -> str:
    configure_logs(log_format=log_format, level=level, stream=stream)
    structlog.configure(cache_logger_on_first_use=False)
    structlog.get_logger().info("payment.changed", status="pending")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("stream", "log_format", "is_json"),
    [
        (io.StringIO(), None, True),
        (io.StringIO(), "json", True),
        (io.StringIO(), "console", False),
        (Terminal(), None, False),
        (Terminal(), "json", True),
        (Terminal(), "console", False),
    ],
)
def test_lines_are_json_unless_a_person_reads_them(
    stream: io.StringIO,
    log_format: str | None,
    is_json: bool,  # noqa: FBT001
) -> None:
    line = written(stream, log_format)

    assert "payment.changed" in line
    assert line.startswith("{") is is_json


@pytest.mark.parametrize(
    ("level", "is_told"), [("debug", True), ("info", True), ("warning", False), ("error", False)]
)
def test_lines_below_the_level_are_left_out(level: str, is_told: bool) -> None:  # noqa: FBT001
    assert bool(written(io.StringIO(), "json", level)) is is_told


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_values_of_variables(log_format: str) -> None:
    stream = io.StringIO()
    configure_logs(log_format=log_format, level="info", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)

    def fail(password: str) -> None:
        raise RuntimeError(f"a fault with {len(password)} characters")

    try:
        fail(password="hunter" + "2")
    except RuntimeError:
        structlog.get_logger().exception("request.failed")

    assert "RuntimeError: a fault with 7 characters" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_a_library_s_warning_is_a_line_like_ours(logs: Logs) -> None:
    logging.getLogger("some.library").warning("%s is odd", "this")
    logging.getLogger("some.library").info("chatter")

    (line,) = [json.loads(text) for text in logs.text.splitlines()]
    assert (line["event"], line["level"], line["logger"]) == ("this is odd", "warning", "some.library")


class _Full(io.StringIO):
    """A log whose disk is full, or whose reader went away."""

    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise BrokenPipeError


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_log_that_cannot_be_written_fails_nothing(log_format: str) -> None:
    configure_logs(log_format=log_format, level="info", stream=_Full())
    structlog.configure(cache_logger_on_first_use=False)

    structlog.get_logger().info("payment.changed", status="settlement")
    logging.getLogger("some.library").warning("odd")
    tell_changes(history.opened(builders.a_payment(log_length=0))[1])


class _Counting(io.StringIO):
    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_lines_of_the_same_turn_of_the_loop_are_flushed_together_and_at_once(log_format: str) -> None:
    stream = _Counting()
    configure_logs(log_format=log_format, level="info", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)

    for _ in range(2):
        for _ in range(5):
            structlog.get_logger().info("payment.changed")
        await asyncio.sleep(0)

    assert stream.flushes == 2


def test_a_line_outside_of_a_loop_is_flushed_as_it_is_written() -> None:
    stream = _Counting()

    written(stream, "json")

    assert stream.flushes == 1


@pytest.mark.parametrize("name", ["order_id", "event"])
def test_what_came_from_outside_does_not_steer_a_terminal(name: str) -> None:
    stream = io.StringIO()
    configure_logs(log_format="console", level="info", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)

    structlog.get_logger().info(**{"event": "webhook.received", name: "\x1b]0;pwned\x07\x1b[2Jok"})

    assert "pwned" in stream.getvalue()
    assert not {"\x1b", "\x07"} & set(stream.getvalue())


class Refused(Exception):
    """What asyncpg raises for a row that breaks a rule of its table."""

    def __str__(self) -> str:
        return (
            'null value in column "phone" violates not-null constraint\n'
            "DETAIL:  Failing row contains (order-1, a-secret-token,\n two lines).\nHINT:  Look at it."
        )


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("by_library", [False, True])
@pytest.mark.parametrize(
    "cause", [Refused(), ExceptionGroup("of a group", [ExceptionGroup("in one", [Refused(), Refused()])])]
)
def test_a_row_that_postgres_refused_is_not_repeated(
    log_format: str,
    by_library: bool,  # noqa: FBT001
    cause: Exception,
) -> None:
    stream = io.StringIO()
    configure_logs(log_format=log_format, level="info", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)

    try:
        raise RuntimeError("what came of it") from cause  # noqa: TRY301
    except RuntimeError:
        if by_library:
            logging.getLogger("asyncpg").exception("it failed")
        else:
            structlog.get_logger().exception("it failed")

    text = stream.getvalue()
    assert "secret" not in text
    assert "two lines" not in text
    assert "violates not-null constraint" in text
    assert "HINT:  Look at it." in text
    assert "what came of it" in text
