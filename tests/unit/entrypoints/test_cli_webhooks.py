"""``bayar webhooks`` over fakes: what an operator sees of the notifications, and what a replay does."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from domain.status import Status
from support.builders import NOW, SERVER_KEY, a_received, signed
from unit.entrypoints.commands import failed, given, on_a_terminal, over, printed, printed_json, run
from unit.entrypoints.harness import Service, a_notification_body, a_service, away

SIGNATURE = a_notification_body()["signature_key"]


@pytest.fixture
def service() -> Service:
    return a_service()


@pytest.fixture(autouse=True)
def _over_fakes(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    over(service, monkeypatch)


def notified(service: Service, **said: Any) -> None:
    """A delivery, a minute after the one before."""
    service.clock.advance(60)
    asyncio.run(service.notify(**said))


def stored_rows(service: Service) -> list[Any]:
    return service.begin.notifications


def an_id_of(service: Service) -> str:
    return str(stored_rows(service)[-1].id)


def test_notifications_are_listed_newest_first_with_what_became_of_them(service: Service) -> None:
    given(service)
    notified(service)
    notified(service, gross_amount="1.00")
    notified(service, order_id="never-seen")
    notified(service, transaction_id="t-2", transaction_status="refund")
    notified(service, signature_key="0" * 128)

    found = printed_json("webhooks", "list")

    assert [(row["order_id"], row["outcome"], row["processing_error"]) for row in found] == [
        ("order-1", "forged", None),
        ("order-1", "to do", None),
        ("never-seen", "set aside", "there is no payment never-seen"),
        ("order-1", "set aside", "amount 1.00 instead of 10000"),
        ("order-1", "processed", None),
    ]
    assert found[-1].keys() == {
        "id", "received_at", "order_id", "transaction_id", "transaction_status", "outcome", "is_verified",
        "processed", "processing_error", "attempts", "repeats",
    }  # fmt: skip
    assert found[-1]["received_at"] == "2026-02-06T03:01:00.000000Z"


def test_in_a_pipe_they_are_columns_of_one_line_each(service: Service) -> None:
    notified(service)

    heading, line = printed("webhooks", "list").splitlines()

    assert heading.split() == ["id", "received", "(UTC)", "order", "id", "claims", "outcome", "why"]
    assert line.split("  ")[0] == an_id_of(service)
    assert line.endswith(
        "  2026-02-06 03:01:00  order-1   settlement  set aside  there is no payment order-1"
    )


@pytest.mark.parametrize(
    ("flags", "orders"),
    [
        ([], ["c", "b", "a"]),
        (["--failed"], ["b"]),
        (["--forged"], ["c"]),
        (["--no-forged"], ["b", "a"]),
        (["--order-id", "a"], ["a"]),
        (["--order-id", "a", "--failed"], []),
        (["--limit", "1"], ["c"]),
    ],
)
def test_the_list_may_be_of_some(service: Service, flags: list[str], orders: list[str]) -> None:
    given(service, order_id="a")
    notified(service, order_id="a", transaction_id="t-a")
    notified(service, order_id="b")
    notified(service, order_id="c", signature_key="0")

    assert [row["order_id"] for row in printed_json("webhooks", "list", *flags)] == orders


def test_one_is_shown_with_its_body(service: Service) -> None:
    notified(service, custom={"note": "a\x1b[2J\x7fb"})

    text = printed("webhooks", "show", an_id_of(service))

    head, _, body = text.partition("{")
    assert head.splitlines() == [
        f"id              {an_id_of(service)}",
        "received (UTC)  2026-02-06 03:01:00",
        "order id        order-1",
        "transaction     t-1",
        "claims          settlement",
        "outcome         set aside",
        "why             there is no payment order-1",
    ]
    shown = json.loads("{" + body)
    assert shown["custom"] == {"note": "a\x1b[2J\x7fb"}
    assert shown["gross_amount"] == "10000.00"
    assert not set(text) & {"\x1b", "\x7f"}


def test_one_is_shown_as_json_with_all_that_is_known(service: Service) -> None:
    notified(service)

    shown = printed_json("webhooks", "show", an_id_of(service))

    (listed,) = printed_json("webhooks", "list")
    body = shown.pop("body")
    assert shown == listed
    assert body["transaction_status"] == "settlement"


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["show"], ["show", "--json"]])
def test_no_signature_is_ever_shown(service: Service, arguments: list[str]) -> None:
    spoken = {"order_id": "order-1", "raw": {"Signature_Key": SIGNATURE}, "text": f"signature={SIGNATURE}"}
    kept = a_received(signature_key=SIGNATURE, error=f"bad signature {SIGNATURE}", body=json.dumps(spoken))

    async def keep() -> None:
        async with service.begin() as work:
            await work.notifications.add(kept)

    asyncio.run(keep())
    command, *flags = arguments
    subject = [str(kept.id)] if command == "show" else []

    text = printed("webhooks", command, *subject, *flags)

    assert "bad signature" in text
    assert SIGNATURE[:32] not in text


def test_a_forged_one_can_be_shown(service: Service) -> None:
    notified(service, signature_key="0" * 128)

    assert printed_json("webhooks", "show", an_id_of(service))["outcome"] == "forged"


@pytest.mark.parametrize("command", ["show", "replay"])
def test_what_is_no_id_is_wrong_usage(command: str) -> None:
    assert run("webhooks", command, "order-1").exit_code == 2


def test_one_that_is_not_there_is_one_plain_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    missing = "0199b6a4-7b1e-7c52-9d0e-3f3a1c2b4d5e"

    assert failed(capsys, "webhooks", "show", missing) == f"There is no notification {missing}.\n"


def test_one_is_replayed_by_its_id_without_a_question(service: Service) -> None:
    notified(service)
    given(service)

    (done,) = printed_json("webhooks", "replay", an_id_of(service))

    assert done == {
        "id": an_id_of(service),
        "order_id": "order-1",
        "outcome": "applied",
        "why": "the payment is settlement now",
    }
    assert service.stored().status is Status.SETTLEMENT
    assert [row.processed for row in stored_rows(service)] == [True]


def test_all_that_are_set_aside_are_replayed_oldest_first(service: Service) -> None:
    for order_id in ("a", "b", "c"):
        notified(service, order_id=order_id, transaction_id=f"t-{order_id}")
    given(service, order_id="a")
    given(service, order_id="b", gross_amount=500)

    text = printed("webhooks", "replay", "--failed", "--yes")

    *lines, count = text.splitlines()[1:]
    assert [line.split()[1:3] for line in lines] == [["a", "applied"], ["b", "set"], ["c", "unknown"]]
    assert lines[1].endswith("amount 10000.00 instead of 500")
    assert count == "1 applied, 1 set aside, 1 unknown order."
    assert [row["order_id"] for row in printed_json("webhooks", "list", "--failed")] == ["c", "b"]


def test_many_are_replayed_over_several_pages(service: Service) -> None:
    async def keep() -> None:
        async with service.begin() as work:
            for number in range(2_050):
                at = NOW + timedelta(seconds=number // 2)
                await work.notifications.add(
                    a_received(f"{number}", received_at=at, order_id=f"{number}", error="why")
                )

    asyncio.run(keep())

    result = run("webhooks", "replay", "--failed", "--yes", "--json")

    assert result.exit_code == 1
    assert len({done["order_id"] for done in json.loads(result.stdout)}) == 2_050


def test_one_that_nothing_proves_is_refused_and_the_others_go_on(service: Service) -> None:
    notified(service, signature_key="0" * 128)
    notified(service)
    given(service)
    forged, genuine = (str(row.id) for row in stored_rows(service))
    missing = "0199b6a4-7b1e-7c52-9d0e-3f3a1c2b4d5e"

    result = run("webhooks", "replay", forged, missing, genuine, "--json")

    assert result.exit_code == 1
    assert [(done["outcome"], done["why"]) for done in json.loads(result.stdout)] == [
        ("refused", "it was kept as forged, without its signature"),
        ("refused", "there is no such notification"),
        ("applied", "the payment is settlement now"),
    ]


def test_one_that_is_named_twice_is_replayed_once(service: Service) -> None:
    notified(service)
    given(service)

    done = printed_json("webhooks", "replay", an_id_of(service), an_id_of(service))

    assert [one["outcome"] for one in done] == ["applied"]


def test_with_nothing_set_aside_that_is_said(service: Service) -> None:
    given(service)
    notified(service)

    assert printed("webhooks", "replay", "--failed", "--yes") == "No notification is set aside.\n"
    assert printed_json("webhooks", "replay", "--failed", "--yes") == []


def test_without_a_terminal_replaying_all_needs_a_yes(service: Service) -> None:
    notified(service)
    given(service)

    result = run("webhooks", "replay", "--failed")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--yes" in result.stderr
    assert service.stored().status is Status.PENDING


@pytest.mark.parametrize(("said", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_on_a_terminal_replaying_all_asks_with_their_number(
    service: Service, monkeypatch: pytest.MonkeyPatch, said: str, status: int
) -> None:
    on_a_terminal(monkeypatch)
    notified(service)
    notified(service)
    given(service)

    result = run("webhooks", "replay", "--failed", said=said)

    assert result.exit_code == status
    assert "Replay 2 notifications that are set aside?" in result.stderr
    assert service.stored().status is (Status.SETTLEMENT if status == 0 else Status.PENDING)


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "0199b6a4-7b1e-7c52-9d0e-3f3a1c2b4d5e", "--failed", "--yes"],
        ["list", "--failed", "--forged"],
        ["list", "--limit", "0"],
        ["show"],
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: list[str]) -> None:
    result = run("webhooks", *arguments)

    assert (result.exit_code, result.stdout) == (2, "")


def test_what_was_done_before_the_database_went_away_is_told(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for order_id in ("a", "b"):
        notified(service, order_id=order_id)
    replay, turns = service.container.replay_notification(), iter([False, True])

    async def once(notification_id: Any) -> Any:
        if next(turns):
            away(service)
        return await replay(notification_id)

    monkeypatch.setattr(service.container, "replay_notification", lambda: once)

    result = run("webhooks", "replay", "--failed", "--yes", "--json")

    assert result.exit_code == 1
    assert [done["order_id"] for done in json.loads(result.stdout)] == ["a"]


def test_the_signature_of_this_test_is_midtrans_s() -> None:
    assert signed("order-1", "200", "10000.00", SERVER_KEY) == SIGNATURE


def test_what_was_looked_at_leaves_the_list_of_the_failed_ones(service: Service) -> None:
    notified(service, order_id="never-seen")
    notified(service, order_id="a-test")
    wanted = an_id_of(service)

    said = printed("webhooks", "dismiss", wanted, wanted, "--note", "the dashboard's test")

    (left,) = printed_json("webhooks", "list", "--failed")
    (dismissed, _) = printed_json("webhooks", "list")
    assert said == f"{wanted}  dismissed\n"
    assert left["order_id"] == "never-seen"
    assert (dismissed["outcome"], dismissed["processing_error"]) == (
        "dismissed",
        "dismissed: the dashboard's test (there is no payment a-test)",
    )
    assert "dismissed: the dashboard's test" in printed("webhooks", "show", wanted)
    assert printed_json("webhooks", "replay", wanted)[0]["outcome"] == "unknown order"
    assert len(printed_json("webhooks", "list", "--failed")) == 2


def test_nothing_is_dismissed_unless_all_that_are_named_are_set_aside(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    given(service)
    notified(service)
    processed = an_id_of(service)
    notified(service, order_id="never-seen")

    told = failed(capsys, "webhooks", "dismiss", an_id_of(service), processed, "--note", "looked at")

    assert told == f"No notification {processed} is set aside, so there is nothing to dismiss.\n"
    assert len(printed_json("webhooks", "list", "--failed")) == 1


def test_a_dismissal_needs_a_note() -> None:
    named = "0199b6a4-7b1e-7c52-9d0e-3f3a1c2b4d5e"

    assert run("webhooks", "dismiss", named).exit_code == 2
    assert run("webhooks", "dismiss", "--note", "why").exit_code == 2
