"""The demo's finished project: what its pages of invoices show."""

import pytest
from django.utils.timezone import now

from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.services.verify_invoices import verify_invoices
from sandbox.demo.people import DEMO_TENANT, create_tenants
from sandbox.demo.pilot import add_pilot
from tenants.models import Tenant


@pytest.mark.usefixtures("catalogue")
def test_two_invoices_and_a_credit_note() -> None:
    """I1, U6: one paid from credits, one with late usage and something due, and a correction; made once."""
    at = now()
    create_tenants(at=at)
    tenant = Tenant.objects.get(slug=DEMO_TENANT)
    add_pilot(tenant, at=at)
    add_pilot(tenant, at=at)
    first, second, note = Invoice.objects.filter(account__name="Pilot").order_by("position")
    assert (first.amount_due, second.amount_due > 0, note.corrects_id) == (0, True, second.id)
    assert InvoiceLine.objects.filter(invoice=second, kind="adjustment").count() == 1
    assert Invoice.objects.exclude(account__name="Pilot").count() == 0
    assert verify_invoices() == []
