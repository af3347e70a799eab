"""The style, the script and the icon of the customer's pages: our own, and nothing from elsewhere."""

from hashlib import sha256
from pathlib import Path
from typing import Final

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

_STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_FILES: Final = {file.name: file.read_bytes() for file in _STATIC.iterdir() if file.suffix in _TYPES}
_VERSIONS: Final = {name: sha256(content).hexdigest()[:16] for name, content in _FILES.items()}


def asset(name: str) -> str:
    """Where a file is, as seen from a checkout page; another content has another address."""
    return f"assets/{name}?v={_VERSIONS[name]}"


@get("/assets/{name:str}", include_in_schema=False)
async def serve_asset(name: FromPath[str], v: FromQuery[str] = "") -> Response[bytes]:
    """The file as it is now: two releases may run side by side, so another version's address works too."""
    content = _FILES.get(name)
    if content is None:
        raise NotFoundException
    is_same = v == _VERSIONS[name]
    return Response(
        content,
        media_type=_TYPES[Path(name).suffix],
        headers={"Cache-Control": "public, max-age=31536000, immutable" if is_same else "no-cache"},
    )
