from typing import Protocol


class Chance(Protocol):
    def fraction(self) -> float:
        """Anything from 0 up to 1, to keep apart what would happen at the same time."""
        ...

    def unguessable(self, length: int) -> bytes:
        """So many bytes that nobody can guess."""
        ...
