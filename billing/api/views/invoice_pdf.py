"""GET /v1/billing/invoices/{invoice_id}.pdf: a document as a file (I2)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from billing.api.renderers import StructRenderer
from billing.api.serializers import Query
from billing.api.views.base import SEE_BILLING, ApiView
from billing.api.views.invoices import document_named
from billing.invoices.documents.pdf import render_pdf
from billing.invoices.documents.reading import document_facts
from billing.invoices.queries import lines_of


class PdfRenderer(BaseRenderer):
    """Names the media type, so that callers may ask for it; the view itself makes the file."""

    media_type = "application/pdf"
    format = "pdf"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return bytes(data or b"")


class InvoicePdf(ApiView):
    """GET /v1/billing/invoices/{invoice_id}.pdf"""

    scopes = {"GET": SEE_BILLING}
    renderer_classes = (PdfRenderer, StructRenderer)

    @extend_schema(
        operation_id="get_invoice_pdf",
        tags=["Invoices"],
        summary="An invoice or a credit note as PDF",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, invoice_id: str) -> HttpResponse:
        """The document, and nothing of its payment. Its entity tag is the hash that seals it: a copy that a client has
        stays good.
        """
        Query.read(request)
        invoice = document_named(request, invoice_id).invoice
        tag = f'"{invoice.content_hash}"'
        response = get_conditional_response(request._request, etag=tag)
        if response is None:
            facts = document_facts(invoice, lines_of(invoice))
            response = HttpResponse(render_pdf(facts), content_type="application/pdf")
            response["Content-Disposition"] = f'attachment; filename="{facts.file_name}.pdf"'
        response["ETag"], response["Cache-Control"] = tag, "private, no-cache"
        patch_vary_headers(response, ["Authorization"])
        return response
