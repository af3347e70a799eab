from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from adapters.postgres.payments import PostgresPaymentReader
from adapters.postgres.pool import create_pool
from adapters.postgres.work import PostgresUnitOfWork
from support.database import Databases, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.postgres.pool import Pool


@pytest.fixture(scope="session")
async def databases() -> AsyncIterator[Databases]:
    shared = os.environ.get("BAYAR_TEST_DATABASE_URL")
    with serving(shared) as server_url:
        databases = Databases(server_url)
        yield databases
        if shared:
            await databases.drop_all()


@pytest.fixture
async def database_url(databases: Databases) -> str:
    """A migrated database with no rows in it."""
    return await databases.migrated()


@pytest.fixture
async def empty_database_url(databases: Databases) -> str:
    """A database before any migration, for this test alone."""
    return await databases.create()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    opened = await create_pool(dsn=database_url, size=8)
    yield opened
    async with asyncio.timeout(60):  # what a test that hung still holds is never given back
        await opened.close()


@pytest.fixture
def begin(pool: Pool) -> PostgresUnitOfWork:
    return PostgresUnitOfWork(pool=pool, on_commit=lambda _entries: None)


@pytest.fixture
def reader(pool: Pool) -> PostgresPaymentReader:
    return PostgresPaymentReader(pool=pool)
