"""What went over the wire, in both directions."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Final

import msgspec

# More than any notification has, which must be kept whole to be sent again.
LONGEST_BODY: Final = 32 * 1024


class Direction(StrEnum):
    """Who asked: the merchant's calls come in, Midtrans's notifications go out."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what became of it; without a status there was no answer."""

    at: datetime
    direction: Direction
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    request: bytes
    status: int | None
    response: bytes
    outcome: str
    took: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which exchanges to show; what is None does not matter.

    `any_id` is an order id or a transaction id, `path` a part of the address, `status` the
    beginning of an HTTP status, or "none" for no answer.
    """

    any_id: str | None = None
    direction: Direction | None = None
    path: str | None = None
    status: str | None = None

    def fits(self, exchange: Exchange) -> bool:
        status = "none" if exchange.status is None else str(exchange.status)
        return (
            self.direction in {None, exchange.direction}
            and (self.path is None or self.path in exchange.url)
            and (self.status is None or status.startswith(self.status))
            and (self.any_id is None or self.any_id in _ids(exchange))
        )


class WireLog:
    """The latest exchanges, at most `limit`; the secrets are cut out before anything is kept."""

    def __init__(self, limit: int, secrets: tuple[str, ...]) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets if secret)
        self._numbers = count(1)
        self._exchanges = deque[tuple[int, Exchange]](maxlen=limit)

    def add(self, exchange: Exchange) -> None:
        kept = Exchange(
            at=exchange.at,
            direction=exchange.direction,
            method=exchange.method,
            url=self._clean(exchange.url.encode()).decode(errors="replace"),
            headers=tuple(
                (name, self._clean(value.encode()).decode(errors="replace"))
                for name, value in exchange.headers
            ),
            request=self._clean(exchange.request),
            status=exchange.status,
            response=self._clean(exchange.response),
            outcome=exchange.outcome,
            took=exchange.took,
        )
        self._exchanges.append((next(self._numbers), kept))

    def find(self, number: int) -> Exchange | None:
        return next((exchange for one, exchange in self._exchanges if one == number), None)

    def newest_first(self, wanted: Wanted) -> Iterator[tuple[int, Exchange]]:
        """Go through those that fit, each with the number it keeps."""
        return (entry for entry in reversed(self._exchanges) if wanted.fits(entry[1]))

    def _clean(self, text: bytes) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, b"[server key]")
        return text[:LONGEST_BODY]


def order_id_of(body: bytes) -> str | None:
    """Read the order that a body is about."""
    fields = _fields(body)
    details = fields.get("transaction_details")
    order_id = fields.get("order_id") or (details.get("order_id") if isinstance(details, dict) else None)
    return order_id if isinstance(order_id, str) else None


def _ids(exchange: Exchange) -> set[object]:
    parts = set[object](exchange.url.split("/"))
    for body in (exchange.request, exchange.response):
        parts |= {order_id_of(body), _fields(body).get("transaction_id")}
    return parts


def _fields(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
