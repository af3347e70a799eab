"""One process of Bayar: its real use cases and its real background work, on the ports of the world."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, TypeVar

from adapters.midtrans.gateway import MidtransGateway
from domain.access import Caller
from domain.errors import BayarError, DatabaseUnavailable, GatewayRefused, OutcomeUnknown
from domain.idempotency import IdempotentCall
from domain.order import Wanted
from domain.payment import Payment
from domain.refund import Refund
from domain.usecases.receive_notification import Outcome
from domain.usecases.refund_payment import RefundWish
from entrypoints import worker
from entrypoints.http.problems import PROBLEMS
from entrypoints.http.webhook import read_delivery
from entrypoints.settings import Settings, load
from simulation.bell import LaneBell
from simulation.database import SimulatedDatabase
from simulation.due import is_ever_due
from simulation.law import Law
from simulation.line import Line, Network
from simulation.merchant import Backend
from simulation.virtual_loop import OTHERS_FIRST, Owner
from simulation.wiring import Wiring
from simulation.world import Clock, World
from support.fake_merchant import SteadyChance
from support.fake_pruner import InMemoryPruner
from support.fakes import CountingIdentifiers, InMemoryCreateRate, InMemoryPaymentReader
from support.service import environment

T = TypeVar("T")
_LONG: Final = 1e9


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An answer of the API, as a shop reads it."""

    status: int
    code: str = ""
    order_id: str | None = None
    payment: Payment | None = None
    refund: Refund | None = None
    replayed: bool = False
    gateway_code: str = ""

    def __str__(self) -> str:
        status = self.payment.status if self.payment else ""
        again = "(again)" if self.replayed else ""
        parts = (str(self.status), self.code, self.order_id or "", status, again)
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """What all processes stand on; ``confirm`` is their BAYAR_CONFIRM."""

    world: World
    database: SimulatedDatabase
    network: Network
    ids: CountingIdentifiers
    rate: InMemoryCreateRate
    backend: Backend
    confirm: str


class Process:
    """``has_api`` and ``has_worker`` say what it was started for."""

    def __init__(self, ground: Ground, number: int, *, has_api: bool, has_worker: bool) -> None:
        self._ground, self._world = ground, ground.world
        self.has_api, self._has_worker = has_api, has_worker
        self.name = f"bayar-{number}"
        self.owner = Owner(self.name)
        self.clock = Clock(ground.world.loop)
        self.is_up = self.is_stopping = False
        self._bells: list[LaneBell] = []
        self._answers: dict[asyncio.Future[Any], None] = {}

    def start(self, *, server_key: str, previous_key: str | None) -> None:
        self.is_up, self.is_stopping = True, False
        line = Line(self._ground.network, self.name, self.clock, server_key)
        begin, reader = self._ground.database, InMemoryPaymentReader(self._ground.database)
        wiring = Wiring(
            settings=_settings(server_key, previous_key, self._ground.confirm),
            clock=self.clock,
            ids=self._ground.ids,
            begin=begin,
            reader=reader,
            background_begin=begin,
            notified_begin=begin,
            create_begin=begin,
            background_reader=reader,
            rate=self._ground.rate,
            gateway=MidtransGateway(client=line, clock=self.clock, notify_url=None),  # type: ignore[arg-type]
            merchant=self._ground.backend,
            chance=SteadyChance(),
            on_attempt=_tell_nobody,
            pruner=InMemoryPruner(self._ground.database, self._world.clock),  # type: ignore[arg-type]
        )
        self._create = wiring.create_payment()
        self._refresh = wiring.refresh_payment()
        self._receive = wiring.receive_notification()
        self._cancel = wiring.cancel_payment()
        self._refund = wiring.refund_payment()
        self._world.tell(self.name, "starts")
        if self._has_worker:
            self._start_work(wiring)

    def crash(self) -> None:
        """Nothing of it runs any more; whoever waits for it sees the connection break."""
        self.is_up = False
        self._world.loop.kill(self.owner)
        answers, self._answers = self._answers, {}
        for answer in answers:
            if not answer.done():
                answer.set_result(None)

    def stop(self) -> None:
        """Asked to end: it takes no more calls, and its rounds in hand are their last."""
        self.is_stopping = True
        for bell in self._bells:
            bell.ring()

    # Calls over HTTP.

    async def create(self, wanted: Wanted, call: IdempotentCall | None) -> Told:
        try:
            created = await self._create(wanted, call)
        except BayarError as error:
            return _problem(error)
        payment = created.payment
        return Told(status=201, order_id=payment.order_id, payment=payment, replayed=created.replayed)

    async def status(self, order_id: str, caller: Caller) -> Told:
        try:
            refreshed = await self._refresh(order_id, caller)
        except BayarError as error:
            return _problem(error)
        return Told(status=200, order_id=order_id, payment=refreshed.payment)

    async def cancel(self, order_id: str, caller: Caller) -> Told:
        try:
            payment = await self._cancel(order_id, caller)
        except BayarError as error:
            return _problem(error)
        return Told(status=200, order_id=order_id, payment=payment)

    async def refund(self, order_id: str, caller: Caller, wish: RefundWish, call: IdempotentCall) -> Told:
        try:
            refunded = await self._refund(order_id, caller, wish, call)
        except BayarError as error:
            return _problem(error)
        return Told(status=201, order_id=order_id, refund=refunded.refund, replayed=refunded.replayed)

    async def notified(self, body: bytes) -> int:
        """As ``entrypoints.http.webhook`` answers."""
        try:
            outcome, fault = await self._receive(read_delivery(body, at=self.clock.now()))
        except DatabaseUnavailable:
            return 503
        if fault is not None:
            self._world.broke(Law.NO_FAULT, f"webhook: {fault!r}")
        return 403 if outcome is Outcome.FORGED else 200

    def serve(
        self, purpose: str, work: Callable[[], Awaitable[T]], *, on_answer: Callable[[T], None]
    ) -> asyncio.Future[T | None]:
        """Work on a call in a task of its own; ``on_answer`` hears of the answer as it is given.

        What comes is None when the connection breaks.
        """
        answer: asyncio.Future[T | None] = self._world.loop.create_future()
        self._answers[answer] = None

        async def handle() -> None:
            try:
                told = await work()
            except Exception as fault:  # noqa: BLE001 - whatever it is, the edge would answer 500
                self._world.broke(Law.NO_FAULT, f"{purpose}: {fault!r}")
                return
            await OTHERS_FIRST
            on_answer(told)
            self._answers.pop(answer, None)
            if not answer.done():
                answer.set_result(told)

        self._world.loop.start(self.owner, purpose, handle())
        return answer

    # The background work.

    def _start_work(self, wiring: Wiring) -> None:
        fate, loop = self._world.fate, self._world.loop
        self._bells = []
        for chore in worker.chores(wiring):  # type: ignore[arg-type]
            if not is_ever_due(chore.name) and fate.chance(0.9):
                continue
            for _ in range(min(chore.lanes, fate.whole(1, 2))):
                bell = LaneBell(self, self._ground.database, chore)
                self._bells.append(bell)
                watched = replace(chore, every=_LONG, do=self._watched(chore))
                loop.start(self.owner, chore.name, worker._repeat(watched, bell, worker.Outage()))  # type: ignore[arg-type]

    def _watched(self, chore: worker.Chore) -> Callable[[], Awaitable[bool]]:
        """The work goes on whatever a round raises, so what it should never raise is noted here."""

        async def do() -> bool:
            try:
                return await chore.do()
            except DatabaseUnavailable:
                raise
            except Exception as fault:
                self._world.broke(Law.NO_FAULT, f"{chore.name}: {fault!r}")
                raise

        return do


def _problem(error: BayarError) -> Told:
    refused = error if isinstance(error, GatewayRefused) else None
    named = error if isinstance(error, GatewayRefused | OutcomeUnknown) else None
    return Told(
        status=PROBLEMS[error.code][0],
        code=error.code,
        order_id=named.order_id if named else None,
        replayed=refused is not None and refused.replayed,
        gateway_code=refused.gateway_code if refused else "",
    )


def _tell_nobody(_: object) -> None:
    """Its log lines and metrics are nobody's in here."""


@cache
def _settings(server_key: str, previous_key: str | None, confirm: str) -> Settings:
    return load(
        environment(
            MIDTRANS_SERVER_KEY=server_key,
            MIDTRANS_PREVIOUS_SERVER_KEY=previous_key,
            BAYAR_CONFIRM=confirm,
        )
    )
