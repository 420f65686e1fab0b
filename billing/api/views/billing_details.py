"""GET, PUT /v1/billing/details: to whom invoices are made out (I1)."""

from datetime import datetime

import msgspec
from django.utils.timezone import now
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.lookups import billed_by
from billing.api.permissions import actor_of, caller_of
from billing.api.serializers import AccountQuery, Changes, Text
from billing.api.views.base import MANAGE_BILLING, SEE_BILLING, ApiView
from billing.invoices.models import BillingDetails
from billing.invoices.parties import DETAIL_FIELDS, billing_details
from billing.invoices.services.set_billing_details import set_billing_details
from billing.stripe_sync.queries import details_at_stripe
from billing.stripe_sync.tasks import queue_details


class ProcessorAnswer(msgspec.Struct, frozen=True):
    """Whether the card processor, which computes taxes, has these details: `state` is `waiting`, `taken` or `refused`.

    `problem` says what it does not take, `field` of which field; both are empty otherwise.
    """

    state: str
    field: str
    problem: str


class DetailsAnswer(msgspec.Struct, frozen=True):
    """Name, address and tax id as the next invoice prints them; empty where nothing was said.

    Where there is no name, invoices bear the tenant's. `country` is of ISO 3166-1; `updated_at` is `null` until
    something is said. `processor` is `null` while there is nothing for the card processor to have.
    """

    name: str
    line1: str
    line2: str
    postal_code: str
    city: str
    region: str
    country: str
    tax_id: str
    reference: str
    updated_at: datetime | None
    processor: ProcessorAnswer | None


class NewDetails(Changes):
    """What is to change, one field or more. A field that is left out stays as it is, an empty text takes it away."""

    name = Text(required=False, allow_blank=True, max_length=200, help_text="The legal name.")
    line1 = Text(required=False, allow_blank=True, max_length=200)
    line2 = Text(required=False, allow_blank=True, max_length=200)
    postal_code = Text(required=False, allow_blank=True, max_length=20)
    city = Text(required=False, allow_blank=True, max_length=100)
    region = Text(required=False, allow_blank=True, max_length=100)
    country = Text(required=False, allow_blank=True, max_length=2, help_text="ISO 3166-1, two letters.")
    tax_id = Text(required=False, allow_blank=True, max_length=40, help_text="Needs a country.")
    reference = Text(required=False, allow_blank=True, max_length=100, help_text="Printed as it is.")


class Details(ApiView):
    """/v1/billing/details"""

    scopes = {"GET": SEE_BILLING, "PUT": MANAGE_BILLING}

    @describe(
        "get_billing_details",
        tag="Invoices",
        summary="To whom invoices are made out",
        answer=DetailsAnswer,
        query=AccountQuery,
    )
    def get(self, request: Request) -> Response:
        """An issued invoice keeps what was said when it was issued."""
        query = AccountQuery.read(request)
        account = billed_by(caller_of(request), query.get("workspace")).account
        return Response(_answer(billing_details(account.id)))

    @describe(
        "set_billing_details",
        tag="Invoices",
        summary="Set to whom invoices are made out",
        answer=DetailsAnswer,
        body=NewDetails,
        query=AccountQuery,
    )
    def put(self, request: Request) -> Response:
        """Holds for the next invoice, and for the taxes on it once the card processor has taken them over. The shape of
        a tax id is checked for countries whose shapes are known.
        """
        query = AccountQuery.read(request)
        account = billed_by(caller_of(request), query.get("workspace")).account
        changes = NewDetails.read(request)
        details = set_billing_details(account_id=account.id, changes=changes, at=now(), actor=actor_of(request))
        queue_details(account.id)
        return Response(_answer(details))


def _answer(details: BillingDetails) -> DetailsAnswer:
    said = {name: getattr(details, name) for name in DETAIL_FIELDS}
    there = details_at_stripe(details.account_id)
    processor = None if there is None else ProcessorAnswer(there.state, there.field, there.problem)
    return DetailsAnswer(**said, updated_at=details.updated_at, processor=processor)
