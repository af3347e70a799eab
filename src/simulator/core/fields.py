"""Reading the fields of a JSON object and saying what is wrong with them."""

from collections.abc import Mapping


class Fields:
    """One JSON object of a request.

    A field that is missing or wrong reads as None, and a complaint in Midtrans's words joins
    the list that all objects of the request share.
    """

    def __init__(self, values: Mapping[str, object], complaints: list[str], path: str = "") -> None:
        self._values = values
        self._complaints = complaints
        self._path = path

    def complain(self, name: str, what: str) -> None:
        self._complaints.append(f"{self._path}{name} {what}")

    def text(self, name: str, *, required: bool = False, longest: int = 255) -> str | None:
        value = self._value(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.complain(name, "is not a string")
            return None
        if required and not value:
            self.complain(name, "is required")
            return None
        if len(value) > longest:
            self.complain(name, "is too long")
            return None
        return value

    def number(self, name: str, *, required: bool = False) -> int | None:
        value = self._value(name, required=required)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            self.complain(name, "is not a number")
            return None
        return value

    def flag(self, name: str) -> bool:
        value = self._value(name)
        if not isinstance(value, bool | None):
            self.complain(name, "is not a boolean")
        return value is True

    def section(self, name: str) -> "Fields":
        """Read an object inside this one; an absent one is like an empty one."""
        return self._nested(name, self._value(name))

    def has(self, name: str) -> bool:
        return self._value(name) is not None

    def sections(self, name: str) -> "list[Fields]":
        value = self._value(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.complain(name, "is not an array")
            return []
        return [self._nested(f"{name}[{index}]", item) for index, item in enumerate(value)]

    def _nested(self, name: str, value: object) -> "Fields":
        if value is None or isinstance(value, dict):
            return Fields(value or {}, self._complaints, f"{self._path}{name}.")
        self.complain(name, "is not an object")
        # Nothing more is to be said about what is not even there.
        return Fields({}, [])

    def _value(self, name: str, *, required: bool = False) -> object:
        value = self._values.get(name)
        if value is None and required:
            self.complain(name, "is required")
        return value
