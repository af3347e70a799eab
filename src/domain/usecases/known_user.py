from domain.access import Caller
from domain.errors import UnknownUser
from domain.ports.work import UnitOfWork


async def require_user(begin: UnitOfWork, caller: Caller) -> None:
    """Raises UnknownUser for a caller who is not in ``users``, and so can own nothing."""
    async with begin() as work:
        if not await work.users.exists(caller.user_id):
            raise UnknownUser(caller.user_id)
