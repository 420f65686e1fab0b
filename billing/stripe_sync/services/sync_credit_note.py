from datetime import datetime

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.reading import as_id
from billing.stripe_sync.services.sync_invoice import sync_invoice


def sync_credit_note(*, note_id: str, at: datetime) -> bool:
    """Read afresh the invoice that a credit note of Stripe's is on, with all its notes; whether it is ours (S4, I1).

    So it does not matter what is heard of first, nor how often. Raises what `sync_invoice` raises.
    """
    note = stripe_client().v1.credit_notes.retrieve(note_id)
    return sync_invoice(invoice_id=as_id(note.invoice), at=at)
