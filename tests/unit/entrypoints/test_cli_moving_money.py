"""The commands that move money: they ask first, and what went astray can be taken up again."""

import asyncio
import json
import re
import sys
from typing import Final
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from domain.errors import GatewayUnavailable
from domain.payment import Break
from domain.ports.gateway import Declined, NotTaken, RefundTaken, Unanswered
from domain.status import Status
from entrypoints.cli import confirming
from entrypoints.cli.main import bayar, main
from support import builders
from support.builders import NOW
from unit.entrypoints.harness import Service

pytestmark = pytest.mark.usefixtures("commands")

TAKEN: Final = RefundTaken(transaction_id="t-1")
CANCELLED: Final = builders.a_status_reply(transaction_status="cancel")
FIRST: Final = str(UUID(int=1))


@pytest.fixture
def _at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirming, "is_a_terminal", lambda: True)


def run(*arguments: str, said: str | None = None) -> Result:
    return CliRunner().invoke(bayar, ("payments", *arguments), input=said)


def printed(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the whole program says on stderr when it exits with status 1."""
    argv, sys.argv = sys.argv, ["bayar", "payments", *arguments]
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = argv
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


@pytest.fixture
def pending(service: Service) -> Service:
    asyncio.run(service.given())
    return service


@pytest.fixture
def paid(service: Service) -> Service:
    asyncio.run(service.given(status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW))
    return service


@pytest.mark.parametrize("command", [["cancel", "order-1"], ["refund", "order-1", "--amount", "1"]])
def test_without_a_terminal_and_without_yes_it_is_wrong_usage(service: Service, command: list[str]) -> None:
    result = run(*command)

    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert result.stdout == ""
    assert (service.gateway.cancelled, service.gateway.refunds) == ([], [])


@pytest.mark.usefixtures("_at_a_terminal")
@pytest.mark.parametrize("said", ["n\n", "\n", ""])
def test_anything_but_a_yes_moves_nothing(paid: Service, said: str) -> None:
    result = run("refund", "order-1", "--amount", "4000", said=said)

    assert result.exit_code == 1
    assert "Refund Rp4.000 of payment order-1 (Rp10.000, settlement)?" in result.stderr
    assert paid.gateway.refunds == []


@pytest.mark.usefixtures("_at_a_terminal")
def test_a_yes_at_the_terminal_cancels(pending: Service) -> None:
    pending.gateway.answers_cancel_of("t-1", CANCELLED)

    result = run("cancel", "order-1", said="y\n")

    assert result.exit_code == 0, result.output
    assert "Cancel payment order-1 (Rp10.000, pending)?" in result.stderr
    assert result.stdout == "order-1  cancel\n"


@pytest.mark.usefixtures("_at_a_terminal")
def test_a_yes_at_the_terminal_refunds_what_was_asked_about(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)

    result = run("refund", "order-1", said="y\n")

    assert result.exit_code == 0, result.output
    assert "Refund Rp10.000 of payment order-1" in result.stderr
    assert [order.amount for order in paid.gateway.refunds] == [10_000]


def test_a_cancelled_payment_as_json_is_the_payment(pending: Service) -> None:
    pending.gateway.answers_cancel_of("t-1", CANCELLED)

    told = json.loads(printed("cancel", "order-1", "--yes", "--json"))

    assert (told["order_id"], told["status"], told["breaks"]) == ("order-1", "cancel", [])


def test_an_operator_s_act_is_in_the_timeline(pending: Service) -> None:
    pending.gateway.answers_cancel_of("t-1", CANCELLED)
    printed("cancel", "order-1", "--yes")

    assert re.search(r"cancel asked +operator +by operator", printed("show", "order-1"))


@pytest.mark.usefixtures("_at_a_terminal")
def test_what_cannot_be_cancelled_is_told_without_asking(
    paid: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    assert paid.gateway.cancelled == []
    assert failed(capsys, "cancel", "order-1") == (
        "Payment order-1 is settlement, so it cannot be cancelled.\n"
    )


def test_a_cancel_without_an_answer_says_how_to_look_again(
    pending: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    pending.gateway.answers_cancel_of("t-1", GatewayUnavailable("ReadError"))

    told = failed(capsys, "cancel", "order-1", "--yes")

    assert "did not say whether payment order-1 was cancelled" in told
    assert "bayar payments sync order-1" in told


def test_a_refund_is_printed_with_its_key(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)

    lines = printed("refund", "order-1", "--amount", "4000", "--reason", "out of stock", "--yes").splitlines()

    assert lines == [
        f"refunding Rp4.000 of order-1 under the key {FIRST}",
        f"refund {FIRST}  accepted  Rp4.000  order-1",
    ]
    (order,) = paid.gateway.refunds
    assert (order.key, order.reason) == (FIRST, "out of stock")


def test_a_refund_as_json_is_the_refund(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)

    told = json.loads(printed("refund", "order-1", "--yes", "--json", "--key", "return-7"))

    assert (told["refund_key"], told["key"], told["by"]) == (FIRST, "return-7", "operator")
    assert (told["amount"], told["status"], told["replayed"]) == (10_000, "accepted", False)


def test_the_same_key_again_is_the_first_refund(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)
    command = ("refund", "order-1", "--yes", "--json", "--key", "return-7")
    first = json.loads(printed(*command))

    again = json.loads(printed(*command))

    assert again == first | {"replayed": True}
    assert len(paid.gateway.refunds) == 1


def test_other_options_under_the_key_are_refused(paid: Service, capsys: pytest.CaptureFixture[str]) -> None:
    paid.gateway.answers_refunds_with(TAKEN)
    printed("refund", "order-1", "--yes", "--key", "return-7", "--amount", "1")

    told = failed(capsys, "refund", "order-1", "--yes", "--key", "return-7", "--amount", "2")

    assert "came with other values before" in told


def test_a_lost_answer_says_how_to_look_again_and_go_on(
    paid: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    paid.gateway.answers_refunds_with(Unanswered(reason="no answer in time"), TAKEN)

    told = failed(capsys, "refund", "order-1", "--amount", "4000", "--yes")
    again = printed("refund", "order-1", "--amount", "4000", "--yes", "--key", FIRST)

    assert "bayar payments show order-1" in told
    assert f"--key {FIRST}" in told
    assert f"refund {FIRST}  accepted" in again
    assert [order.key for order in paid.gateway.refunds] == [FIRST] * 2


def test_a_refund_that_was_not_sent_says_how_to_go_on(
    paid: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    paid.gateway.answers_refunds_with(NotTaken(reason="ConnectError"))

    told = failed(capsys, "refund", "order-1", "--yes")

    assert "nothing was refunded" in told
    assert f"--key {FIRST}" in told


def test_a_refusal_is_one_sentence_in_midtranss_words(
    paid: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    paid.gateway.answers_refunds_with(Declined(code="412", message="Merchant cannot modify it"))

    assert "code 412: Merchant cannot modify it. " in failed(capsys, "refund", "order-1", "--yes")


@pytest.mark.usefixtures("_at_a_terminal")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--amount", "10001"], "at most 10000 of payment"),
        (["--transaction", "t-2"], "t-2 is no paid transaction of order-1"),
    ],
)
def test_what_cannot_be_refunded_is_told_without_asking(
    paid: Service, capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    assert told in failed(capsys, "refund", "order-1", *options)
    assert paid.gateway.refunds == []


@pytest.mark.usefixtures("_at_a_terminal")
def test_a_second_paid_transaction_is_refunded_by_its_id(service: Service) -> None:
    twice = (Break(reason="paid_twice", subject="t-2"),)
    asyncio.run(service.given(status=Status.SETTLEMENT, transaction_id="t-1", breaks=twice))
    service.gateway.answers_refunds_with(RefundTaken(transaction_id="t-2"))

    result = run("refund", "order-1", "--transaction", "t-2", said="y\n")

    assert result.exit_code == 0, result.output
    assert "Refund Rp10.000 of the other transaction t-2 of payment order-1" in result.stderr
    assert [order.transaction for order in service.gateway.refunds] == ["t-2"]


@pytest.mark.parametrize(
    "options",
    [
        ["--amount", "0"],
        ["--amount", "1.5"],
        ["--reason", ""],
        ["--reason", "x" * 256],
        ["--reason", "a\nb"],
        ["--reason", "\udcff"],
        ["--key", ""],
        ["--key", "x" * 256],
        ["--key", "\u2615"],
        ["--colour", "red"],
    ],
)
def test_wrong_usage_ends_with_status_2(paid: Service, options: list[str]) -> None:
    result = run("refund", "order-1", "--yes", *options)

    assert (result.exit_code, result.stdout) == (2, "")
    assert paid.gateway.refunds == []


def test_a_payment_is_shown_with_its_refunds(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)
    printed("refund", "order-1", "--amount", "4000", "--yes", "--key", "return-7")

    text = printed("show", "order-1")
    shown = json.loads(printed("show", "order-1", "--json"))

    assert re.search(rf"{FIRST} +Rp4\.000 +accepted +2026-02-06 03:00:00", text)
    assert "return-7" in text
    (refund,) = shown["refunds"]
    assert (refund["refund_key"], refund["amount"], refund["status"]) == (FIRST, 4_000, "accepted")
    assert (refund["key"], refund["by"], refund["attempts"]) == ("return-7", "operator", 1)


def test_a_payment_without_refunds_shows_none(paid: Service) -> None:
    assert "accepted (UTC)" not in printed("show", "order-1")
    assert json.loads(printed("show", "order-1", "--json"))["refunds"] == []
    assert paid.gateway.refunds == []
