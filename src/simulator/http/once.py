"""Acting once for each Idempotency-Key."""

from collections.abc import Callable
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency

from simulator.core.answers import Answer
from simulator.core.idempotency import IdempotencyKeys
from simulator.http.respond import Respond


class Once:
    """Carries out what this request asks for, unless its Idempotency-Key was answered already."""

    def __init__(
        self,
        request: Request[Any, Any, Any],
        keys: NamedDependency[IdempotencyKeys],
        respond: NamedDependency[Respond],
    ) -> None:
        self._request, self._keys, self._respond = request, keys, respond

    async def __call__(self, act: Callable[[bytes], Answer]) -> Response[bytes]:
        """Act on the body and answer; until the body is here, others with the key hear of it."""

        async def work() -> Answer:
            return act(await self._request.body())

        key = self._request.headers.get("idempotency-key")
        return self._respond(await self._keys.once(key, work))
