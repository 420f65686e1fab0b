"""What else speaks of documents: e-mails that told of them, and money that moved for them. Both stay for ever (I1)."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from billing.core.money import minor_unit
from billing.credits.models import Transfer
from billing.invoices.models import Invoice
from billing.invoices.services.tell_of_document import sealed_as
from billing.notifications.kinds import Kind
from billing.notifications.models import Notice
from billing.subscriptions.models import BillingAccount

_SEAL = re.compile(sealed_as("[0-9a-f]{64}"))
_TOLD = (Kind.INVOICE_READY, Kind.CREDIT_NOTE)


def told_findings(tenant_ids: Iterable[UUID]) -> Iterator[str]:
    """Documents that a tenant was told of and that are not there, even where nothing came after them, or bear another
    seal than the e-mail said; two queries.
    """
    tenants = list(tenant_ids)
    documents = Invoice.objects.filter(account__tenant_id__in=tenants).values_list("id", "content_hash")
    seals = {document_id.hex: content_hash for document_id, content_hash in documents.iterator()}
    notices = Notice.objects.filter(tenant_id__in=tenants, kind__in=[kind.value for kind in _TOLD]).order_by("id")
    for key, subject, body in notices.values_list("key", "subject", "body").iterator():
        seal = seals.get(key.rpartition(":")[2])
        said = _SEAL.search(body)
        if seal is None:
            yield f"A document that the tenant was told of is not there: “{subject}”."
        elif said is not None and said[0] != sealed_as(seal):
            yield f"The tenant was told of another document than there is: “{subject}”, {said[0]}."


def credit_note_findings(account: BillingAccount) -> Iterator[str]:
    """Credit notes of staff, against the money that moved for them: off what was owed, and as credits; two queries."""
    moved: dict[str, list[Decimal]] = {}
    grant = f"grant:{account.credits_id}:credit-note:"
    keys = Q(idempotency_key__startswith="credit-note:", credit_account_id=account.receivable_id)
    transfers = Transfer.objects.filter(keys | Q(idempotency_key__startswith=grant, credit_account=account.credits_id))
    for key, amount in transfers.values_list("idempotency_key", "amount"):
        is_grant = key.startswith(grant)
        document = key.removeprefix(grant).removeprefix("credit-note:").removesuffix(":owed")
        moved.setdefault(document, [Decimal(0), Decimal(0)])[is_grant] += amount
    unit = minor_unit(account.currency)
    notes = Invoice.objects.filter(account_id=account.id, reason=Invoice.Reason.GOODWILL)
    said = {str(note.id): note for note in notes}
    for document in sorted(set(moved) - set(said)):
        yield f"{account}: {sum(moved[document])} {account.currency} moved for a credit note that is not there."
    for document, note in said.items():
        off_debt, as_credits = moved.get(document, [Decimal(0), Decimal(0)])
        # What was owed to less than a minor unit was taken off whole.
        if as_credits != note.as_credits or abs(off_debt - note.off_debt) >= unit:
            yield f"{note.number}: it says {note.off_debt} and {note.as_credits}, {off_debt} and {as_credits} moved."
