"""GET /v1/openapi.json and /v1/docs: what the API is, for programs and for people."""

from functools import cache

from django.http import HttpResponseBase
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request

from billing.api.renderers import encode
from billing.api.views.base import PublicView, public_answer


class OpenApiDocument(PublicView):
    """GET /v1/openapi.json"""

    schema = None

    def get(self, request: Request) -> HttpResponseBase:
        """Made once a process: it changes with the code alone."""
        return public_answer(request, document())


class Docs(SpectacularSwaggerSplitView):
    """GET /v1/docs. The page's script is a request of its own, so that none stands in the page."""

    url_name = "api-document"
    http_method_names = ("get", "head")


@cache
def document() -> bytes:
    """The OpenAPI document as JSON."""
    return encode(SchemaGenerator().get_schema(request=None, public=True))
