"""GET /v1/billing/payment-methods: the cards that pay, masked (I3)."""

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.lookups import billed_by
from billing.api.permissions import caller_of
from billing.api.serializers import AccountQuery
from billing.api.views.base import SEE_BILLING, ApiView
from billing.stripe_sync.queries import MaskedCard, payment_methods_of


class CardAnswer(msgspec.Struct, frozen=True):
    """A card: its brand, last four digits and expiry as month/year, and whether it is the one that is charged."""

    id: str
    brand: str
    last4: str
    exp: str
    default: bool


class PaymentMethodsAnswer(msgspec.Struct, frozen=True):
    """All cards of the account."""

    payment_methods: list[CardAnswer]


class PaymentMethods(ApiView):
    """GET /v1/billing/payment-methods"""

    scopes = {"GET": SEE_BILLING}

    @describe(
        "list_payment_methods",
        tag="Credits",
        summary="Cards of an account",
        answer=PaymentMethodsAnswer,
        query=AccountQuery,
    )
    def get(self, request: Request) -> Response:
        """They are added and removed in the customer portal alone."""
        query = AccountQuery.read(request)
        account = billed_by(caller_of(request), query.get("workspace")).account
        return Response(PaymentMethodsAnswer([_answer(card) for card in payment_methods_of(account.id)]))


def _answer(card: MaskedCard) -> CardAnswer:
    return CardAnswer(
        id=card.id,
        brand=card.brand,
        last4=card.last4,
        exp=f"{card.exp_month:02}/{card.exp_year % 100:02}",
        default=card.is_default,
    )
