"""What the page tells the browser: to load and send nothing but this server's own."""

from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

Endpoint = Callable[[Request], Awaitable[Response]]


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint, its answer with the page's headers; those that it has of its own stay."""

    async def answer(request: Request) -> Response:
        response = await endpoint(request)
        own = dict(response.headers)
        response.headers.update({**HEADERS, **own})
        return response

    return answer


def refusal(status: int, message: str) -> JSONResponse:
    """An answer that says why not."""
    return JSONResponse({"message": message}, status_code=status, headers=dict(HEADERS))


def static_file(name: str) -> Response:
    """A file of the page."""
    file = files("infra.local.status").joinpath("static", name)
    suffix = f".{name.rpartition('.')[2]}"
    if "/" in name or suffix not in TYPES or not file.is_file():
        return refusal(404, f"The page has no file {name!r}.")
    return Response(file.read_bytes(), media_type=TYPES[suffix])
