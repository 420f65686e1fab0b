"""/v1/billing/invoices: issued invoices and credit notes, and where their payment stands (I1, I2)."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.fields import InstantField
from billing.api.invoice_answers import InvoiceAnswer, InvoicesAnswer, invoice_answer, invoice_row
from billing.api.lookups import billed_by, nothing_here
from billing.api.pagination import encode_cursor, paged, time_and_id_of
from billing.api.permissions import caller_of
from billing.api.serializers import AccountPageQuery, Query
from billing.api.views.base import SEE_BILLING, ApiView
from billing.core.ids import InvalidId
from billing.invoices.models import Invoice, InvoicePayment
from billing.invoices.queries import (
    Document,
    DocumentFilter,
    documents_of,
    find_document,
    lines_of,
    read_public_id,
)


class InvoicesQuery(AccountPageQuery):
    """Which documents, and which page of them."""

    status = serializers.ChoiceField(
        required=False, choices=InvoicePayment.Status.values, help_text="By payment; credit notes have none."
    )
    kind = serializers.ChoiceField(default=Invoice.Kind.INVOICE.value, choices=Invoice.Kind.values)

    def get_fields(self) -> dict[str, Any]:
        """`from` is no name for an attribute."""
        return super().get_fields() | {
            "from": InstantField(required=False, help_text="Issued at this time or later."),
            "to": InstantField(required=False, help_text="Issued before this time."),
        }


class Invoices(ApiView):
    """GET /v1/billing/invoices"""

    scopes = {"GET": SEE_BILLING}

    @describe("list_invoices", tag="Invoices", summary="Invoices", answer=InvoicesAnswer, query=InvoicesQuery)
    def get(self, request: Request) -> Response:
        """Of one billing account, or its credit notes. A tenant-wide key lists those of the tenant's default account
        unless `?workspace=` names a workspace that another one pays for.
        """
        query = InvoicesQuery.read(request)
        account = billed_by(caller_of(request), query.get("workspace")).account
        chosen = DocumentFilter(query["kind"], query.get("status", ""), query.get("from"), query.get("to"))
        documents = documents_of(account.id, limit=query["limit"] + 1, before=time_and_id_of(query), chosen=chosen)
        return Response(InvoicesAnswer(*paged(documents, query["limit"], invoice_row, _position)))


class InvoiceDetail(ApiView):
    """GET /v1/billing/invoices/{invoice_id}"""

    scopes = {"GET": SEE_BILLING}

    @describe("get_invoice", tag="Invoices", summary="An invoice or a credit note", answer=InvoiceAnswer)
    def get(self, request: Request, invoice_id: str) -> Response:
        """Of any account that the key can see: `inv_…` is an invoice, `cn_…` a credit note."""
        Query.read(request)
        document = document_named(request, invoice_id)
        return Response(invoice_answer(document, lines_of(document.invoice)))


def document_named(request: Request, text: str) -> Document:
    """The document with this id. Raises the problem not-found where the key sees none."""
    caller = caller_of(request)
    try:
        kind, document_id = read_public_id(text)
    except InvalidId:
        raise nothing_here() from None
    document = find_document(document_id, tenant_id=caller.tenant_id, workspace_id=caller.workspace_id, kind=kind)
    if document is None:
        raise nothing_here()
    return document


def _position(document: Document) -> str:
    return encode_cursor(document.invoice.id, document.invoice.issued_at)
