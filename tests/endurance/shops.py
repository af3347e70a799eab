"""Shops whose customers pay at once: each order from its create until it is read as settled."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from support.service import CREATE, bearer

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTLED_WITHIN: Final = 15.0
_LOOKS_EVERY: Final = 0.3
# Beyond so many under way the service does not keep up, and more would only wait.
_MOST: Final = 500


@dataclass(kw_only=True, slots=True)
class Seen:
    """What was seen of the calls since somebody looked last; ``wrong`` is what should not have happened."""

    calls: int = 0
    settled: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


class Shops:
    """``seen`` is taken away by whoever samples."""

    def __init__(self, *, shop: httpx.AsyncClient, midtrans: httpx.AsyncClient) -> None:
        self._shop, self._midtrans = shop, midtrans
        self._headers = bearer(1, exp=int(time.time()) + 86_400)
        self._number = self._under_way = 0
        self.seen = Seen()

    async def at_most(self, lanes: int, seconds: float) -> float:
        """Orders a second while each of so many shops makes the next as soon as one is settled."""
        end, before = time.monotonic() + seconds, self.seen.settled

        async def lane() -> None:
            while time.monotonic() < end:
                await self._order()

        await asyncio.gather(*(lane() for _ in range(lanes)))
        return (self.seen.settled - before) / seconds

    async def steadily(self, rate: float, seconds: float) -> None:
        """So many orders a second, whether or not the ones before are settled."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(began + number / rate - time.monotonic(), 0))
                if self._under_way < _MOST:
                    group.create_task(self._order())
                else:
                    self.seen.wrong["not begun: too many are under way"] += 1

    def take_seen(self) -> Seen:
        seen, self.seen = self.seen, Seen()
        return seen

    async def _order(self) -> None:
        self._number += 1
        order_id = f"load-{self._number}"
        with self._counted():
            created = await self._called("POST", CREATE, {"order_id": order_id}, 201)
            if created is None:
                return
            path = f"/simulator/transactions/{created['transaction_id']}/pay"
            (await self._midtrans.post(path)).raise_for_status()
            end = time.monotonic() + _SETTLED_WITHIN
            while time.monotonic() < end:
                await asyncio.sleep(_LOOKS_EVERY)
                payment = await self._called("GET", f"/api/payments/{order_id}", None, 200)
                if payment is not None and payment["status"] == "settlement":
                    self.seen.settled += 1
                    return
            self.seen.wrong[f"not settled within {_SETTLED_WITHIN:.0f} s"] += 1

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._under_way += 1
        try:
            yield
        except httpx.HTTPError as broken:
            self.seen.wrong[f"the look-alike: {type(broken).__name__}"] += 1
        finally:
            self._under_way -= 1

    async def _called(self, method: str, path: str, body: Any, expected: int) -> Any:
        """What the service answers; None, and counted as wrong, when it is not what was expected."""
        began = time.monotonic()
        self.seen.calls += 1
        try:
            answer = await self._shop.request(method, path, json=body, headers=self._headers)
        except httpx.HTTPError as broken:
            self.seen.wrong[f"{method}: {type(broken).__name__}"] += 1
            return None
        self.seen.seconds.append(time.monotonic() - began)
        if answer.status_code != expected:
            self.seen.wrong[f"{method}: {answer.status_code}"] += 1
            return None
        return answer.json()
