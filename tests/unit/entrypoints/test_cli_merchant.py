"""The commands for endpoints and deliveries, over fakes."""

import asyncio
import json
import re
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import pytest

from domain.delivery import Answered, Unreached
from domain.endpoint import OF_SETTINGS, is_secret
from support.builders import an_id
from support.merchant import OTHER_SECRET, SECRET, URL, is_paid, listens, settle, take
from unit.entrypoints.commands import failed, printed, run
from unit.entrypoints.harness import Service

pytestmark = pytest.mark.usefixtures("commands")


def done(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def listed(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(printed(*arguments, "--json"))
    return found


async def _wear_out(service: Service) -> None:
    for _ in range(60):
        for due in await take(service.begin):
            await settle(service.begin, due, Unreached(reason="no answer within 15 s"))
        service.clock.advance(1801)


def stored(service: Service) -> Any:
    (row,) = service.begin.state.merchant.endpoints.values()
    return row.endpoint


def test_an_added_endpoint_s_secret_is_printed_once(service: Service) -> None:
    text = printed("endpoints", "add", "https://shop.example/hook?token=hunter2")

    found = re.fullmatch(r"endpoint  (\S+)\nsecret    (\S+)\n", text)
    assert found
    endpoint = stored(service)
    assert (str(endpoint.id), endpoint.secret) == (found[1], found[2])
    assert is_secret(found[2])
    assert (endpoint.url, endpoint.user_id) == ("https://shop.example/hook?token=hunter2", None)
    assert not endpoint.allow_private
    for arguments in (["endpoints", "list"], ["endpoints", "list", "--json"]):
        assert endpoint.secret not in printed(*arguments)
        assert "hunter2" not in printed(*arguments)


def test_an_endpoint_may_be_one_user_s_and_in_a_private_network(service: Service) -> None:
    added = json.loads(
        printed("endpoints", "add", "http://127.0.0.1:9000", "--user", "2", "--allow-private", "--json")
    )

    endpoint = stored(service)
    assert added == {"id": str(endpoint.id), "secret": endpoint.secret}
    assert (endpoint.user_id, endpoint.allow_private) == (2, True)


def test_each_endpoint_has_a_secret_of_its_own() -> None:
    secrets = {json.loads(printed("endpoints", "add", URL, "--json"))["secret"] for _ in range(3)}

    assert len(secrets) == 3


def test_an_address_without_tls_is_warned_of() -> None:
    public = run("endpoints", "add", "http://shop.example")
    private = run("endpoints", "add", "http://shop.internal", "--allow-private")

    assert "not https" in public.stderr
    assert private.stderr == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "[::1]", "localhost", "shop.localhost"])
def test_an_address_that_is_seen_to_be_private_is_warned_of(host: str) -> None:
    result = run("endpoints", "add", f"https://{host}:9000/hook")

    assert result.exit_code == 0
    assert "nothing is sent there without --allow-private" in result.stderr


def test_a_user_who_is_not_there_is_one_plain_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    told = failed(capsys, "endpoints", "add", URL, "--user", "99")

    assert told == "There is no user 99; bayar users list shows them.\n"


def test_a_wrong_address_is_not_repeated() -> None:
    result = run("endpoints", "add", "https://bayar:hunter2@shop.example")

    assert result.exit_code == 2
    assert "user or a password" in result.stderr
    assert "hunter2" not in result.output


def checked_endpoints() -> list[tuple[bool, str]]:
    """What the doctor says of the endpoints."""
    findings = json.loads(run("doctor", "--json").stdout)
    return [(found["ok"], found["detail"]) for found in findings if found["check"] == "endpoint"]


def test_the_doctor_has_nothing_to_say_of_endpoints_where_there_are_none() -> None:
    assert checked_endpoints() == []


def test_the_doctor_has_a_line_for_each_endpoint(service: Service) -> None:
    done(listens(service.begin, "one", url=f"{URL}?token=hunter2"))
    done(listens(service.begin, "two"))
    done(is_paid(service.begin))
    printed("endpoints", "disable", str(an_id("two")))

    enabled, disabled = sorted(checked_endpoints(), key=lambda line: "disabled" in line[1])

    assert enabled == (True, f"{URL}?… ({an_id('one')}) enabled, 1 event waits")
    assert disabled == (True, f"{URL} ({an_id('two')}) disabled: disabled by the operator, 1 event waits")
    assert run("doctor").exit_code == 0


def test_the_doctor_tells_of_an_endpoint_that_fails(service: Service) -> None:
    done(listens(service.begin))
    done(is_paid(service.begin, "order-1", "order-2"))
    (due, _) = done(take(service.begin))
    done(settle(service.begin, due, Unreached(reason="ConnectError")))

    ((ok, told),) = checked_endpoints()

    assert not ok
    assert "failing since 2026-" in told
    assert "2 events wait; bayar deliveries list" in told
    assert run("doctor").exit_code == 1


def test_the_doctor_tells_of_an_endpoint_that_is_gone_until_an_operator_lets_it_be(service: Service) -> None:
    endpoint = done(listens(service.begin))
    done(is_paid(service.begin))
    (due,) = done(take(service.begin))
    done(settle(service.begin, due, Answered(status=410)))

    gone = checked_endpoints()
    printed("endpoints", "disable", str(endpoint))

    ((ok, told),) = gone
    assert not ok
    assert "410 Gone, 1 event waits" in told
    assert f"bayar endpoints enable {endpoint}, or disable it" in told
    assert run("doctor").exit_code == 0


def test_what_was_given_up_is_told_until_it_is_sent_again_or_its_endpoint_disabled(service: Service) -> None:
    endpoint = done(listens(service.begin))
    done(listens(service.begin, "second"))
    done(is_paid(service.begin, "order-1", "order-2"))
    done(_wear_out(service))

    ((ok, told), _) = checked_endpoints()
    listed_ = listed("payments", "list", "--attention")
    short = listed("payments", "list", "--attention", "--limit", "1")
    printed("deliveries", "resend", listed_[0]["subject"])
    once = listed("payments", "list", "--attention")
    printed("endpoints", "disable", str(endpoint))
    printed("endpoints", "disable", str(an_id("second")))

    assert not ok
    assert "2 given up" in told
    assert [row["reason"] for row in listed_] == ["event_gave_up"] * 2
    assert {row["order_id"] for row in listed_} == {"order-1", "order-2"}
    first = listed_[0]
    resend = f"bayar deliveries resend {first['subject']}"
    assert first["next"] == f"bayar deliveries list {first['order_id']}, then {resend}"
    assert len(short) == 1
    assert [row["subject"] for row in once] == [listed_[1]["subject"]]
    assert listed("payments", "list", "--attention") == []


def test_endpoints_are_columns_in_a_pipe(service: Service) -> None:
    done(listens(service.begin, user_id=2, allow_private=True))

    heading, line = printed("endpoints", "list").splitlines()

    assert re.split(r"  +", heading) == ["id", "address", "user", "state", "private", "by"]
    assert re.split(r"  +", line) == [str(an_id("endpoint")), URL, "2", "enabled", "allowed"]


def test_a_failing_endpoint_says_since_when_and_until_when_it_is_left_alone(service: Service) -> None:
    done(listens(service.begin))
    done(is_paid(service.begin))
    (due,) = done(take(service.begin))
    done(settle(service.begin, due, Answered(status=503, retry_after=60)))

    (endpoint,) = listed("endpoints", "list")

    assert endpoint["failing_since"] == "2026-02-06T03:00:00+00:00"
    assert endpoint["paused_until"] == "2026-02-06T03:01:00+00:00"
    assert "failing since 2026-02-06 03:00:00" in printed("endpoints", "list")


def test_a_rotated_secret_is_printed_once_and_the_one_before_signs_on(service: Service) -> None:
    endpoint_id = done(listens(service.begin))

    secret = json.loads(printed("endpoints", "rotate", str(endpoint_id), "--json"))["secret"]

    assert is_secret(secret)
    assert (stored(service).secret, stored(service).previous_secret) == (secret, SECRET)
    assert listed("endpoints", "list")[0]["rotating"] is True


def test_an_endpoint_is_disabled_and_enabled(service: Service) -> None:
    endpoint_id = str(done(listens(service.begin)))

    assert printed("endpoints", "disable", endpoint_id) == f"{endpoint_id}  disabled\n"
    assert "disabled: disabled by the operator" in printed("endpoints", "list")
    assert printed("endpoints", "enable", endpoint_id) == f"{endpoint_id}  enabled\n"
    assert listed("endpoints", "list")[0]["disabled"] is None


@pytest.mark.parametrize("command", ["rotate", "disable", "enable"])
def test_an_endpoint_that_is_not_there_is_one_plain_sentence(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = str(an_id("nobody"))

    told = failed(capsys, "endpoints", command, nobody)

    assert told == f"There is no endpoint {nobody}; bayar endpoints list shows them.\n"


def test_the_secret_of_the_settings_is_rotated_in_the_settings(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    async def keep() -> None:
        async with service.begin() as work:
            await work.endpoints.keep_of_settings(url=URL, secret=OTHER_SECRET, allow_private=False)

    done(keep())

    assert "BAYAR_MERCHANT_SECRET" in failed(capsys, "endpoints", "rotate", str(OF_SETTINGS))
    assert listed("endpoints", "list")[0]["of_settings"] is True
    assert "settings" in printed("endpoints", "list")


def test_deliveries_are_columns_in_a_pipe(service: Service) -> None:
    done(listens(service.begin, url="https://shop.example/hook?token=hunter2"))
    done(is_paid(service.begin))
    (due,) = done(take(service.begin))
    done(settle(service.begin, due, Answered(status=500)))

    heading, line = printed("deliveries", "list").splitlines()

    assert heading.split()[:2] == ["created", "(UTC)"]
    assert re.split(r"  +", line) == [
        "2026-02-06 03:00:00", "order-1", "payment.settlement", "waiting", "1", "HTTP 500",
        "2026-02-06 03:00:05", "https://shop.example/hook?…", str(due.event_id),
    ]  # fmt: skip


def test_deliveries_are_a_list_as_json(service: Service) -> None:
    done(listens(service.begin, url="https://shop.example/hook?token=hunter2"))
    done(is_paid(service.begin, "order-1", "order-2"))

    found = listed("deliveries", "list")
    of_one = listed("deliveries", "list", "order-2")

    assert {one["order_id"] for one in found} == {"order-1", "order-2"}
    assert [(one["order_id"], one["state"], one["attempts"]) for one in of_one] == [("order-2", "waiting", 0)]
    assert of_one[0]["url"] == "https://shop.example/hook?…"
    assert len(listed("deliveries", "list", "--limit", "1")) == 1


def test_failed_deliveries_are_listed_and_resent_all_at_once(service: Service) -> None:
    done(listens(service.begin))
    done(is_paid(service.begin, "order-1", "order-2"))
    done(_wear_out(service))
    done(is_paid(service.begin, "order-3"))

    failed_ones = listed("deliveries", "list", "--failed")
    of_one = listed("deliveries", "list", "order-3", "--failed")
    told = printed("deliveries", "resend", "--failed")

    assert {one["order_id"] for one in failed_ones} == {"order-1", "order-2"}
    assert {(one["state"], one["last_error"]) for one in failed_ones} <= {
        ("failed", "no answer within 15 s"),
        ("failed", None),
    }
    assert of_one == []
    assert told == "2 events are to be sent again.\n"
    assert listed("deliveries", "list", "--failed") == []
    assert printed("deliveries", "resend", "--failed") == "0 events are to be sent again.\n"


def test_one_event_is_resent(service: Service) -> None:
    done(listens(service.begin))
    done(is_paid(service.begin))
    (due,) = done(take(service.begin))
    done(settle(service.begin, due, Answered(status=200)))

    assert printed("deliveries", "resend", str(due.event_id)) == "1 event is to be sent again.\n"
    assert listed("deliveries", "list")[0]["state"] == "waiting"


def test_with_one_event_missing_none_is_resent(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    done(listens(service.begin))
    done(is_paid(service.begin))
    (due,) = done(take(service.begin))
    done(settle(service.begin, due, Answered(status=200)))
    missing = UUID(int=7)

    told = failed(capsys, "deliveries", "resend", str(due.event_id), str(missing))

    assert told == f"There is no event {missing} that an endpoint was to be told.\n"
    assert listed("deliveries", "list")[0]["state"] == "delivered"


def test_deliveries_of_a_payment_that_is_not_there_are_one_plain_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failed(capsys, "deliveries", "list", "missing") == "There is no payment missing.\n"
