"""A crowd of calls that take long lets others through."""

import asyncio
from collections import deque


class Turns:
    """Lets in one in each round of the event loop, whoever came first.

    Of a thousand that arrive together each would otherwise begin in the same round, and whoever else came
    would wait until the last of them has.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_busy = False

    async def __call__(self) -> None:
        """Returns when it is the caller's turn; at once while nobody came in this round."""
        loop = asyncio.get_running_loop()
        if not self._is_busy:
            self._is_busy = True
            loop.call_soon(self._next)
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # whoever waited may have left
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._next)
                return
        self._is_busy = False
