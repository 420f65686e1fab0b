"""Pages of people: a failure becomes a page that says what happened, and takes back what was half done."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit

from sandbox.stripe.errors import StripeError
from sandbox.stripe.pages.rendering import notice
from sandbox.stripe.routing import Call, Page, PageHandler, page


def visit(method: str, path: str) -> Callable[[PageHandler], PageHandler]:
    """Serve a page; the API's errors are shown to the reader."""

    def register(handler: PageHandler) -> PageHandler:
        @wraps(handler)
        def safely(call: Call) -> Page:
            try:
                _require_own_form(call)
                with call.state.transaction():
                    return handler(call)
            except StripeError as error:
                title = "Page not found" if error.status == 404 else "That did not work"
                return notice(title, error.message, status=error.status)

        return page(method, path)(safely)

    return register


def _require_own_form(call: Call) -> None:
    """403 for a form that some other site sent through the visitor's browser."""
    origin = call.headers.get("origin")
    if call.method == "POST" and origin is not None and urlsplit(origin).netloc != call.headers.get("host"):
        raise StripeError("This form comes from another site.", status=403)


def text(call: Call, name: str) -> str:
    """A parameter of the query or form, "" where it was not sent."""
    value = call.parameters.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def redirect(address: str) -> Page:
    return Page(location=address)
