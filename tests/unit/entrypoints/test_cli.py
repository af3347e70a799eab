"""The commands over fakes: what they print in a pipe, as JSON, and of a user's mistake."""

import asyncio
import hashlib
import json
import re
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from dependency_injector.providers import Object

from domain.errors import DatabaseUnavailable, GatewayUnavailable
from domain.payment import Break
from domain.ports.gateway import KeyCheck, RefundTaken, Unanswered
from domain.status import Status
from entrypoints.cli.main import _COMMANDS, main
from entrypoints.cli.output import rupiah, show_table
from entrypoints.trouble import Trouble
from support import builders
from support.builders import NOW
from support.merchant import is_paid, listens
from support.service import TOKEN_SECRET
from unit.entrypoints.commands import failed, given, printed, run
from unit.entrypoints.harness import Service, away

pytestmark = pytest.mark.usefixtures("commands")

ALGORITHMS: Final = ["HS256"]


def claims(token: str, **options: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(
        token.strip(), TOKEN_SECRET, ALGORITHMS, **{"options": {"verify_aud": False}} | options
    )
    return decoded


def test_a_token_is_printed_alone_and_lasts_an_hour() -> None:
    text = printed("token", "--user", "7")

    assert text.count("\n") == 1
    said = claims(text)
    assert said["sub"] == "7"
    assert said["exp"] - said["iat"] == 3600
    assert "scope" not in said


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [("30s", 30), ("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604_800), ("9999999s", 9_999_999)],
)
def test_a_token_lasts_as_long_as_asked(ttl: str, seconds: int) -> None:
    before = int(time.time())

    said = claims(printed("token", "--user", "7", "--ttl", ttl))

    assert before + seconds <= said["exp"] <= time.time() + seconds


@pytest.mark.parametrize(
    "ttl", ["", "0h", "-1h", "1", "h", "1.5h", "1w", "1H", "1 h", "01h", "1h30m", "10000000s", "\u0661h"]
)
def test_what_is_no_duration_is_wrong_usage(ttl: str) -> None:
    result = run("token", "--user", "7", "--ttl", ttl)

    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize("user", ["0", "-1", "x", "9223372036854775808", "1.0", ""])
def test_what_is_no_user_id_is_wrong_usage(user: str) -> None:
    assert run("token", "--user", user).exit_code == 2


def test_scopes_are_put_into_the_token() -> None:
    said = claims(printed("token", "--user", "7", "--scope", "a", "--scope", "payments:any"))

    assert said["scope"] == "a payments:any"


def test_a_token_carries_the_issuer_and_audience_of_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTH_JWT_ISSUER", "https://id.example")
    monkeypatch.setenv("AUTH_JWT_AUDIENCE", "bayar")

    said = claims(printed("token", "--user", "7"))

    assert (said["iss"], said["aud"]) == ("https://id.example", "bayar")


def test_payments_are_columns_in_a_pipe(service: Service) -> None:
    given(service, order_id="order-1", created_at=NOW)
    given(
        service,
        order_id="order-20",
        gross_amount=1_250_000,
        status=Status.SETTLEMENT,
        late=True,
        paid_at=NOW,
        created_at=NOW.replace(minute=1),
    )

    lines = printed("payments", "list").splitlines()

    assert [re.split(r"  +", line) for line in lines] == [
        ["order id", "status", "amount", "type", "user", "created (UTC)", "paid (UTC)", "late"],
        ["order-20", "settlement", "Rp1.250.000", "gopay", "1", "2026-02-06 03:01:00",
         "2026-02-06 03:00:00", "late"],
        ["order-1", "pending", "Rp10.000", "gopay", "1", "2026-02-06 03:00:00"],
    ]  # fmt: skip


def test_payments_are_a_list_as_json(service: Service) -> None:
    given(service, breaks=(Break(reason="paid_twice", subject="t-2"),))

    (payment,) = json.loads(printed("payments", "list", "--json"))

    assert payment["order_id"] == "order-1"
    assert payment["user_id"] == 1
    assert payment["created_at"] == "2026-02-06T03:00:00Z"
    assert payment["breaks"] == [{"reason": "paid_twice", "subject": "t-2"}]


def test_the_list_may_be_of_one_status_and_user_and_short(service: Service) -> None:
    for number in range(3):
        given(service, order_id=f"mine-{number}", created_at=NOW.replace(minute=number))
    given(service, order_id="over", status=Status.EXPIRE)
    given(service, order_id="theirs", user_id=2)

    found = json.loads(
        printed("payments", "list", "--status", "pending", "--user", "1", "--limit", "2", "--json")
    )

    assert [payment["order_id"] for payment in found] == ["mine-2", "mine-1"]


def test_an_empty_list_as_json_is_an_empty_list() -> None:
    assert json.loads(printed("payments", "list", "--json")) == []


def test_an_empty_list_in_a_pipe_is_its_heading() -> None:
    assert printed("payments", "list").splitlines()[0].startswith("order id")


def test_a_payment_is_shown_with_its_timeline(service: Service) -> None:
    given(service, breaks=(Break(reason="paid_twice", subject="t-2"),))

    text = printed("payments", "show", "order-1")

    assert "order-1  pending  Rp10.000  gopay  transaction t-1" in text
    assert "needs a person: paid_twice (t-2)" in text
    assert re.search(r"2026-02-06 03:00:00 +created +shop", text)


def test_a_payment_of_an_earlier_service_has_no_timeline_yet(service: Service) -> None:
    given(service, log_length=0)

    assert "An earlier service made this payment" in printed("payments", "show", "order-1")


def test_a_payment_s_timeline_as_json_has_every_part_of_it(service: Service) -> None:
    given(service, status=Status.CREATED)

    shown = json.loads(printed("payments", "show", "order-1", "--json"))

    (entry,) = shown["timeline"]
    assert (entry["seq"], entry["what"], entry["source"]) == (1, "created", "shop")
    assert entry["at"] == "2026-02-06T03:00:00Z"
    assert len(entry["digest"]) == 64


def test_a_synced_payment_is_told_as_midtrans_has_it(service: Service) -> None:
    given(service)
    service.gateway.answers_status_of("t-1", builders.a_status_reply())

    assert printed("payments", "sync", "order-1") == "order-1  settlement\n"


def test_with_midtrans_away_a_sync_fails_with_the_stored_status(service: Service) -> None:
    given(service)
    service.gateway.answers_status_of("t-1", GatewayUnavailable("ConnectError"))

    result = run("payments", "sync", "order-1", "--json")

    assert result.exit_code == 1
    assert (json.loads(result.stdout)["status"], json.loads(result.stdout)["refreshed"]) == (
        "pending",
        False,
    )
    assert "Midtrans did not answer" in result.stderr


def broken(service: Service, order_id: str, reason: str, subject: str) -> None:
    given(
        service, order_id=order_id, breaks=(Break(reason=reason, subject=subject),), transaction_id=order_id
    )


def test_what_needs_a_person_is_one_list_with_the_next_command(service: Service) -> None:
    given(service, order_id="fine", transaction_id="t-fine")
    broken(service, "twice", "paid_twice", "t-2")
    broken(service, "gone", "missing_there", "t-3")
    broken(service, "odd", "amount", "amount 1.00 instead of 10000")
    given(service, order_id="late", transaction_id="t-4", status=Status.SETTLEMENT, late=True)

    listed = {
        row["order_id"]: row for row in json.loads(printed("payments", "list", "--attention", "--json"))
    }

    assert {order_id: row["reason"] for order_id, row in listed.items()} == {
        "twice": "paid_twice",
        "gone": "missing_there",
        "odd": "amount",
        "late": "late",
    }
    assert listed["twice"]["next"] == (
        'bayar payments refund twice --transaction t-2, then bayar payments attend twice --note "…"'
    )
    assert listed["gone"]["next"].startswith("bayar payments sync gone")
    assert "bayar payments refund late" in listed["late"]["next"]
    assert listed["odd"]["next"].startswith("bayar payments show odd")
    assert "bayar payments sync gone" in printed("payments", "list", "--attention")
    assert "bayar payments sync gone" in printed("payments", "show", "gone")


def test_what_was_attended_needs_nobody_any_more_and_is_in_the_timeline(service: Service) -> None:
    broken(service, "odd", "amount", "amount 1.00 instead of 10000")

    told = printed("payments", "attend", "odd", "--note", "looked at it")

    assert "looked at: amount (amount 1.00 instead of 10000)\n" in told
    assert printed("payments", "list", "--attention", "--json") == "[]\n"
    shown = json.loads(printed("payments", "show", "odd", "--json"))
    assert (shown["timeline"][-1]["source"], shown["timeline"][-1]["detail"]["note"]) == (
        "operator",
        "looked at it",
    )
    again = run("payments", "attend", "odd", "--note", "again")
    assert again.exit_code == 1
    assert "Nothing about payment odd needs a person." in again.output + str(again.exception)


def test_a_refund_without_an_outcome_needs_a_person_after_an_hour(service: Service) -> None:
    given(service, status=Status.SETTLEMENT, paid_at=NOW)
    service.gateway.answers_refunds_with(Unanswered(reason="no answer in time"))
    assert run("payments", "refund", "order-1", "--yes").exit_code == 1
    service.clock.advance(3599)
    early = printed("payments", "list", "--attention", "--json")
    service.clock.advance(1)

    (row,) = json.loads(printed("payments", "list", "--attention", "--json"))

    assert early == "[]\n"
    (refund,) = json.loads(printed("payments", "show", "order-1", "--json"))["refunds"]
    assert (row["order_id"], row["reason"], row["subject"]) == (
        "order-1",
        "refund_stuck",
        refund["refund_key"],
    )
    assert row["next"].startswith("bayar doctor, then bayar payments sync order-1")
    assert "refund_stuck" in printed("payments", "list", "--attention")


def test_the_list_of_what_needs_a_person_is_no_longer_than_asked(service: Service) -> None:
    for number in range(3):
        broken(service, f"odd-{number}", "amount", "amount 1.00 instead of 10000")

    assert len(json.loads(printed("payments", "list", "--attention", "--limit", "2", "--json"))) == 2


def test_attention_is_of_all_payments() -> None:
    assert run("payments", "list", "--attention", "--status", "pending").exit_code == 2


def test_an_exported_payment_has_its_evidence_and_never_a_signature(service: Service) -> None:
    given(service)
    raw = json.dumps({"transaction_status": "settlement", "signature_key": "5" * 128}).encode()
    service.gateway.answers_status_of("t-1", builders.a_status_reply(raw=raw))
    printed("payments", "sync", "order-1")

    exported = printed("payments", "export", "order-1")

    told = json.loads(exported)
    assert (told["payment"]["status"], told["log_is_whole"]) == ("settlement", True)
    last = told["timeline"][-1]
    assert last["midtrans_sent"] == {"transaction_status": "settlement", "signature_key": "(withheld)"}
    assert last["detail"]["evidence"] == hashlib.sha256(raw).hexdigest()
    assert "555" not in exported


def test_an_exported_refund_has_what_midtrans_answered(service: Service) -> None:
    given(service, status=Status.SETTLEMENT, paid_at=builders.NOW)
    raw = b'{"status_code": "200", "transaction_status": "refund"}'
    service.gateway.answers_refunds_with(RefundTaken(transaction_id="t-1", raw=raw))
    printed("payments", "refund", "order-1", "--yes")

    timeline = json.loads(printed("payments", "export", "order-1"))["timeline"]

    assert {entry["what"]: entry["midtrans_sent"] for entry in timeline if "midtrans_sent" in entry} == {
        "refund accepted": {"status_code": "200", "transaction_status": "refund"}
    }


def test_an_export_is_written_to_a_file(service: Service, tmp_path: Path) -> None:
    given(service)

    said = printed("payments", "export", "order-1", "--output", str(tmp_path / "order-1.json"))

    assert said == f"1 entries of order-1 are in {tmp_path / 'order-1.json'}.\n"
    assert json.loads((tmp_path / "order-1.json").read_text())["payment"]["order_id"] == "order-1"


def test_an_export_that_cannot_be_written_is_told_in_one_sentence(service: Service, tmp_path: Path) -> None:
    given(service)

    ended = run("payments", "export", "order-1", "--output", str(tmp_path / "nowhere" / "order-1.json"))

    assert ended.exit_code == 1
    assert isinstance(ended.exception, Trouble)
    assert "cannot be written: No such file or directory" in str(ended.exception)


def test_an_order_id_of_an_earlier_service_is_quoted_in_the_next_command(service: Service) -> None:
    broken(service, "gone; reboot", "missing_there", "t-3")
    broken(service, "twice now", "paid_twice", "t 2")

    listed = {
        row["order_id"]: row["next"]
        for row in json.loads(printed("payments", "list", "--attention", "--json"))
    }

    assert listed["gone; reboot"].startswith("bayar payments sync 'gone; reboot', then")
    assert listed["twice now"].startswith("bayar payments refund 'twice now' --transaction 't 2', then")


@pytest.mark.parametrize("status", [Status.REFUND, Status.PARTIAL_REFUND])
def test_with_one_of_two_payments_given_back_nobody_is_told_to_give_back_the_other(
    service: Service, status: Status
) -> None:
    twice = (Break(reason="paid_twice", subject="t-1"),)
    given(service, order_id="twice", status=status, transaction_id="t-2", breaks=twice)

    (listed,) = json.loads(printed("payments", "list", "--attention", "--json"))

    assert "--transaction" not in listed["next"]
    assert listed["next"].endswith('bayar payments attend twice --note "…"')


def test_of_a_payment_paid_twice_it_is_shown_which_money_went_back_and_which_is_kept(
    service: Service,
) -> None:
    twice = (Break(reason="paid_twice", subject="t-2"),)
    given(service, status=Status.SETTLEMENT, transaction_id="t-1", breaks=twice, paid_at=NOW)
    service.gateway.answers_refunds_with(RefundTaken(transaction_id="t-2"))
    before = printed("payments", "show", "order-1")

    printed("payments", "refund", "order-1", "--transaction", "t-2", "--yes")

    after = printed("payments", "show", "order-1")
    (listed,) = json.loads(printed("payments", "list", "--attention", "--json"))
    shown = json.loads(printed("payments", "show", "order-1", "--json"))
    assert re.search(r"^t-1 +Rp10.000 +Rp0 +Rp10.000$", before, re.MULTILINE)
    assert re.search(r"^t-2 +Rp10.000 +Rp0 +Rp10.000$", before, re.MULTILINE)
    assert re.search(r"^t-2 +Rp10.000 +Rp10.000 +Rp0$", after, re.MULTILINE)
    assert re.search(r"^t-1 +Rp10.000 +Rp0 +Rp10.000$", after, re.MULTILINE)
    assert listed["next"].startswith("Rp10.000 of transaction t-2 went back, and t-1 was paid, too;")
    assert {one["transaction_id"]: one["kept"] for one in shown["transactions"]} == {"t-1": 10_000, "t-2": 0}


@pytest.mark.parametrize(
    ("status", "transactions"), [(Status.PENDING, 0), (Status.EXPIRE, 0), (Status.SETTLEMENT, 1)]
)
def test_of_any_other_payment_there_is_nothing_to_compare(
    service: Service, status: Status, transactions: int
) -> None:
    given(service, status=status, transaction_id="t-1")

    assert "paid transaction" not in printed("payments", "show", "order-1")
    shown = json.loads(printed("payments", "show", "order-1", "--json"))
    assert len(shown["transactions"]) == transactions


def test_one_pass_does_everything_that_is_due(service: Service) -> None:
    given(service)
    service.clock.advance(16 * 60)
    service.gateway.answers_status_of("t-1", builders.a_status_reply(transaction_status="expire"))

    assert json.loads(printed("reconcile", "--once", "--json")) == {"asked": 1}
    assert json.loads(printed("payments", "show", "order-1", "--json"))["status"] == "expire"
    assert printed("reconcile", "--once") == "Nothing more is due; Midtrans was asked about 0 payments.\n"


def test_a_pass_ends_when_midtrans_is_silent_and_tells_what_is_known(service: Service) -> None:
    for number in range(5):
        given(service, order_id=f"order-{number}", transaction_id=f"t-{number}")
        service.gateway.answers_status_of(f"t-{number}", GatewayUnavailable("ConnectError"))

    async def silence() -> None:
        for _ in range(3):
            async with service.begin() as work:
                await work.budget.report(answered=False)
        await listens(service.begin)
        await is_paid(service.begin, "order-5")

    asyncio.run(silence())
    ((event_id, _),) = service.begin.state.merchant.deliveries
    service.clock.advance(16 * 60)
    service.begin.state.budget = replace(
        service.begin.state.budget, paused_until=service.clock.now() + timedelta(minutes=1)
    )

    ended = run("reconcile", "--once")

    assert ended.exit_code == 1
    assert "Midtrans does not answer" in str(ended.exception)
    assert service.merchant.ids == [str(event_id)]


@pytest.mark.parametrize("chore", ["confirm notifications", "reconcile payments", "repeat refunds"])
def test_a_fault_in_one_chore_keeps_no_other_from_being_done(service: Service, chore: str) -> None:
    given(service)
    service.clock.advance(16 * 60)
    service.gateway.answers_status_of("t-1", builders.a_status_reply(transaction_status="expire"))

    async def told() -> None:
        await listens(service.begin)
        await is_paid(service.begin, "order-5")

    asyncio.run(told())
    ((event_id, _),) = service.begin.state.merchant.deliveries

    async def breaks(**_: int) -> None:
        raise ValueError("odd")

    with getattr(service.container, chore.replace(" ", "_")).override(Object(breaks)):
        ended = run("reconcile", "--once")

    assert ended.exit_code == 1
    assert isinstance(ended.exception, Trouble)
    assert chore in str(ended.exception)
    assert str(event_id) in service.merchant.ids
    asked = json.loads(printed("payments", "show", "order-1", "--json"))["status"]
    assert asked == ("pending" if chore == "reconcile payments" else "expire")


def test_reconciling_for_ever_is_the_workers() -> None:
    assert run("reconcile").exit_code == 2


def test_a_user_is_added_with_the_id_that_is_said() -> None:
    assert printed("users", "add", "--id", "42") == "42\n"
    assert json.loads(printed("users", "add", "--id", "43", "--json")) == {"id": 43}
    assert {"id": 42} in json.loads(printed("users", "list", "--json"))


def test_users_are_a_column_in_a_pipe() -> None:
    assert printed("users", "list").splitlines() == ["id", "1", "2"]


def test_the_doctor_finds_nothing_wrong() -> None:
    findings = json.loads(printed("doctor", "--json"))

    assert {finding["check"] for finding in findings} >= {
        "settings", "database", "durable commits", "migrations", "clock", "Midtrans",
    }  # fmt: skip
    assert all(finding["ok"] for finding in findings)


@pytest.mark.parametrize(
    ("verdict", "word"), [(KeyCheck.REFUSED, "refused"), (KeyCheck.UNREACHABLE, "did not answer")]
)
def test_the_doctor_tells_of_a_bad_key(service: Service, verdict: KeyCheck, word: str) -> None:
    service.container.midtrans().verdict = verdict

    result = run("doctor", "--json")

    (bad,) = [finding for finding in json.loads(result.stdout) if not finding["ok"]]
    assert result.exit_code == 1
    assert bad["check"] == "Midtrans"
    assert word in bad["detail"]


def test_the_doctor_tells_of_a_missing_migration(service: Service) -> None:
    service.health.missing_migrations = ("20261123000003",)

    result = run("doctor")

    assert result.exit_code == 1
    assert re.search(r"migrations +failed +missing 20261123000003; run bayar migrate", result.stdout)


def test_the_doctor_tells_of_a_database_that_is_away(service: Service) -> None:
    away(service)

    result = run("doctor", "--json")

    bad = [finding["check"] for finding in json.loads(result.stdout) if not finding["ok"]]
    assert (result.exit_code, bad) == (1, ["database"])


def test_the_doctor_tells_every_bad_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIDTRANS_SERVER_KEY")
    monkeypatch.setenv("BAYAR_EXPIRY_MINUTES", "0")

    result = run("doctor", "--json")

    told = " ".join(finding["detail"] for finding in json.loads(result.stdout))
    assert result.exit_code == 1
    assert "MIDTRANS_SERVER_KEY is not set" in told
    assert "BAYAR_EXPIRY_MINUTES must be" in told


def test_expected_trouble_is_one_plain_sentence(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    away(service)

    assert failed(capsys, "payments", "list") == (
        "The database is away or too busy; nothing was lost, try again.\n"
    )


def test_a_payment_that_is_not_there_is_one_plain_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failed(capsys, "payments", "show", "missing") == "There is no payment missing.\n"


def test_a_missing_setting_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")

    assert failed(capsys, "payments", "list") == ("DATABASE_URL is not set; .env.example explains it.\n")


def test_a_token_needs_the_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTH_JWT_SECRET")

    assert failed(capsys, "token", "--user", "1") == (
        "AUTH_JWT_SECRET is not set; .env.example explains it.\n"
    )


def test_a_fault_of_our_own_keeps_its_traceback(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(service.begin, "check_reachable", broken)

    told = failed(capsys, "payments", "list")

    assert "Traceback (most recent call last):" in told
    assert told.endswith("RuntimeError: a fault\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "No such command 'nonsense'. See bayar --help."),
        (["token"], "Missing option '--user'. See bayar token --help."),
        (
            ["payments", "refund", "order-1"],
            "There is no terminal to ask on; say --yes. See bayar payments refund --help.",
        ),
        (
            ["token", "--user", "1", "--ttl", "x"],
            "Invalid value for '--ttl': 'x' is not a duration such as 15m, 1h or 7d. See bayar token --help.",
        ),
    ],
)
def test_wrong_usage_is_one_plain_line(
    service: Service, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    given(service, status=Status.SETTLEMENT, paid_at=NOW)

    assert failed(capsys, *arguments, status=2) == f"{told}\n"


def test_a_silent_midtrans_is_one_plain_sentence(
    service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given(service)
    service.gateway.answers_status_of("t-1", GatewayUnavailable("ConnectError"))
    monkeypatch.setattr(sys, "argv", ["bayar", "payments", "sync", "order-1"])

    with pytest.raises(SystemExit) as ended:
        main()

    said = capsys.readouterr()
    assert ended.value.code == 1
    assert said.err == "Midtrans did not answer; the status above is the stored one.\n"
    assert said.out == "order-1  pending\n"


@pytest.mark.parametrize("arguments", [[], ["payments"]])
def test_a_group_alone_shows_its_help(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bayar", *arguments])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert "Usage: bayar" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--help"], ["payments", "list", "--help"], ["--version"]])
def test_what_goes_well_ends_with_status_0(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bayar", *arguments])

    with pytest.raises(SystemExit) as ended:
        main()

    assert not ended.value.code


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["token"],
        ["payments", "show"],
        ["payments", "list", "--status", "paid"],
        ["payments", "list", "--limit", "0"],
        ["payments", "list", "--colour"],
        ["users", "add", "--id", "0"],
        ["migrate", "sideways"],
        ["serve", "--port", "70000"],
        ["serve", "--workers", "0"],
        ["simulator", "--time-scale", "0"],
        ["simulator", "--time-scale", "nan"],
        ["simulator", "trigger", "slow-answer", "--seconds", "nan"],
        ["simulator", "trigger", "slow-answer", "--seconds", "inf"],
        ["payments", "attend", "order-1", "--note", "\udcff"],
        ["webhooks", "dismiss", "5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11", "--note", "\udcff"],
        ["webhooks", "dismiss", "5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11", "--note", ""],
        ["simulator", "--port", "0"],
        ["demo", "--port", "x"],
        ["endpoints", "add"],
        ["endpoints", "add", "shop.example"],
        ["endpoints", "add", "https://user:password@shop.example"],
        ["endpoints", "add", "https://shop.example", "--user", "0"],
        ["endpoints", "rotate", "first"],
        ["deliveries", "list", "--limit", "0"],
        ["deliveries", "resend"],
        ["deliveries", "resend", "event"],
        ["deliveries", "resend", "--failed", "5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11"],
    ],
)
def test_wrong_usage_ends_with_status_2_and_a_word_on_stderr(arguments: list[str]) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


COMMANDS: Final = [
    *([name] for name in _COMMANDS),
    ["users", "add"],
    ["users", "list"],
    ["payments", "list"],
    ["payments", "show"],
    ["payments", "sync"],
    ["payments", "attend"],
    ["payments", "export"],
    ["webhooks", "list"],
    ["webhooks", "show"],
    ["webhooks", "replay"],
    ["payments", "cancel"],
    ["payments", "refund"],
    *(["endpoints", name] for name in ("add", "list", "rotate", "disable", "enable")),
    *(["deliveries", name] for name in ("list", "resend")),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    text = " ".join(printed(*command, "--help").split())

    assert " ".join(["Example: bayar", *command]) in text


@pytest.mark.parametrize(
    "command",
    [["users", "add"], ["users", "list"], ["payments", "list"], ["payments", "show"], ["payments", "sync"],
     ["payments", "cancel"], ["payments", "refund"], ["webhooks", "list"], ["webhooks", "show"],
     ["webhooks", "replay"], ["migrate"], ["doctor"], ["reconcile"], ["verify"], ["endpoints", "add"],
     ["endpoints", "list"], ["endpoints", "rotate"], ["deliveries", "list"]],
    ids=" ".join,
)  # fmt: skip
def test_every_command_that_lists_or_shows_has_json(command: list[str]) -> None:
    assert "--json" in printed(*command, "--help")


def test_the_program_alone_tells_how_to_start() -> None:
    assert "bayar demo" in printed("--help")


def test_the_version_is_told() -> None:
    assert re.search(r"[0-9]+\.[0-9]+", printed("--version"))


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "Rp0"), (999, "Rp999"), (10_000, "Rp10.000"), (20_000_000, "Rp20.000.000")]
)
def test_rupiah_are_written_as_in_indonesia(amount: int, text: str) -> None:
    assert rupiah(amount) == text


def test_what_came_from_outside_cannot_steer_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_table(["a\tb"], [["\x1b[2J\r\nx\u202e"]])

    assert capsys.readouterr().out == "a\tb\n?[2J??x?\n"


def test_an_empty_cell_is_blank(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(["a", "b"], [[None, datetime(2026, 2, 6, 3, 0, tzinfo=UTC)]])

    assert capsys.readouterr().out == "a  b\n   2026-02-06 03:00:00\n"


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (OSError(111, "Connect call failed"), "[Errno 111] Connect call failed"),
        (ValueError('database "shop" does not exist\nHINT: make it'), 'database "shop" does not exist'),
        (TimeoutError(), "no answer in time"),
    ],
)
def test_why_the_database_is_away_is_told_where_that_is_known(
    service: Service,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    cause: Exception,
    told: str,
) -> None:
    def refuse() -> None:
        raise DatabaseUnavailable from cause

    monkeypatch.setattr(service.begin, "check_reachable", refuse)

    assert failed(capsys, "payments", "list") == (
        f"The database is away or too busy ({told}); nothing was lost, try again.\n"
    )


WIDE: Final = ["0199b6a4-7b1e-7c52-9d0e-3f3a1c2b4d5e", "settlement", "a reason that may be folded " * 3]


@pytest.mark.parametrize(("columns", "framed"), [(120, True), (90, True), (79, False), (40, False)])
def test_a_terminal_too_narrow_for_the_frame_gets_columns_and_nothing_is_cut_off(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    framed: bool,  # noqa: FBT001 - a case
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))

    show_table(["id", "status", "why"], [WIDE])

    out = capsys.readouterr().out
    assert ("┃" in out) == framed
    assert all(cell in out for cell in WIDE[:2])
    assert "…" not in out
