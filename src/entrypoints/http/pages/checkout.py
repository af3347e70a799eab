"""The page that a customer pays on."""

from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response, Router, get
from litestar.exceptions import HTTPException, NotFoundException
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from domain.ports.clock import Clock
from entrypoints.http import problems
from entrypoints.http.address import CHECKOUT_PATH
from entrypoints.http.injected import Injected
from entrypoints.http.openapi import Documented, page_answer
from entrypoints.http.pages.assets import asset, serve_asset
from entrypoints.http.pages.language import Language, preferred
from entrypoints.http.pages.view import checkout_view
from entrypoints.http.pages.words import WORDS
from entrypoints.http.qr import QrCode
from entrypoints.http.viewing import Viewing
from entrypoints.settings import Settings
from entrypoints.web_address import origin_of

_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.globals["asset"] = asset
_CHECKOUT, _CLOSED = _PAGES.get_template("checkout.html"), _PAGES.get_template("closed.html")


@get(
    "/{token:str}",
    operation_id="showCheckout",
    operation_class=Documented,
    summary="The page that a customer pays on",
    response_description="The page, in Indonesian or English as the browser prefers.",
    media_type=MediaType.HTML,
    tags=["checkout"],
    responses={
        404: page_answer("A page that says so: the token opens nothing, or nothing any more."),
        503: page_answer("A page that says so: the database is away."),
    },
)
async def show_checkout(
    request: Request[Any, Any, Any],
    token: Annotated[
        str,
        PathParameter(
            description="The payment's checkout token, the last part of its `checkout_url`.",
            examples=[Example(value="k3mJ9s-Vq0Xb7TzR2pLw8nYd5cHf1aGe")],
        ),
    ],
    viewing: Injected[Viewing],
    settings: Injected[Settings],
    qr_code: Injected[QrCode],
    clock: Injected[Clock],
) -> Response[str]:
    """Merchant, amount, QR, time left, the way into the app on a phone, and what became of it as it happens.

    Whoever has the address may look, until 24 hours after the payment's end; nothing can be changed here.
    """
    if _way_up(request):
        raise NotFoundException
    payment = await viewing.by_token(token)
    language = _language(request)
    view = checkout_view(
        payment,
        words=WORDS[language],
        merchant=settings.merchant_name,
        qr_code=qr_code,
        now=clock.now(),
    )
    stream = f"../api/payments/{quote(payment.order_id, safe='')}/stream?{urlencode({'token': token})}"
    html = _CHECKOUT.render(
        language=language, words=WORDS[language], view=view, stream=stream, here=token, up=""
    )
    return Response(html, media_type=MediaType.HTML, headers=_headers(picture=view.qr_picture))


def say_why(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """A page for whatever kept the checkout page from its customer; the status is the problem's."""
    problem = problems.answer(request, error)
    language = _language(request)
    words = WORDS[language]
    sentences = {"not-found": words.gone, "database-unavailable": words.away}
    told = sentences.get(problem.content.code, words.broken)
    return Response(
        _CLOSED.render(language=language, told=told, up=_way_up(request)),
        status_code=problem.status_code,
        media_type=MediaType.HTML,
        headers=problem.headers | _headers(),
    )


def _way_up(request: Request[Any, Any, Any]) -> str:
    """From the address as the browser has it to where a checkout page is; the router overlooks slashes."""
    return "../" * (request.scope["raw_path"].count(b"/") - CHECKOUT_PATH.count("/") - 1)


def _language(request: Request[Any, Any, Any]) -> Language:
    return preferred(request.headers.get("accept-language", ""))


def _headers(*, picture: str | None = None) -> dict[str, str]:
    """Nothing is run, loaded or sent anywhere but to us; ``picture`` is Midtrans's, where that is the QR."""
    pictures = f"'self' {origin_of(picture)}" if picture else "'self'"
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            f"img-src {pictures}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
        "X-Robots-Tag": "noindex",
    }


def checkout_routes() -> Router:
    return Router(
        path=CHECKOUT_PATH,
        route_handlers=[show_checkout, serve_asset],
        exception_handlers={HTTPException: say_why, Exception: say_why},
    )
