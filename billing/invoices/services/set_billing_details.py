from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.core.problems import FieldError, problem
from billing.invoices.countries import COUNTRIES
from billing.invoices.documents.formats import plain
from billing.invoices.models import BillingDetails
from billing.invoices.parties import DETAIL_FIELDS, LONGEST, billing_details
from billing.invoices.tax_ids import tax_id_problem
from billing.subscriptions.models import BillingAccount
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def set_billing_details(*, account_id: UUID, changes: Mapping[str, str], at: datetime, actor: Actor) -> BillingDetails:
    """Set to whom an account's next invoices are made out; what was issued before stays as it is (I1).

    `changes` are some of `DETAIL_FIELDS`, an empty text takes one away. What changes nothing writes nothing. The audit
    log names the fields alone: it keeps what it has for ever, and an address may be a person's.
    Raises Problem: invalid-request with each field that is wrong.
    """
    account = BillingAccount.objects.select_for_update(no_key=True).get(id=account_id)
    details = billing_details(account_id)
    wanted = {name: plain(changes[name]) for name in DETAIL_FIELDS if name in changes}
    if "country" in wanted:
        wanted["country"] = wanted["country"].upper()
    changed = {name: value for name, value in wanted.items() if value != getattr(details, name)}
    for name, value in changed.items():
        setattr(details, name, value)
    errors = (*_invisible(changes, wanted), *_errors(details))
    if errors:
        raise problem("invalid-request", " ".join(error.detail for error in errors), errors=errors)
    if changed:
        details.revision += 1
        details.updated_at = at
        details.save()
        record_audit(
            tenant_id=account.tenant_id,
            actor=actor,
            action="billing_details.changed",
            target=encode_id("acc", account_id),
            at=at,
            detail={"changed": sorted(changed)},
        )
    return details


def _invisible(changes: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[FieldError]:
    """Texts of which nothing can be printed: only an empty one takes a field away."""
    for name, text in wanted.items():
        if changes[name].strip() and not text:
            yield FieldError(name, "invalid", "None of these characters can be printed.")


def _errors(details: BillingDetails) -> Iterator[FieldError]:
    for name in DETAIL_FIELDS:
        if len(getattr(details, name)) > LONGEST[name]:
            yield FieldError(name, "max-length", f"This has at most {LONGEST[name]} characters.")
    if details.country and details.country not in COUNTRIES:
        yield FieldError("country", "invalid", "A country is two letters of ISO 3166-1, such as DE or US.")
    elif details.tax_id and not details.country:
        yield FieldError("country", "required", "Say which country’s tax id it is.")
    elif details.tax_id and (wrong := tax_id_problem(details.tax_id, details.country)):
        yield FieldError("tax_id", "invalid", wrong)
