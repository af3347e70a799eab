from typing import Protocol
from uuid import UUID

from domain.endpoint import Disabled, Endpoint


class Endpoints(Protocol):
    """The endpoints that are told of changes, within one open transaction."""

    async def add(self, endpoint: Endpoint) -> None: ...

    async def page(self) -> list[Endpoint]:
        """All of them, oldest first."""
        ...

    async def rotate(self, endpoint_id: UUID, secret: str) -> bool:
        """Sign with this secret from now on, and for 24 hours with the one before it too.

        False when there is no such endpoint.
        """
        ...

    async def disable(self, endpoint_id: UUID, why: Disabled) -> bool:
        """Tell it nothing more; what waits for it is kept. False when there is no such endpoint.

        The first reason stays, but for ``GONE``, which is the endpoint's own word.
        """
        ...

    async def enable(self, endpoint_id: UUID) -> bool:
        """Tell it of changes from now on, and at once of what waits for it, as if nothing had ever failed.

        False when there is no such endpoint.
        """
        ...

    async def keep_of_settings(self, *, url: str, secret: str, allow_private: bool) -> Endpoint:
        """The endpoint of the settings as they are now; another secret than before is a rotation.

        It stays disabled where it was for another reason than the settings, unless its address changed.
        """
        ...

    async def drop_of_settings(self) -> bool:
        """Disable the endpoint of the settings; whether it was enabled until now."""
        ...
