"""The SQL files against the migrated schema: what a compiler would tell of them."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

import asyncpg
import pytest

import adapters.postgres
from adapters.postgres.statements import load

if TYPE_CHECKING:
    from adapters.postgres.pool import Pool
    from adapters.postgres.work import PostgresUnitOfWork

_ADAPTER: Final = Path(adapters.postgres.__path__[0])
_FILES: Final = sorted(file.name for file in (_ADAPTER / "sql").iterdir())
_BLOCKS: Final = [(file, name) for file in _FILES for name in load(file)]


@pytest.mark.parametrize(("file", "name"), _BLOCKS)
async def test_every_block_prepares_against_the_migrated_schema(pool: Pool, file: str, name: str) -> None:
    async with pool.acquire() as connection:
        try:
            await connection.prepare(load(file)[name])
        except asyncpg.PostgresError as refused:
            pytest.fail(f"{file}: {name}: {refused}")


@pytest.mark.parametrize("file", _FILES)
def test_every_block_has_a_name_of_its_own(file: str) -> None:
    text = (_ADAPTER / "sql" / file).read_text()

    assert text.startswith("-- name: ")
    assert len(load(file)) == text.count("-- name:")


@pytest.mark.parametrize("file", _FILES)
def test_every_block_is_used(file: str) -> None:
    used = set()
    for module in iter_modules([str(_ADAPTER)]):
        imported = import_module(f"adapters.postgres.{module.name}")
        if getattr(imported, "SQL", None) == load(file):
            source = (_ADAPTER / f"{module.name}.py").read_text()
            used |= set(re.findall(r'\bSQL\["(\w+)"\]', source))

    assert used == set(load(file))


async def test_a_notification_that_was_tried_for_months_is_still_taken(
    pool: Pool, begin: PostgresUnitOfWork
) -> None:
    """Midtrans may be away, or refuse our key, for as long as it likes."""
    async with pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO payment_webhook_events (raw_body, is_verified, attempts) VALUES ('{}', true, 5000)"
        )

    async with begin() as work:
        (taken,) = await work.notifications.take_doubtful(limit=1)

    assert taken.attempts == 5001
