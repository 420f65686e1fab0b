"""What every view of the API shares."""

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants.permissions import Permission

Scopes = Mapping[str, tuple[Permission, ...]]

SEE_BILLING = (Permission.BILLING_VIEW, Permission.BILLING_MANAGE)
MANAGE_BILLING = (Permission.BILLING_MANAGE,)


class _View(APIView):
    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """Which methods there are is in the header Allow."""
        return Response(status=204)


class ApiView(_View):
    """A view that needs a key with one of its `scopes`; what it answers is kept by no cache."""

    scopes: ClassVar[Scopes] = {}

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)


class PublicView(_View):
    """A view for everybody, that caches may keep for a minute."""

    authentication_classes = ()
    permission_classes = ()


def public_answer(request: Request, body: bytes) -> HttpResponseBase:
    """A JSON body with its entity tag; 304 without a body for a client that has it already."""
    response = HttpResponse(body, content_type="application/json")
    response["ETag"] = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    response["Cache-Control"] = "public, max-age=60"
    return get_conditional_response(request._request, etag=response["ETag"], response=response) or response
