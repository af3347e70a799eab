"""Postgres goes away while the service is busy, and comes back: what callers see, and what is still there."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from entrypoints.embedded_postgres import embedded_postgres
from entrypoints.migrations import migrate_up
from integration.http.harness import a_notification
from support.database import connected, open_directory
from support.service import CREATE, WEBHOOK, bearer, environment, eventually, serving, simulating

Call = Callable[[httpx.Client, int], httpx.Response]


def create(http: httpx.Client, _: int) -> httpx.Response:
    return http.post(CREATE, json={"gross_amount": 25_000})


def notify(http: httpx.Client, number: int) -> httpx.Response:
    return http.post(WEBHOOK, json=a_notification(order_id=f"nobody-s-{number}"))


def read(http: httpx.Client, _: int) -> httpx.Response:
    return http.get("/api/payments?limit=1")


def ask_whether_ready(http: httpx.Client, _: int) -> httpx.Response:
    return http.get("/health/ready")


CALLS: Final[dict[Call, int]] = {create: 201, notify: 200, read: 200, ask_whether_ready: 200}


@dataclass
class Load:
    """Callers that go on calling, each in a thread of its own, and every answer that they got."""

    url: str
    answers: list[tuple[Call, httpx.Response]] = field(default_factory=list)
    broken: list[Exception] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        over = threading.Event()
        threads = [threading.Thread(target=self._go_on, args=(call, over)) for call in CALLS]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join(60)

    def _go_on(self, call: Call, over: threading.Event) -> None:
        with httpx.Client(base_url=self.url, headers=bearer(), trust_env=False, timeout=60) as http:
            for number in count():
                if over.wait(0.005):
                    return
                try:
                    self.answers.append((call, call(http, number)))
                except httpx.HTTPError as trouble:
                    self.broken.append(trouble)

    async def every_call_gets(self, *wanted: int) -> None:
        """Wait until each kind of call, from now on, has got one of these statuses, or its success."""
        since = len(self.answers)

        async def is_so() -> bool:
            fresh = self.answers[since:]
            got = {call for call, answer in fresh if answer.status_code in (wanted or (CALLS[call],))}
            return got == CALLS.keys()

        await eventually(is_so, within=30)

    def of(self, call: Call, status: int) -> list[Any]:
        """The bodies of a call's answers with a status."""
        return [a.json() for kind, a in list(self.answers) if (kind, a.status_code) == (call, status)]


async def test_postgres_stopped_under_load_costs_503s_and_nothing_else() -> None:
    with open_directory() as home, ExitStack() as postgres:

        def start() -> str:
            return postgres.enter_context(embedded_postgres(home, database="bayar"))

        url = start()
        migrate_up(url)
        async with connected(url) as connection:
            await connection.execute("INSERT INTO users DEFAULT VALUES")
        async with simulating() as simulator:
            env = environment(DATABASE_URL=url, MIDTRANS_BASE_URL=simulator.url, BAYAR_CREATE_RATE="1000000")
            async with serving(env=env) as service:
                load = Load(service.url)
                with load.running():
                    await load.every_call_gets()
                    postgres.close()
                    await load.every_call_gets(503)
                    start()
                    await load.every_call_gets()
                    back = len(load.answers)
                    await load.every_call_gets()

                assert load.broken == []
                assert refusals(load) == []
                # Full service again: not one more refusal.
                assert [a.status_code for c, a in load.answers[back:] if a.status_code != CALLS[c]] == []
                await check_that_nothing_is_lost(load, service.url, url)
                said = service.program.said
        assert "Traceback" not in said
        assert "server.stopped" not in said


def refusals(load: Load) -> list[str]:
    """The answers that are neither a success nor one that says how to go on."""
    return [
        f"{call.__name__}: {answer.status_code} {answer.text}"
        for call, answer in load.answers
        if answer.status_code != CALLS[call]
        and not (answer.status_code == 503 and int(answer.headers.get("retry-after", 0)) >= 1)
        # Postgres went between Midtrans's answer and its commit: the contract's 504, with the order id.
        and not (call is create and answer.status_code == 504 and answer.json()["order_id"])
    ]


async def check_that_nothing_is_lost(load: Load, service_url: str, database_url: str) -> None:
    promised = {payment["order_id"] for payment in load.of(create, 201)}
    unknown = [problem["order_id"] for problem in load.of(create, 504)]
    async with connected(database_url) as connection:
        stored = await connection.fetch("SELECT order_id FROM payment_transactions WHERE status = 'pending'")
        events = await connection.fetchval("SELECT count(*) FROM payment_webhook_events")
    assert promised
    assert promised <= {row["order_id"] for row in stored}
    assert events >= len(load.of(notify, 200)) > 0
    async with httpx.AsyncClient(base_url=service_url, headers=bearer(), trust_env=False) as http:
        for order_id in unknown:
            asked = (await http.get(f"/api/payments/{order_id}/status")).json()
            assert (asked["status"], asked["refreshed"]) == ("pending", True)
