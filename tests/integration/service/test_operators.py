"""What an operator calls, each command from its start to its end, on what the service took."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from domain.status import Status
from support.builders import a_delivery, given
from support.rows import run
from support.service import WEBHOOK, ran, serving

if TYPE_CHECKING:
    from adapters.postgres.payments import PostgresPaymentReader
    from adapters.postgres.pool import Pool
    from adapters.postgres.work import PostgresUnitOfWork


@pytest.fixture
async def set_aside(env: dict[str, str]) -> str:
    """A notification that came before its payment's row was there; its signature."""
    delivery = a_delivery()
    async with serving("--no-worker", env=env) as service, httpx.AsyncClient(trust_env=False) as midtrans:
        answer = await midtrans.post(service.url + WEBHOOK, content=delivery.body)
        forged = await midtrans.post(
            service.url + WEBHOOK, content=delivery.body.replace(delivery.signature_key, "0" * 128)
        )
    assert (answer.status_code, forged.status_code) == (200, 403)
    return delivery.signature_key


async def test_what_is_set_aside_is_found_looked_into_and_replayed(
    env: dict[str, str], begin: PostgresUnitOfWork, reader: PostgresPaymentReader, set_aside: str
) -> None:
    listed = await ran("webhooks", "list", "--failed", "--json", env=env)
    (row,) = listed.json
    shown = await ran("webhooks", "show", row["id"], env=env)
    shown_as_json = await ran("webhooks", "show", row["id"], "--json", env=env)
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    unasked = await ran("webhooks", "replay", "--failed", env=env)
    replayed = await ran("webhooks", "replay", "--failed", "--yes", "--json", env=env)
    again = await ran("webhooks", "replay", row["id"], env=env)
    after = await ran("webhooks", "list", "--no-forged", "--json", env=env)

    assert (row["order_id"], row["outcome"], row["processing_error"]) == (
        "order-1", "set aside", "there is no payment order-1",
    )  # fmt: skip
    assert '"gross_amount": "10000.00"' in shown.out
    assert shown_as_json.json["body"]["transaction_id"] == "t-1"
    assert (unasked.status, unasked.out) == (2, "")
    assert (replayed.status, [done["outcome"] for done in replayed.json]) == (0, ["applied"])
    assert (again.status, again.out.splitlines()[-1]) == (0, "1 known.")
    assert [(kept["id"], kept["processed"]) for kept in after.json] == [(row["id"], True)]
    payment = await reader.find("order-1")
    assert payment is not None
    assert payment.status is Status.SETTLEMENT
    for ended in (listed, shown, shown_as_json, unasked, replayed, again, after):
        assert set_aside not in ended.out + ended.err
        assert "Traceback" not in ended.err


@pytest.mark.usefixtures("set_aside")
async def test_a_forged_one_is_refused_with_a_plain_sentence(env: dict[str, str]) -> None:
    (forged,) = (await ran("webhooks", "list", "--forged", "--json", env=env)).json

    ended = await ran("webhooks", "replay", forged["id"], "--json", env=env)

    (done,) = json.loads(ended.out)
    assert ended.status == 1
    assert (done["outcome"], done["why"]) == ("refused", "it was kept as forged, without its signature")


@pytest.mark.usefixtures("set_aside")
async def test_one_of_another_server_key_is_refused(env: dict[str, str]) -> None:
    (row,) = (await ran("webhooks", "list", "--failed", "--json", env=env)).json

    ended = await ran(
        "webhooks", "replay", row["id"], "--json", env=env | {"MIDTRANS_SERVER_KEY": "another-key"}
    )

    (done,) = json.loads(ended.out)
    assert ended.status == 1
    assert done["why"] == "its signature does not go with our server key"


@pytest.mark.parametrize("command", [["webhooks", "list"], ["prune"]], ids=" ".join)
async def test_before_any_migration_there_is_one_plain_sentence(
    empty_database_url: str, command: list[str]
) -> None:
    ended = await ran(*command, env={"DATABASE_URL": empty_database_url})

    assert (ended.status, ended.out) == (1, "")
    assert ended.err == "The database is not at this release's tables; run bayar migrate.\n"


async def test_what_is_over_is_counted_and_then_thrown_away(
    pool: Pool, begin: PostgresUnitOfWork, reader: PostgresPaymentReader, database_url: str
) -> None:
    payment = await given(begin, status=Status.SETTLEMENT, transaction_id="t-1")
    await run(
        pool,
        "INSERT INTO payment_webhook_events (received_at, order_id, raw_body, is_verified, processed)"
        " SELECT now() - interval '91 days', 'order-1', '{}', true, n % 2 = 0"
        " FROM generate_series(1, 4100) AS n",
    )
    env = {"DATABASE_URL": database_url}

    dry = await ran("prune", "--dry-run", "--json", env=env)
    pruned = await ran("prune", "--json", env=env)
    again = await ran("prune", env=env)

    assert [ended.status for ended in (dry, pruned, again)] == [0, 0, 0]
    assert [(line["rows"], line["deleted"]) for line in dry.json] == [(2050, False), *[(0, False)] * 3]
    assert [(line["rows"], line["deleted"]) for line in pruned.json] == [(2050, True), *[(0, True)] * 3]
    assert await run(pool, "SELECT count(*) FROM payment_webhook_events") == 2050
    assert await reader.find("order-1") == payment
    assert len(await reader.log(payment.id)) == 1


async def test_the_doctor_probes_the_service_s_own_public_address(env: dict[str, str]) -> None:
    async with serving("--no-worker", env=env) as service:
        good = await ran("doctor", "--json", env=env | {"BAYAR_PUBLIC_URL": service.url})
    bad = await ran("doctor", "--json", env=env | {"BAYAR_PUBLIC_URL": service.url})

    (fine,) = [finding for finding in good.json if finding["check"] == "webhook"]
    (trouble,) = [finding for finding in bad.json if not finding["ok"]]
    assert (good.status, fine["ok"]) == (0, True)
    assert bad.status == 1
    assert trouble["check"] == "webhook"
    assert "nothing listens there (connection refused)" in trouble["detail"]
