"""GET /v1/billing/ledger: movements of an account's money."""

from datetime import datetime

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.describe import describe
from billing.api.figures import Amount, amount
from billing.api.lookups import billed_by
from billing.api.pagination import encode_cursor, paged, time_and_id_of
from billing.api.permissions import caller_of
from billing.api.serializers import AccountPageQuery
from billing.api.views.base import SEE_BILLING, ApiView
from billing.core.ids import encode_id
from billing.credits.queries import LedgerEntry, ledger_of


class EntryAnswer(msgspec.Struct, frozen=True):
    """A movement: positive amounts came in, negative ones went out.

    `account` is `credits` where prepaid credits moved, `owed` where what goes on the next invoice did.
    """

    id: str
    at: datetime
    reason: str
    description: str
    currency: str
    amount: Amount
    account: str


class LedgerAnswer(msgspec.Struct, frozen=True):
    """A page of the ledger, the latest first."""

    results: list[EntryAnswer]
    next: str | None


class Ledger(ApiView):
    """GET /v1/billing/ledger"""

    scopes = {"GET": SEE_BILLING}

    @describe(
        "list_ledger",
        tag="Credits",
        summary="Movements of credits, and of what is owed",
        answer=LedgerAnswer,
        query=AccountPageQuery,
    )
    def get(self, request: Request) -> Response:
        """Holds are not listed until they are settled; the balance tells what is held."""
        query = AccountPageQuery.read(request)
        account = billed_by(caller_of(request), query.get("workspace")).account

        def answer(entry: LedgerEntry) -> EntryAnswer:
            return EntryAnswer(
                id=encode_id("tr", entry.id),
                at=entry.at,
                reason=entry.reason,
                description=entry.description,
                currency=account.currency,
                amount=amount(entry.amount),
                account=entry.account,
            )

        entries = ledger_of(
            credits_id=account.credits_id,
            receivable_id=account.receivable_id,
            limit=query["limit"] + 1,
            before=time_and_id_of(query),
        )
        return Response(LedgerAnswer(*paged(entries, query["limit"], answer, lambda e: encode_cursor(e.id, e.at))))
