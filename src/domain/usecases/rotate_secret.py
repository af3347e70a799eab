from uuid import UUID

from domain.endpoint import OF_SETTINGS, SECRET_BYTES, secret_of
from domain.errors import EndpointNotFound, SecretOfSettings
from domain.ports.chance import Chance
from domain.ports.work import UnitOfWork


class RotateSecret:
    """A new secret for an endpoint; the one before signs beside it for a day."""

    def __init__(self, *, begin: UnitOfWork, chance: Chance) -> None:
        self._begin, self._chance = begin, chance

    async def __call__(self, endpoint_id: UUID) -> str:
        """The new secret. Raises EndpointNotFound, and SecretOfSettings for the endpoint of the settings."""
        if endpoint_id == OF_SETTINGS:
            raise SecretOfSettings
        secret = secret_of(self._chance.unguessable(SECRET_BYTES))
        async with self._begin() as work:
            if not await work.endpoints.rotate(endpoint_id, secret):
                raise EndpointNotFound(endpoint_id)
        return secret
