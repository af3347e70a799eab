import re
import time
from typing import Final

import jwt
import rich_click as click

from entrypoints.settings import SettingsError, from_environment

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LARGEST_ID: Final = 2**63 - 1


class _Duration(click.ParamType[int]):
    name = "duration"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", value)
        if found is None:
            self.fail(f"{value!r} is not a duration such as 15m, 1h or 7d", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


@click.command()
@click.option("--user", required=True, type=click.IntRange(1, _LARGEST_ID), help="The user's id in users.")
@click.option("--scope", "scopes", multiple=True, help="A scope, such as payments:any; may be repeated.")
@click.option("--ttl", default="1h", show_default=True, type=_Duration(), help="How long it is valid.")
def token(user: int, scopes: tuple[str, ...], ttl: int) -> None:
    """Print a bearer token, signed with AUTH_JWT_SECRET.

    Example: bayar token --user 1 --scope payments:any --ttl 15m
    """
    settings = from_environment(needs=("AUTH_JWT_SECRET",))
    if settings.token_key is None or not isinstance(settings.token_key.key, str):
        raise SettingsError("AUTH_JWT_SECRET is not set; .env.example explains it.")
    now = int(time.time())
    claims: dict[str, object] = {"sub": str(user), "iat": now, "exp": now + ttl}
    if scopes:
        claims["scope"] = " ".join(scopes)
    if settings.token_issuer:
        claims["iss"] = settings.token_issuer
    if settings.token_audience:
        claims["aud"] = settings.token_audience
    click.echo(jwt.encode(claims, settings.token_key.key, algorithm=settings.token_key.algorithm))
