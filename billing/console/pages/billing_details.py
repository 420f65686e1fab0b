"""The page of billing details: the form, and how the next invoice will look with them."""

from dataclasses import dataclass

from billing.console.details_form import DetailsForm
from billing.invoices.documents.facts import PartyFacts
from billing.invoices.documents.reading import customer_party, seller_party
from billing.invoices.parties import billing_details, customer_facts, seller_facts
from billing.stripe_sync.queries import DetailsAtStripe, details_at_stripe
from billing.subscriptions.models import BillingAccount


@dataclass(frozen=True, slots=True)
class DetailsPage:
    """`seller` and `customer` as the next invoice bears them; `processor` is whether Stripe has the details."""

    form: DetailsForm
    seller: PartyFacts
    customer: PartyFacts
    processor: DetailsAtStripe | None


def details_page(account: BillingAccount, *, form: DetailsForm | None = None) -> DetailsPage:
    """Read the page of an account; `form` is one that was refused."""
    return DetailsPage(
        form=form or DetailsForm(details=billing_details(account.id)),
        seller=seller_party(seller_facts()),
        customer=customer_party(customer_facts(account)),
        processor=details_at_stripe(account.id),
    )
