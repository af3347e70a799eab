import secrets
import time
from typing import Final
from uuid import UUID

from domain.order_id import ALPHABET, OUR_RANDOM_LENGTH, OURS

_TOKEN_BYTES: Final = 24


class SystemIdentifiers:
    def uuid(self) -> UUID:
        """A version 7 uuid (RFC 9562): milliseconds first, so that new rows land at the end of the index."""
        value = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
        value = value & ~(0xF << 76) | 0x7 << 76
        value = value & ~(0x3 << 62) | 0x2 << 62
        return UUID(int=value)

    def checkout_token(self) -> str:
        return secrets.token_urlsafe(_TOKEN_BYTES)

    def order_id(self) -> str:
        # 32 characters, so each is as likely as any other.
        random = secrets.token_bytes(OUR_RANDOM_LENGTH)
        return OURS + "".join(ALPHABET[byte % len(ALPHABET)] for byte in random)
