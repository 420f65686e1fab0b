"""Bodies of unknown length, which WSGI in Django takes for empty ones."""

import io
from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ChunkedBodies:
    """Reads a chunked body, up to one byte more than is allowed, and gives it the length that it has.

    The byte too many makes whoever parses the body refuse it as too large.
    """

    def __init__(self, application: Application, *, limit: int) -> None:
        self._application = application
        self._limit = limit

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        chunked = environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
        if chunked and not environ.get("CONTENT_LENGTH"):
            body = environ["wsgi.input"].read(self._limit + 1)
            environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return self._application(environ, start_response)
