from billing.stripe_sync.models.arrears import ArrearsInvoice
from billing.stripe_sync.models.catalogue import StripeMeter, StripePrice
from billing.stripe_sync.models.checkout import CheckoutSession
from billing.stripe_sync.models.customer import RefusedDetails, StripeCustomer
from billing.stripe_sync.models.drift import DriftFinding
from billing.stripe_sync.models.inbox import InboxEvent
from billing.stripe_sync.models.meter_report import MeterReport
from billing.stripe_sync.models.quote import ChangeQuote
from billing.stripe_sync.models.settlement import InvoiceSettlement

__all__ = [
    "ArrearsInvoice",
    "ChangeQuote",
    "CheckoutSession",
    "DriftFinding",
    "InboxEvent",
    "InvoiceSettlement",
    "MeterReport",
    "RefusedDetails",
    "StripeCustomer",
    "StripeMeter",
    "StripePrice",
]
