from domain.endpoint import SECRET_BYTES, Endpoint, secret_of
from domain.errors import UserNotFound
from domain.ports.chance import Chance
from domain.ports.clock import Clock
from domain.ports.identifiers import Identifiers
from domain.ports.work import UnitOfWork


class AddEndpoint:
    """An endpoint with a secret of its own, told of every change from now on."""

    def __init__(self, *, begin: UnitOfWork, clock: Clock, ids: Identifiers, chance: Chance) -> None:
        self._begin, self._clock, self._ids, self._chance = begin, clock, ids, chance

    async def __call__(self, url: str, *, user_id: int | None, allow_private: bool) -> Endpoint:
        """Without a user it is told of everybody's payments. Raises UserNotFound."""
        endpoint = Endpoint(
            id=self._ids.uuid(),
            user_id=user_id,
            url=url,
            secret=secret_of(self._chance.unguessable(SECRET_BYTES)),
            allow_private=allow_private,
            created_at=self._clock.now(),
        )
        async with self._begin() as work:
            if user_id is not None and not await work.users.exists(user_id):
                raise UserNotFound(user_id)
            await work.endpoints.add(endpoint)
        return endpoint
