"""The service under test: the one at ``BAYAR_BASE_URL``, else a real one of our own."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from idempotency.desk import Desk
from support import database
from support.service import a_token, environment, serving, simulating

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(scope="session")
async def desk() -> AsyncIterator[Desk]:
    """Where the service is, who calls it, and its simulator if that is ours."""
    url = os.environ.get("BAYAR_BASE_URL")
    if url:
        async with httpx.AsyncClient(base_url=url, timeout=40) as http:
            yield Desk(http=http, token=os.environ["BAYAR_TOKEN"])
        return
    shared = os.environ.get("BAYAR_TEST_DATABASE_URL")
    with database.serving(shared) as server_url:
        databases = database.Databases(server_url)
        async with _ours(await databases.migrated()) as desk:
            yield desk
        if shared:
            await databases.drop_all()


@asynccontextmanager
async def _ours(database_url: str) -> AsyncIterator[Desk]:
    async with database.connected(database_url) as connection:
        await connection.execute("INSERT INTO users SELECT FROM generate_series(1, 2)")
    async with simulating() as simulator:
        env = environment(
            DATABASE_URL=database_url, MIDTRANS_BASE_URL=simulator.url, BAYAR_CREATE_RATE="1000"
        )
        async with (
            serving(env=env) as bayar,
            httpx.AsyncClient(base_url=bayar.url, timeout=40, trust_env=False) as http,
            httpx.AsyncClient(base_url=simulator.url, trust_env=False) as midtrans,
        ):
            yield Desk(http=http, token=a_token(1), others_token=a_token(2), midtrans=midtrans)
