"""Telling people with a browser from programs."""

from typing import Any

from litestar import Request
from litestar.enums import RequestEncodingType


async def is_form(request: Request[Any, Any, Any]) -> bool:
    """Whether a browser's form was sent, and not JSON under curl's default content type."""
    if request.content_type[0] != RequestEncodingType.URL_ENCODED:
        return False
    return not (await request.body()).lstrip().startswith(b"{")
