"""Where the service is reached, for the links in its answers."""

import re
from dataclasses import dataclass
from typing import Any, Final

from litestar import Request

from domain.payment import Payment

CHECKOUT_PATH: Final = "/checkout"
# A Host header is whatever the caller wrote.
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """``public_url`` is BAYAR_PUBLIC_URL; without it a caller's own way here is the address."""

    public_url: str | None

    def of(self, request: Request[Any, Any, Any]) -> str:
        if self.public_url is not None:
            return self.public_url
        host = request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            name, port = request.scope["server"] or ("localhost", None)
            host = f"{name}:{port}" if port else name
        return f"{request.scope['scheme']}://{host}"


def checkout_url(payment: Payment, address: str) -> str | None:
    """The page to send the customer to; None for a payment that has no token."""
    token = payment.checkout_token
    return None if token is None else f"{address}{CHECKOUT_PATH}/{token}"
