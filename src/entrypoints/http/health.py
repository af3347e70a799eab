"""Whether the process lives, and whether it can do its work."""

from contextlib import suppress
from hmac import compare_digest
from typing import Any, Final

from litestar import MediaType, Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from domain.errors import DatabaseUnavailable
from domain.ports.database import DatabaseHealth
from entrypoints.http.injected import Injected
from entrypoints.http.openapi import METRICS_BEARER, Documented, answer, problems
from entrypoints.http.problems import problem
from entrypoints.http.schemas import Ok, Ready
from entrypoints.http.security import Unauthenticated
from entrypoints.settings import Settings
from entrypoints.telemetry.metrics import BEHIND, Exposition

_BEHIND_SECONDS: Final = 120
_RETRY: Final = {"Retry-After": "2"}


@get(
    "/health/live",
    operation_id="live",
    operation_class=Documented,
    summary="The process lives",
    tags=["operations"],
    responses={200: answer(Ok, "The process is up.")},
)
async def live() -> dict[str, str]:
    """Asks nothing of anybody, so it says nothing of the database or of Midtrans."""
    return {"status": "ok"}


@get(
    "/health/ready",
    operation_id="ready",
    operation_class=Documented,
    summary="The service can do its work",
    tags=["operations"],
    responses={200: answer(Ready, "The database is there and migrated."), **problems("database-unavailable")},
)
async def ready(health: Injected[DatabaseHealth]) -> Response[Any]:
    """200 when the database is reachable and migrated, else 503.

    ``background_work`` is ``behind`` when something has been due for over two minutes: nobody does it, it is
    stuck, or Midtrans does not answer. The API is still good then, so that is no reason to take it out.
    """
    condition = await health.condition()
    if condition.missing_migrations:
        detail = "The database lacks migrations; run bayar migrate."
        return problem("database-unavailable", detail, headers=_RETRY)
    behind = condition.behind_seconds
    state = Ready(
        status="ok",
        background_work="behind" if behind > _BEHIND_SECONDS else "ok",
        behind_seconds=round(behind),
    )
    return Response(state)


@get(
    "/metrics",
    operation_id="metrics",
    operation_class=Documented,
    summary="Prometheus metrics over all workers",
    response_description="The metrics in Prometheus's text format.",
    security=METRICS_BEARER,
    responses=problems("unauthenticated"),
    media_type=MediaType.TEXT,
    tags=["operations"],
)
async def metrics(
    request: Request[Any, Any, Any],
    settings: Injected[Settings],
    exposition: Injected[Exposition],
    health: Injected[DatabaseHealth],
) -> Response[bytes]:
    """Needs ``BAYAR_METRICS_TOKEN`` as bearer token where that is set."""
    wanted = settings.metrics_token
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    is_theirs = scheme.lower() == "bearer" and compare_digest(given.encode(), (wanted or "").encode())
    if wanted and not is_theirs:
        raise Unauthenticated("The metrics need their own bearer token.")
    with suppress(DatabaseUnavailable):  # the other metrics are told all the same
        BEHIND.set((await health.condition()).behind_seconds)
    return Response(exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})
