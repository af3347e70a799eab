"""JSON from outside, within bounds that are safe to keep: jsonb would read ``1e131000`` back as 131 KB."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.exceptions import ClientException
from litestar.types import Receive

LARGEST_BODY: Final = 64 * 1024
# Who is still sending sees a broken connection instead of our answer, so a body that is too large is read
# to its end, up to here.
_LARGEST_THROWN_AWAY: Final = 16 * 1024 * 1024
_BODY_SECONDS: Final = 10.0
_DIGITS: Final = 40
_DEPTH: Final = 32


class Malformed(Exception):
    """Not JSON, or JSON that no sane sender means; the text says which."""


class TooLarge(Exception):
    """A body over 64 KB."""


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """The request's body. Raises TooLarge, and ClientException (408) when it does not come in time."""
    return await read_chunks(chunks(request.receive))


async def chunks(receive: Receive) -> AsyncIterator[bytes]:
    """A body as it comes. Raises ClientException when the client leaves."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientException(detail="The body did not arrive whole.", status_code=408)
        assert message["type"] == "http.request"  # there is no other while a body comes
        more = message.get("more_body", False)
        yield message.get("body", b"")


async def read_chunks(body_in_parts: AsyncIterator[bytes]) -> bytes:
    """A body of at most 64 KB, in at most 10 s. Raises TooLarge and ClientException (408)."""
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in body_in_parts:
                size += len(chunk)
                if size <= LARGEST_BODY:
                    body += chunk
                elif size > _LARGEST_THROWN_AWAY:
                    raise TooLarge
    except TimeoutError as slow:
        raise ClientException(detail="The body did not arrive in time.", status_code=408) from slow
    if size > LARGEST_BODY:
        raise TooLarge
    return bytes(body)


def decode(body: bytes) -> object:
    """The JSON value, fit to be stored. Raises Malformed."""
    try:
        value: object = _DECODER.decode(body)
    except RecursionError as deep:
        raise Malformed(f"it is nested over {_DEPTH} levels deep") from deep
    except (msgspec.DecodeError, ValueError) as wrong:
        raise Malformed(str(wrong)) from wrong
    _check(value, _DEPTH)
    return value


def _number(literal: str) -> float:
    """A number with a point or exponent; written out it must not be longer than 40 digits."""
    try:
        exact = Decimal(literal)
    except InvalidOperation as beyond:  # not even Decimal has such an exponent
        raise ValueError(f"a number has over {_DIGITS} digits") from beyond
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int) or max(exact.adjusted(), 0) + 1 + max(-exponent, 0) > _DIGITS:
        raise ValueError(f"a number has over {_DIGITS} digits")
    return float(literal)


def _check(value: object, depth: int) -> None:
    match value:
        case str():
            if "\0" in value:
                raise Malformed("a text holds a null character")
        case bool() | None:
            pass
        case int():
            if abs(value) >= 10**_DIGITS:
                raise Malformed(f"a number has over {_DIGITS} digits")
        case list() | dict() if depth == 0:
            raise Malformed(f"it is nested over {_DEPTH} levels deep")
        case list():
            for element in value:
                _check(element, depth - 1)
        case dict():
            for name, element in value.items():
                _check(name, depth)
                _check(element, depth - 1)


_DECODER: Final = msgspec.json.Decoder(float_hook=_number)
