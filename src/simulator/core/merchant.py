"""The merchant whose account is simulated."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Who gets the money, as answers, QR codes and the wallet page name them."""

    id: str
    name: str
    city: str
