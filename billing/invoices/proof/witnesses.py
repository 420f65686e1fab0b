"""What else speaks of documents: e-mails that told of them, and money that moved for them. Both stay for ever (I1)."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from billing.core.money import minor_unit
from billing.credits.models import Transfer
from billing.invoices.models import Invoice
from billing.notifications.kinds import Kind
from billing.notifications.models import Notice
from billing.subscriptions.models import BillingAccount

_TOLD = (Kind.INVOICE_READY, Kind.CREDIT_NOTE)


def told_findings(tenant_ids: Iterable[UUID]) -> Iterator[str]:
    """Documents that a tenant was told of and that are not there, even where nothing came after them; two queries."""
    tenants = list(tenant_ids)
    notices = Notice.objects.filter(tenant_id__in=tenants, kind__in=[kind.value for kind in _TOLD])
    told = {key.rpartition(":")[2]: subject for key, subject in notices.values_list("key", "subject")}
    documents = Invoice.objects.filter(account__tenant_id__in=tenants).values_list("id", flat=True)
    known = {document_id.hex for document_id in documents.iterator()}
    for missing in sorted(set(told) - known):
        yield f"A document that the tenant was told of is not there: “{told[missing]}”."


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
