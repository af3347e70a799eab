"""The public way to the webhook: passes notifications on, some of them twice, and keeps what was answered."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import httpx

from support.service import WEBHOOK

if TYPE_CHECKING:
    from random import Random

    from chaos.record import Record

# What a proxy says when nobody answers behind it.
_BAD_GATEWAY: Final = 502
_TWICE: Final = 0.1


def canonical(body: bytes | str) -> str:
    """A notification as a text that is the same however it is spaced and ordered."""
    return json.dumps(json.loads(body), sort_keys=True)


@dataclass
class Relay:
    """``promised`` counts the notifications that were answered with success."""

    record: Record
    http: httpx.AsyncClient
    random: Random
    promised: Counter[str] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)

    async def take(self, body: bytes) -> int:
        """What the sender is answered: as the first of those that it was passed on as."""
        times = 2 if self.random.random() < _TWICE else 1
        answers = await asyncio.gather(*(self.post(body, "notification") for _ in range(times)))
        self.bodies.append(body)
        return answers[0] or _BAD_GATEWAY

    async def post(self, body: bytes, call: str) -> int | None:
        """Deliver a notification, and remember it if its safekeeping was promised."""
        try:
            answer = await self.http.post(WEBHOOK, content=body)
        except httpx.HTTPError:
            self.record.answered(call, None)
            return None
        self.record.answered(call, answer.status_code)
        if answer.is_success:
            self.promised[canonical(body)] += 1
        return answer.status_code
