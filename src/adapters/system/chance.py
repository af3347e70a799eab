import secrets
from typing import Final

_STEPS: Final = 2**53


class SystemChance:
    def fraction(self) -> float:
        return secrets.randbelow(_STEPS) / _STEPS

    def unguessable(self, length: int) -> bytes:
        return secrets.token_bytes(length)
