"""Request bodies, decoded strictly: every bad field is named, nothing is guessed."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeVar, Union, get_args, get_origin

import msgspec
from litestar import Request
from msgspec.structs import FieldInfo, fields

from domain.errors import InvalidPayment
from entrypoints.http.untrusted import Malformed, decode, read_body

Body = TypeVar("Body", bound=msgspec.Struct)
# Names of fields and places in lists, from the outside in; empty for the body itself.
Path = tuple[str | int, ...]
# What a field's type cannot say; raises InvalidPayment.
Rules = Mapping[str, Callable[[Any], None]]
_JSON: Final = "application/json"


class UnsupportedMediaType(Exception):
    """A body that does not say it is JSON."""


class MalformedJson(Exception):
    """A body that says it is JSON and is not."""


class InvalidBody(Exception):
    """JSON with wrong fields; ``errors`` has one text per field, by its path."""

    def __init__(self, errors: dict[Path, str]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in errors.items()))
        self.errors = errors


async def read_json(request: Request[Any, Any, Any], kind: type[Body], *, rules: Rules) -> Body:
    """The body as ``kind``, its fields by the ``rules`` too; no body at all is an empty object.

    Raises UnsupportedMediaType, TooLarge, MalformedJson and InvalidBody.
    """
    told = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if told and told != _JSON:
        raise UnsupportedMediaType
    raw = await read_body(request)
    if not told:
        if raw:
            raise UnsupportedMediaType
        raw = b"{}"
    try:
        value = decode(raw)
    except Malformed as wrong:
        raise MalformedJson(str(wrong)) from wrong
    errors: dict[Path, str] = {}
    _check(value, kind, (), errors)
    _apply(rules, value, errors)
    if errors:
        raise InvalidBody(errors)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as wrong:
        raise InvalidBody({(): str(wrong)}) from wrong


def _apply(rules: Rules, value: object, errors: dict[Path, str]) -> None:
    """Check the fields that are there and of the right type by their rules."""
    given = value if isinstance(value, dict) else {}
    for name, check in rules.items():
        if given.get(name) is None or any(path[:1] == (name,) for path in errors):
            continue
        try:
            check(given[name])
        except InvalidPayment as wrong:
            errors[(name,)] = wrong.message


def _check(value: object, kind: Any, path: Path, errors: dict[Path, str]) -> None:
    """Check a value against a type, going into objects and lists so that each bad field is found."""
    kind = _without_none(kind) if value is not None else kind
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
        known = _fields(kind)
        for name in value:
            if name not in known:
                errors[(*path, name)] = "is not a known field"
        for name, field in known.items():
            if name in value:
                _check(value[name], field.type, (*path, name), errors)
            elif field.required:
                errors[(*path, name)] = "is missing"
        return
    if get_origin(kind) is list and isinstance(value, list):
        for place, element in enumerate(value):
            _check(element, get_args(kind)[0], (*path, place), errors)
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as wrong:
        errors[path] = str(wrong).partition(" - at ")[0]


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, FieldInfo]:
    return {field.encode_name: field for field in fields(kind)}


def _without_none(kind: Any) -> Any:
    """``X`` of ``X | None``; any other type as it is."""
    if get_origin(kind) is Union or type(kind).__name__ == "UnionType":
        rest = [option for option in get_args(kind) if option is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return kind
