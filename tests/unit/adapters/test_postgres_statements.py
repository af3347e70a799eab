from pathlib import Path

import pytest

from adapters.postgres import statements


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of SQL that ``load`` finds under its name."""
    (tmp_path / "sql").mkdir()
    monkeypatch.setattr(statements, "__file__", str(tmp_path / "statements.py"))
    return tmp_path / "sql" / "some.sql"


def test_each_named_block_is_a_statement_of_its_own(file: Path) -> None:
    file.write_text("-- name: one\n-- why\nSELECT 1;\n\n-- name: other\nSELECT 2;\n")

    loaded = statements.load("some.sql")

    assert {name: text.strip() for name, text in loaded.items()} == {
        "one": "-- why\nSELECT 1;",
        "other": "SELECT 2;",
    }


def test_a_name_that_is_not_there_fails_when_it_is_looked_up(file: Path) -> None:
    file.write_text("-- name: one\nSELECT 1;\n")

    with pytest.raises(KeyError, match="other"):
        statements.load("some.sql")["other"]


def test_a_comment_that_only_mentions_a_name_starts_no_block(file: Path) -> None:
    file.write_text("-- name: one\nSELECT 1; -- name: two\n--  name: three\n")

    assert list(statements.load("some.sql")) == ["one"]
