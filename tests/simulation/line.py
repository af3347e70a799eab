"""What lies between a process and Midtrans: calls that arrive late, twice, or never, and answers too."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.midtrans.client import Lost, NotSent, Reply
from simulation import midtrans as model
from simulation.fate import Fault
from simulation.midtrans import Midtrans
from simulation.virtual_loop import OwnedTask
from simulation.world import Clock, World

# Midtrans keeps a key five minutes, and Bayar sends a charge for four: what is under way longer than this
# nobody can guard against.
_LATEST: Final = 55.0

Answer = Reply | NotSent | Lost
_Pending = asyncio.Future[Answer]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request of a process: what it was for, and when it was sent, also by the process's own clock."""

    process: str
    purpose: str
    task: asyncio.Task[object] | None
    verb: str
    subject: str
    content: bytes
    key: str | None
    at: float
    by_clock: datetime

    @property
    def is_charge(self) -> bool:
        return self.verb == "charge"


class Network:
    """All lines to Midtrans. ``on_call`` hear of each call as it is sent, ``on_reply`` of what came back."""

    def __init__(self, world: World, midtrans: Midtrans) -> None:
        self.world, self.midtrans = world, midtrans
        self.is_away = False
        self.on_call: list[Callable[[Call], None]] = []
        self.on_reply: list[Callable[[Call, Reply], None]] = []
        # Charges that are still on their way, by order id.
        self.under_way: dict[str, int] = {}
        # Order ids about which Midtrans once told something that was not so.
        self.lied_about: set[str] = set()
        self._in_process: set[str] = set()

    def sent(self, call: Call) -> None:
        self.world.tell(call.process, "asks Midtrans: {} {} ({})", call.verb, call.subject, call.purpose)
        for hear in self.on_call:
            hear(call)

    def replied(self, call: Call, reply: Reply) -> None:
        for hear in self.on_reply:
            hear(call, reply)

    def set_out(self, call: Call, server_key: str, answer: _Pending) -> None:
        """The call is on its way, whatever becomes of who sent it."""
        fate = self.world.fate
        if call.is_charge:
            self.under_way[call.subject] = self.under_way.get(call.subject, 0) + 1
        is_late = fate.strikes(Fault.REQUEST_LATE)
        travel = fate.between(1, _LATEST) if is_late else fate.between(0.005, 0.08)
        self.world.later(travel, self._arrive, call, server_key, answer)

    def _arrive(self, call: Call, server_key: str, answer: _Pending) -> None:
        fate, held = self.world.fate, self.midtrans
        is_new = call.is_charge and call.key not in self._in_process and held.remembered(call.key) is None
        if is_new and fate.strikes(Fault.IN_PROCESS):
            self._in_process.add(str(call.key))
            self.world.later(fate.between(1, 30), self._finish, call, server_key, answer)
            return
        reply: Answer
        if self.is_away or fate.strikes(Fault.ERROR_UNDONE):
            reply = model.BROKEN
        elif server_key != held.server_key:
            reply = model.WRONG_KEY
        elif fate.strikes(Fault.RATE_LIMITED):
            reply = model.TOO_MANY
        elif call.key in self._in_process:
            reply = model.IN_PROCESS
        else:
            reply = self._done(call)
        self._answer(call, reply, answer)

    def _finish(self, call: Call, server_key: str, answer: _Pending) -> None:
        self._in_process.discard(str(call.key))
        is_known = server_key == self.midtrans.server_key
        self._answer(call, self._done(call) if is_known else model.WRONG_KEY, answer)

    def _done(self, call: Call) -> Answer:
        """Midtrans does what is asked; what it answers may still be something else."""
        fate, held = self.world.fate, self.midtrans
        if call.is_charge:
            if held.remembered(call.key) is None and fate.strikes(Fault.REFUSED):
                return model.NOT_ACTIVATED
            reply = held.charge(call.content, call.key, denied=fate.strikes(Fault.DENIED))
        elif call.verb == "status":
            age = fate.between(0, 40) if fate.strikes(Fault.STALE_STATUS) else 0.0
            reply = held.status_of(call.subject, age=age)
        elif call.verb == "refund":
            refused = fate.strikes(Fault.BANK_REFUSED)
            reply = held.refund(call.subject, call.content, call.key, refused=refused)
        elif call.verb == "cancel":
            reply = held.cancel(call.subject)
        else:
            reply = held.expire(call.subject)
        if fate.strikes(Fault.ERROR_DONE):
            return model.BROKEN
        if fate.strikes(Fault.WRONG_ECHO):
            return self._wrong(call, reply)
        if fate.strikes(Fault.ANSWER_LOST):
            return Lost(reason="ReadError")
        return reply

    def _wrong(self, call: Call, reply: Reply) -> Reply:
        body = json.loads(reply.body)
        if "order_id" not in body:
            return reply
        self.lied_about.add(body["order_id"])
        self.world.tell("Midtrans", "lies about {}", call.subject)
        other = {"order_id": "another"} if self.world.fate.chance(0.5) else {"gross_amount": "77.00"}
        return Reply(status=reply.status, headers={}, body=json.dumps(body | other).encode())

    def _answer(self, call: Call, reply: Answer, answer: _Pending) -> None:
        fate = self.world.fate
        if call.is_charge:
            self.under_way[call.subject] -= 1
        self.world.tell("Midtrans", "{} {}: {}", call.verb, call.subject, _Shown(reply))
        travel = fate.between(1, 20) if fate.strikes(Fault.ANSWER_LATE) else fate.between(0.005, 0.08)
        self.world.later(travel, _set, answer, reply)


class Line:
    """The client of one process, as ``MidtransGateway`` wants it."""

    def __init__(self, network: Network, process: str, clock: Clock, server_key: str) -> None:
        self._network, self._process, self._clock = network, process, clock
        self._server_key = server_key

    async def send(
        self,
        method: str,
        path: str,
        *,
        within: float,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        del method  # the path tells
        network, world = self._network, self._network.world
        fate, task = world.fate, asyncio.current_task()
        verb = path.rpartition("/")[2]
        call = Call(
            process=self._process,
            purpose=task.purpose if isinstance(task, OwnedTask) else "",
            task=task,
            verb=verb,
            subject=_charged(content) if content and verb == "charge" else path.split("/")[2],
            content=content or b"",
            key=(headers or {}).get("Idempotency-Key"),
            at=world.time,
            by_clock=self._clock.now(),
        )
        network.sent(call)
        if (network.is_away and fate.chance(0.5)) or fate.strikes(Fault.NOT_CONNECTED):
            await asyncio.sleep(min(within, fate.between(0, 5)))
            return NotSent(reason="ConnectError")
        if fate.strikes(Fault.REQUEST_LOST):
            await asyncio.sleep(min(within, fate.between(0, 12)))
            return Lost(reason="ReadError")
        answer: _Pending = world.loop.create_future()
        network.set_out(call, self._server_key, answer)
        limit = world.loop.call_later(within, _set, answer, Lost(reason="no answer in time"))
        reply = await answer
        limit.cancel()
        if isinstance(reply, Reply):
            network.replied(call, reply)
        return reply


def _set(answer: _Pending, reply: Answer) -> None:
    if not answer.done():
        answer.set_result(reply)


def _charged(content: bytes) -> str:
    return str(json.loads(content)["transaction_details"]["order_id"])


@dataclass(frozen=True, slots=True)
class _Shown:
    """A reply as the trace shows it, written only where there is one."""

    reply: Answer

    def __str__(self) -> str:
        if not isinstance(self.reply, Reply):
            return f"nothing comes back ({self.reply.reason})"
        body = json.loads(self.reply.body)
        told = [body.get("status_code"), body.get("transaction_id"), body.get("transaction_status")]
        return f"HTTP {self.reply.status} {' '.join(text for text in told if text)}"
