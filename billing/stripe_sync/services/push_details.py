from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import stripe
import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from billing.invoices.models import BillingDetails
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.customer_details import customer_changes, is_there, tax_ids_to_go, wanted_tax_id
from billing.stripe_sync.errors import is_gone, is_outage, told
from billing.stripe_sync.mirror import mirror
from billing.stripe_sync.models import RefusedDetails, StripeCustomer
from billing.stripe_sync.remote import read_customer, read_tax_ids
from billing.stripe_sync.services.sync_customer import lock_customer

_log = structlog.get_logger(__name__)
_LEASE = timedelta(minutes=5)  # in which whoever took it is done, or dead


def push_details(*, account_id: UUID, at: datetime, again: bool = False) -> bool:
    """Let the account's customer at Stripe have its billing details, by which Stripe taxes it (I1); whether it did.

    Nothing where there is no customer, where Stripe has what was said last (unless `again`), and while somebody else is
    at it, who goes on until nothing is newer. Nothing is locked while Stripe is asked. What Stripe refuses is noted
    for the member and for staff; the rest takes effect. Raises StripeNotConfigured, stripe.StripeError: the periodic
    work tries again.
    """
    done = False
    while taken := _take(account_id, at, again=again):
        customer, details = taken
        refused = None
        try:
            refused = _push(customer, details)
        finally:
            _give_back(customer, details, refused)
        if refused is None:
            break
        done, again = True, False
    return done


def push_waiting_details(*, at: datetime) -> int:
    """Do so for every account whose details Stripe lacks; answers how many have them now.

    One that fails does not stop the others, an outage stops the run. Raises StripeNotConfigured, stripe.StripeError.
    """
    pushed = 0
    for account_id in list(_waiting().order_by("account_id").values_list("account_id", flat=True)):
        try:
            pushed += push_details(account_id=account_id, at=at)
        except stripe.StripeError as error:
            if is_outage(error):
                raise
            _log.warning("details_not_pushed", account=str(account_id), error=told(error))
    return pushed


def _waiting() -> QuerySet[StripeCustomer]:
    return StripeCustomer.objects.filter(deleted_at=None, account__details__revision__gt=F("details_revision"))


@transaction.atomic
def _take(account_id: UUID, at: datetime, *, again: bool) -> tuple[StripeCustomer, BillingDetails] | None:
    """The customer and what it should have, leased; two pushes at once could leave the older details there."""
    details = BillingDetails.objects.select_related("account__tenant").filter(account_id=account_id).first()
    is_waiting = again or _waiting().filter(account_id=account_id).exists()  # who reads Stripe now is not waited for
    customer = lock_customer(account_id) if details is not None and is_waiting else None
    if details is None or customer is None or customer.deleted_at is not None:
        return None
    is_leased = customer.details_leased_until is not None and customer.details_leased_until > at
    details.refresh_from_db(fields=[field.name for field in BillingDetails._meta.concrete_fields])
    if is_leased or not (again or details.revision > customer.details_revision):
        return None
    customer.details_leased_until = at + _LEASE
    customer.save(update_fields=["details_leased_until"])
    return customer, details


@transaction.atomic
def _give_back(customer: StripeCustomer, details: BillingDetails, refused: str | None) -> None:
    """End the lease, and note what became of it; `refused` is None where that is not known."""
    row = lock_customer(customer.account_id)
    if row is None or row.details_leased_until != customer.details_leased_until:
        return
    row.details_leased_until = None
    if refused is not None and row.customer_id == customer.customer_id:
        row.details_revision, row.details_refused = details.revision, refused
    row.save(update_fields=["details_leased_until", "details_revision", "details_refused"])


def _push(customer: StripeCustomer, details: BillingDetails) -> str | None:
    """What Stripe refused of it, empty for nothing; None where it has no such customer any more."""
    client = stripe_client()
    remote = read_customer(client, customer.customer_id)
    if remote is None:
        return None
    refused = _change_customer(client, remote, details)
    return _change_tax_ids(client, remote, details) or refused


def _change_customer(client: stripe.StripeClient, remote: stripe.Customer, details: BillingDetails) -> str:
    changes: Any = customer_changes(details.account, details, remote)
    if not changes:
        return ""
    try:
        changed = client.v1.customers.update(remote.id, changes)
        if "address" in customer_changes(details.account, details, changed):  # parts that were not sent are still there
            client.v1.customers.update(remote.id, {"address": ""})
            changed = client.v1.customers.update(remote.id, changes)
        mirror(changed)
    except stripe.InvalidRequestError as error:
        _note_refusal(remote, error)
        client.v1.customers.update(remote.id, {"metadata": changes.get("metadata", {})})
        return RefusedDetails.CUSTOMER.value
    return ""


def _change_tax_ids(client: stripe.StripeClient, remote: stripe.Customer, details: BillingDetails) -> str:
    """The new one first, so that the customer is never without; a refused one is not worth the old one's staying."""
    there, refused = read_tax_ids(client, remote.id), ""
    wanted = wanted_tax_id(details)
    if wanted is not None and not is_there(wanted, there):
        try:
            new: Any = wanted._asdict()
            client.v1.customers.tax_ids.create(remote.id, new)
        except stripe.InvalidRequestError as error:
            _note_refusal(remote, error)
            refused = RefusedDetails.TAX_ID.value
    for key in tax_ids_to_go(details, remote, there):
        try:
            client.v1.customers.tax_ids.delete(remote.id, key)
        except stripe.InvalidRequestError as error:
            if not is_gone(error):
                raise
    return refused


def _note_refusal(remote: stripe.Customer, error: stripe.InvalidRequestError) -> None:
    """Which part it was, not what it says. Raises the error where there is no such customer any more."""
    if is_gone(error):
        raise error
    _log.warning("details_refused", customer=remote.id, code=error.code, param=error.param)
