"""Writes db/schema.sql anew: ``PYTHONPATH=src:tests .venv/bin/python -m support.schema``."""

from pathlib import Path

from entrypoints.embedded_postgres import embedded_postgres, programs
from entrypoints.migrations import DIRECTORY, dump_schema, migrate_up
from support.database import open_directory

FILE = DIRECTORY.parent / "schema.sql"


def dump(url: str, file: Path) -> None:
    dump_schema(url, file, pg_dump=programs() / "pg_dump")


def main() -> None:
    with open_directory() as directory, embedded_postgres(directory, database="schema") as url:
        migrate_up(url)
        dump(url, FILE)


if __name__ == "__main__":
    main()
