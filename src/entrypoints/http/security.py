"""Who is calling: bearer tokens, and the cookie that may carry one."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
from litestar import Request

from domain.access import Caller
from entrypoints.settings import Settings, TokenKey
from entrypoints.web_address import origin_of

LEEWAY_SECONDS: Final = 30
# How many valid tokens are remembered, and how long one of them may be.
_KNOWN: Final = 1024
_KNOWN_LENGTH: Final = 2048
_LARGEST_ID: Final = 2**63 - 1
_EXPIRED: Final = "The token has expired; get a new one."
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Unauthenticated(Exception):
    """No token, or one that proves nothing. The text never repeats any of it."""


class Forbidden(Exception):
    """A valid token that does not allow this."""


class CrossSite(Exception):
    """A state-changing call with the cookie that did not come from our own pages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Authenticator:
    """Checks tokens as the settings say: one key, one algorithm, never the token's own choice."""

    key: TokenKey
    issuer: str | None
    audience: str | None
    cookie: str | None
    origin: str | None
    # Who calls with a token that was found valid, and until when: a shop's backend has one for all its calls.
    _known: dict[str, tuple[Caller, int]] = field(default_factory=dict, repr=False, compare=False)
    _now: Callable[[], float] = field(default=time.time, repr=False, compare=False)

    @classmethod
    def of(cls, settings: Settings) -> "Authenticator":
        assert settings.token_key is not None  # what serves has it among its needed settings
        return cls(
            key=settings.token_key,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            cookie=settings.cookie,
            origin=origin_of(settings.public_url) if settings.public_url else None,
        )

    def caller(self, request: Request[Any, Any, Any], *, scope: str | None = None) -> Caller:
        """Who calls. Raises Unauthenticated, CrossSite, and Forbidden when the token lacks ``scope``."""
        caller = self._bearer(self._token(request))
        if scope is not None and scope not in caller.scopes:
            raise Forbidden(f"The token lacks the scope {scope}.")
        return caller

    def _token(self, request: Request[Any, Any, Any]) -> str:
        header = request.headers.get("authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                raise Unauthenticated("The Authorization header must be: Bearer, a space and the token.")
            return token.strip()
        token = request.cookies.get(self.cookie, "") if self.cookie else ""
        if not token:
            raise Unauthenticated("Send a bearer token in the Authorization header.")
        if request.method not in _READS and not self._is_ours(request):
            raise CrossSite("A call with the cookie must come from this service's own origin.")
        return token

    def _is_ours(self, request: Request[Any, Any, Any]) -> bool:
        origin = request.headers.get("origin")
        if origin is not None and self.origin is not None and origin != self.origin:
            return False
        if origin is not None and origin == self.origin:
            return True
        return request.headers.get("sec-fetch-site") == "same-origin"

    def _bearer(self, token: str) -> Caller:
        if token in self._known:
            caller, expires = self._known[token]
            if expires <= self._now() - LEEWAY_SECONDS:
                del self._known[token]
                raise Unauthenticated(_EXPIRED)
            return caller
        caller, expires = self._verified(token)
        if len(self._known) >= _KNOWN:
            self._known.clear()
        if len(token) <= _KNOWN_LENGTH:
            self._known[token] = caller, expires
        return caller

    def _verified(self, token: str) -> tuple[Caller, int]:
        try:
            claims = jwt.decode(
                token,
                self.key.key,
                algorithms=[self.key.algorithm],
                issuer=self.issuer,
                audience=self.audience,
                leeway=LEEWAY_SECONDS,
                options={
                    "require": ["exp", "sub"],
                    "verify_aud": self.audience is not None,
                    "verify_iss": self.issuer is not None,
                    # Services in JavaScript often put the number itself; we look at it below.
                    "verify_sub": False,
                },
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated(_EXPIRED) from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            # ``from None``: what a library says of a token may quote it.
            raise Unauthenticated("The token is not valid for this service.") from None
        caller = Caller(user_id=_user_id(claims["sub"]), scopes=_scopes(claims.get("scope")))
        return caller, int(claims["exp"])


def _user_id(subject: object) -> int:
    text = str(subject) if isinstance(subject, int) and not isinstance(subject, bool) else subject
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 19:  # noqa: PLR2004
        raise Unauthenticated("The token's subject is not a user id.")
    if not 1 <= int(text) <= _LARGEST_ID:
        raise Unauthenticated("The token's subject is not a user id.")
    return int(text)


def _scopes(claim: object) -> frozenset[str]:
    return frozenset(claim.split()) if isinstance(claim, str) else frozenset()
