from typing import Protocol
from uuid import UUID


class Identifiers(Protocol):
    def uuid(self) -> UUID:
        """A new row's id; later ones sort after earlier ones, nearly."""
        ...

    def order_id(self) -> str:
        """A new order id of our own form (``domain.order_id``), not to be guessed."""
        ...

    def checkout_token(self) -> str:
        """A new secret of 128 random bits or more, in the letters that an address takes as they are."""
        ...
