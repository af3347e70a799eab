"""The commands of the program, each from its start to its end."""

import json
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from adapters.postgres.work import PostgresUnitOfWork
from domain.usecases.applying import ApplyEvidence
from entrypoints.migrations import DIRECTORY, migrate_up
from support import builders
from support.builders import SERVER_KEY, a_charge_answer, given
from support.database import connected
from support.service import HOST, Serving, environment, ran, serving

FILES: Final = sorted(file.name for file in DIRECTORY.iterdir())
EARLIER: Final = (Path(__file__).parents[1] / "data" / "earlier_service.sql").read_text()
AWAY: Final = f"postgresql://bayar:hunter2@{HOST}:1/bayar"


@pytest.fixture
async def charged(
    begin: PostgresUnitOfWork, simulator: Serving, request: pytest.FixtureRequest
) -> dict[str, Any]:
    """A stored pending payment that the simulator knows too; Midtrans's answer to its charge."""
    details = {"order_id": builders.an_id(request.node.name).hex, "gross_amount": 10_000}
    body = {"payment_type": "gopay", "transaction_details": details}
    async with httpx.AsyncClient(auth=(SERVER_KEY, ""), trust_env=False) as midtrans:
        answer: dict[str, Any] = (await midtrans.post(f"{simulator.url}/v2/charge", json=body)).json()
    payment = await given(begin, order_id=details["order_id"])
    charged = a_charge_answer(transaction_id=answer["transaction_id"])
    await ApplyEvidence(begin)(payment.order_id, (charged,), at=payment.created_at)
    return answer


async def test_a_database_is_migrated_and_told_where_it_is(empty_database_url: str) -> None:
    env = {"DATABASE_URL": empty_database_url}

    before = await ran("migrate", "status", "--json", env=env)
    up = await ran("migrate", "--json", env=env)
    again = await ran("migrate", "up", env=env)
    after = await ran("migrate", "status", "--json", env=env)
    back = await ran("migrate", "rollback", "--json", env=env)

    assert [run.status for run in (before, up, again, after, back)] == [0] * 5
    assert before.json == [{"migration": name, "state": "pending"} for name in FILES]
    assert up.json == [{"migration": name, "state": "applied"} for name in FILES]
    assert again.out == "The database is up to date.\n"
    assert after.json == [{"migration": name, "state": "applied"} for name in FILES]
    assert back.json == [{"migration": FILES[-1], "state": "rolled back"}]


async def test_users_are_added_and_listed(database_url: str) -> None:
    env = {"DATABASE_URL": database_url}

    first = await ran("users", "add", env=env)
    chosen = await ran("users", "add", "--id", "42", "--json", env=env)
    listed = await ran("users", "list", "--json", env=env)

    assert (first.status, first.out) == (0, "1\n")
    assert chosen.json == {"id": 42}
    assert listed.json == [{"id": 1}, {"id": 42}]


async def test_an_adopted_users_table_that_demands_more_is_refused_plainly(
    empty_database_url: str,
) -> None:
    async with connected(empty_database_url) as connection:
        await connection.execute(EARLIER)
    migrate_up(empty_database_url)

    ended = await ran("users", "add", env={"DATABASE_URL": empty_database_url})

    assert (ended.status, ended.out) == (1, "")
    assert "full_name" in ended.err
    assert ended.err.count("\n") == 1


async def test_a_printed_token_opens_the_api(env: dict[str, str]) -> None:
    token = (await ran("token", "--user", "1", "--ttl", "5m", env=env)).out.strip()

    async with serving(env=env) as service, httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{service.url}/api/payments", headers={"Authorization": f"Bearer {token}"})

    assert answer.json() == {"items": [], "next_cursor": None}


async def test_payments_are_listed_shown_and_synced(
    env: dict[str, str], charged: dict[str, Any], simulator: Serving
) -> None:
    order_id, transaction = charged["order_id"], charged["transaction_id"]

    listed = await ran("payments", "list", "--status", "pending", "--json", env=env)
    shown = await ran("payments", "show", order_id, "--json", env=env)
    async with httpx.AsyncClient(trust_env=False) as wallet:
        await wallet.post(f"{simulator.url}/wallet/{transaction}/pay")
    synced = await ran("payments", "sync", order_id, "--json", env=env)
    after = await ran("payments", "show", order_id, env=env)

    assert [payment["order_id"] for payment in listed.json] == [order_id]
    assert (shown.json["status"], shown.json["transaction_id"]) == ("pending", transaction)
    assert [entry["what"] for entry in shown.json["timeline"]] == ["created", "pending"]
    assert (synced.json["status"], synced.json["refreshed"]) == ("settlement", True)
    assert (after.status, after.err) == (0, "")
    assert "settlement  status reply" in after.out
    assert "\x1b" not in after.out


async def test_a_payment_is_cancelled(env: dict[str, str], charged: dict[str, Any]) -> None:
    order_id = charged["order_id"]

    cancelled = await ran("payments", "cancel", order_id, "--yes", env=env)
    again = await ran("payments", "cancel", order_id, "--yes", env=env)

    assert (cancelled.status, cancelled.out) == (0, f"{order_id}  cancel\n")
    assert (again.status, again.out) == (1, "")
    assert again.err == f"Payment {order_id} is cancel, so it cannot be cancelled.\n"


async def test_a_payment_is_refunded_in_part_once_per_key(
    env: dict[str, str], charged: dict[str, Any], simulator: Serving
) -> None:
    order_id = charged["order_id"]
    async with httpx.AsyncClient(trust_env=False) as wallet:
        await wallet.post(f"{simulator.url}/wallet/{charged['transaction_id']}/pay")
    await ran("payments", "sync", order_id, env=env)
    command = ("payments", "refund", order_id, "--amount", "4000", "--key", "return-7", "--yes", "--json")

    refunded = await ran(*command, env=env)
    again = await ran(*command, env=env)
    shown = await ran("payments", "show", order_id, "--json", env=env)
    verified = await ran("verify", order_id, env=env)

    assert (refunded.status, refunded.json["status"], refunded.json["amount"]) == (0, "accepted", 4_000)
    assert again.json == refunded.json | {"replayed": True}
    assert (shown.json["status"], shown.json["refunded_amount"]) == ("partial_refund", 4_000)
    assert [found["key"] for found in shown.json["refunds"]] == ["return-7"]
    operator = [entry for entry in shown.json["timeline"] if entry["source"] == "operator"]
    assert [entry["what"] for entry in operator] == ["refund requested"]
    assert verified.status == 0, verified.out


async def test_the_doctor_finds_a_good_installation_good(env: dict[str, str]) -> None:
    ended = await ran("doctor", "--json", env=env)

    assert ended.status == 0, ended.out
    assert [finding["ok"] for finding in ended.json] == [True] * len(ended.json)
    assert {finding["check"] for finding in ended.json} >= {
        "settings", "database", "durable commits", "migrations", "clock", "Midtrans",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({"MIDTRANS_SERVER_KEY": "SB-Mid-server-other"}, {"Midtrans"}),
        ({"MIDTRANS_BASE_URL": f"http://{HOST}:1"}, {"Midtrans"}),
        ({"DATABASE_URL": AWAY}, {"database"}),
        ({"BAYAR_CONFIRM": "never"}, {"settings"}),
    ],
)
async def test_the_doctor_tells_what_is_wrong(
    env: dict[str, str], change: dict[str, str], failing: set[str]
) -> None:
    ended = await ran("doctor", "--json", env=env | change)

    assert ended.status == 1
    assert {finding["check"] for finding in ended.json if not finding["ok"]} == failing
    assert ended.err == ""
    assert not any(secret in ended.out for secret in ("hunter2", SERVER_KEY, "SB-Mid-server-other"))


async def test_the_doctor_tells_of_missing_migrations(env: dict[str, str], empty_database_url: str) -> None:
    ended = await ran("doctor", env=env | {"DATABASE_URL": empty_database_url})

    assert ended.status == 1
    assert f"missing {FILES[0].partition('_')[0]}" in ended.out


@pytest.mark.parametrize(
    "command",
    [["payments", "list"], ["payments", "show", "x"], ["payments", "sync", "x"], ["users", "list"],
     ["payments", "cancel", "x", "--yes"], ["payments", "refund", "x", "--yes"],
     ["users", "add"], ["migrate"], ["migrate", "status"], ["webhooks", "list"], ["verify"], ["prune"],
     ["webhooks", "replay", "--failed", "--yes"]],
    ids=" ".join,
)  # fmt: skip
async def test_with_the_database_away_every_command_says_so_in_a_sentence(command: list[str]) -> None:
    ended = await ran(*command, env=environment(DATABASE_URL=AWAY))

    assert (ended.status, ended.out) == (1, "")
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    assert "hunter2" not in ended.err


async def test_a_payment_that_is_not_there_is_one_sentence(env: dict[str, str]) -> None:
    ended = await ran("payments", "show", "missing", env=env)

    assert (ended.status, ended.out, ended.err) == (1, "", "There is no payment missing.\n")


@pytest.mark.parametrize(
    "command",
    [
        ["nonsense"],
        ["payments", "list", "--status", "paid"],
        ["payments", "cancel", "x"],
        ["payments", "refund", "x", "--amount", "1"],
    ],
    ids=" ".join,
)
async def test_wrong_usage_ends_with_status_2(command: list[str]) -> None:
    ended = await ran(*command, env={})

    assert (ended.status, ended.out) == (2, "")
    assert "Traceback" not in ended.err


async def test_json_of_nothing_is_json(env: dict[str, str]) -> None:
    ended = await ran("payments", "list", "--json", env=env)

    assert (ended.status, json.loads(ended.out)) == (0, [])
