"""`bayar webhooks`, each command from its start to its end, on notifications that the service took."""

import json

import httpx
import pytest

from adapters.postgres.payments import PostgresPaymentReader
from adapters.postgres.work import PostgresUnitOfWork
from domain.status import Status
from support.builders import a_delivery, given
from support.service import WEBHOOK, ran, serving


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


async def test_before_any_migration_there_is_one_plain_sentence(empty_database_url: str) -> None:
    ended = await ran("webhooks", "list", env={"DATABASE_URL": empty_database_url})

    assert (ended.status, ended.out) == (1, "")
    assert ended.err == "The database is not at this release's tables; run bayar migrate.\n"
