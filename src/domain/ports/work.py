from contextlib import AbstractAsyncContextManager
from typing import Protocol

from domain.ports.budget import AskingBudget
from domain.ports.deliveries import Deliveries
from domain.ports.endpoints import Endpoints
from domain.ports.idempotency import IdempotencyKeys
from domain.ports.notifications import Notifications
from domain.ports.payments import Payments
from domain.ports.refunds import Refunds
from domain.ports.users import Users


class Work(Protocol):
    """What one database transaction reaches."""

    @property
    def payments(self) -> Payments: ...

    @property
    def notifications(self) -> Notifications: ...

    @property
    def idempotency(self) -> IdempotencyKeys: ...

    @property
    def budget(self) -> AskingBudget: ...

    @property
    def refunds(self) -> Refunds: ...

    @property
    def users(self) -> Users: ...

    @property
    def endpoints(self) -> Endpoints: ...

    @property
    def deliveries(self) -> Deliveries: ...


class UnitOfWork(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[Work]:
        """Begin. Leaving normally commits, durably; leaving by an exception undoes everything.

        Raises DatabaseUnavailable when the database is away or a lock is not had in 2 s.
        """
        ...
