"""``bayar prune`` over fakes: what goes, what would go, and when it asks."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from domain.retention import RETENTION, Rule
from entrypoints.cli.prune import kept
from support.builders import a_forged, a_received
from unit.entrypoints.commands import failed, given, on_a_terminal, over, printed, printed_json, run
from unit.entrypoints.harness import Service, a_service, away


@pytest.fixture
def service() -> Service:
    return a_service()


@pytest.fixture(autouse=True)
def _over_fakes(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    over(service, monkeypatch)


@pytest.fixture
def old(service: Service) -> None:
    """A payment, a processed and a forged notification, and one set aside, all a year old."""

    async def keep() -> None:
        async with service.begin() as work:
            await work.notifications.add(a_received("processed", processed=True))
            await work.notifications.add(a_received("aside", error="why"))
            await work.notifications.add_forged(a_forged())

    given(service)
    asyncio.run(keep())
    service.clock.advance(timedelta(days=365).total_seconds())


@pytest.mark.usefixtures("old")
def test_what_is_over_goes_and_all_else_stays(service: Service) -> None:
    before = service.stored()

    lines = printed("prune").splitlines()

    assert [line.split("  ")[0] for line in lines] == ["what", *(rule.what for rule in RETENTION)]
    assert [line.split()[-1] for line in lines] == ["gone", "1", "1", "0", "0"]
    assert [row.error for row in service.begin.notifications] == ["why"]
    assert service.stored() == before
    assert service.begin.state.entries[before.id]


@pytest.mark.usefixtures("old")
def test_a_dry_run_only_counts(service: Service) -> None:
    lines = printed("prune", "--dry-run").splitlines()

    assert [line.split()[-1] for line in lines] == ["go", "1", "1", "0", "0"]
    assert len(service.begin.notifications) == 3


@pytest.mark.usefixtures("old")
def test_json_says_what_how_long_and_how_many() -> None:
    assert printed_json("prune", "--dry-run") == [
        {"what": "processed notifications", "kept": "90 days", "rows": 1, "deleted": False},
        {"what": "forged notifications", "kept": "7 days, 10,000 at most", "rows": 1, "deleted": False},
        {"what": "idempotency keys", "kept": "3 days", "rows": 0, "deleted": False},
        {"what": "delivered events", "kept": "30 days", "rows": 0, "deleted": False},
    ]
    assert [line["deleted"] for line in printed_json("prune")] == [True, True, True, True]


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize(("said", "left"), [("y\n", 1), ("n\n", 3)])
def test_on_a_terminal_it_asks_with_the_number(
    service: Service, monkeypatch: pytest.MonkeyPatch, said: str, left: int
) -> None:
    on_a_terminal(monkeypatch)

    result = run("prune", said=said)

    assert "Throw away 2 rows for good?" in result.stderr
    assert len(service.begin.notifications) == left
    assert result.exit_code == (0 if left == 1 else 1)


@pytest.mark.usefixtures("old")
def test_a_yes_answers_beforehand(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_terminal(monkeypatch)

    assert "?" not in run("prune", "--yes").output
    assert len(service.begin.notifications) == 1


def test_with_nothing_to_throw_away_it_does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_terminal(monkeypatch)

    assert [line.split()[-1] for line in printed("prune").splitlines()] == ["gone", "0", "0", "0", "0"]


def test_with_the_database_away_it_is_one_plain_sentence(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    away(service)

    assert failed(capsys, "prune") == "The database is away or too busy; nothing was lost, try again.\n"


@pytest.mark.parametrize("rule", RETENTION, ids=lambda rule: str(rule.what))
def test_the_readme_publishes_every_rule(rule: Rule) -> None:
    text = (Path(__file__).parents[3] / "README.md").read_text()

    how = "`bayar prune`" if rule.every is None else "by itself"
    assert f"| {rule.what} | {kept(rule)} | {how} |" in text
