"""One invoice or credit note: the document, its payment, and paying it (I1, I2)."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.invoice import invoice_page, pay_page
from billing.console.rendering import is_swap, render_page
from billing.core.problems import Problem
from billing.invoices.documents.pdf import render_pdf
from billing.invoices.documents.reading import document_facts
from billing.invoices.queries import Document, find_document, lines_of
from billing.stripe_sync.services.pay_invoice import pay_invoice
from tenants.permissions import Permission
from tenants.services.record_audit import Actor


@require_safe
@member_page(Permission.BILLING_VIEW)
def invoice(request: ConsoleRequest, member: Member, document_id: UUID) -> HttpResponse:
    """The page of a document of the account; 404 for another's."""
    page = invoice_page(_found(member, document_id))
    return render_page(request, member, "console/invoice.html", page)


@require_safe
@member_page(Permission.BILLING_VIEW)
def pdf(request: ConsoleRequest, member: Member, document_id: UUID) -> HttpResponseBase:
    """The document as a file, to look at; its entity tag is the hash that seals it."""
    found = _found(member, document_id).invoice
    tag = f'"{found.content_hash}"'
    response = get_conditional_response(request, etag=tag)
    if response is None:
        facts = document_facts(found, lines_of(found))
        response = HttpResponse(render_pdf(facts), content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="{facts.file_name}.pdf"'
    response["ETag"], response["Cache-Control"] = tag, "private, no-cache"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.BILLING_MANAGE)
def pay(request: ConsoleRequest, member: Member, document_id: UUID) -> HttpResponse:
    """Ask, and on a POST pay what is open of an invoice; 404 for another account's."""
    document, at = _found(member, document_id), now()
    if not document.remaining:
        return _leave(request, document)
    if request.method != "POST":
        return _ask(request, member, document, at)
    try:
        url = pay_invoice(
            account_id=member.account.id, invoice_id=document_id, at=at, actor=Actor(user_id=member.user.id)
        )
    except Problem as problem:
        left = _found(member, document_id)
        return _ask(request, member, left, at, problem=problem) if left.remaining else _leave(request, left)
    if url:
        return redirect(url)
    _tell(request, _found(member, document_id))
    return redirect("console:invoice", document_id)


def _tell(request: ConsoleRequest, document: Document) -> None:
    number = document.invoice.number
    if document.remaining:
        messages.info(request, f"The payment of {number} is under way. This page shows it as soon as it has arrived.")
    else:
        messages.success(request, f"{number} is paid. Thank you.")


def _ask(
    request: ConsoleRequest, member: Member, document: Document, at: datetime, *, problem: Problem | None = None
) -> HttpResponse:
    page = pay_page(member.account, document, at, in_dialog=is_swap(request), problem=problem)
    status = problem.status if problem is not None else 200
    fragment = "console/invoices/_question.html"
    return render_page(request, member, "console/invoices/pay.html", page, fragment=fragment, status=status)


def _leave(request: ConsoleRequest, document: Document) -> HttpResponse:
    """Back to the document: it was paid meanwhile, or nothing of it is asked for."""
    messages.info(request, f"Nothing of {document.invoice.number} is left to pay.")
    url = reverse("console:invoice", args=[document.invoice.id])
    return HttpResponseClientRedirect(url) if is_swap(request) else redirect(url)


def _found(member: Member, document_id: UUID) -> Document:
    """The account's document, else 404."""
    document = find_document(document_id, tenant_id=member.account.tenant_id)
    if document is None or document.invoice.account_id != member.account.id:
        raise Http404
    return document
