"""The ledger as staff see it: every page only shows, money moves through services alone."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from billing.credits.admin.owners import OWNERS, ledgers_found, owner_of, side_of
from billing.credits.models import Grant, LedgerAccount, Transfer
from tenants.staff_admin import (
    LargeTableAdmin,
    NarrowedTableAdmin,
    ReadOnlyAdmin,
    badge,
    link_to_list,
    show_amount,
    uuid_in,
)

_PHASE_COLOURS = {"posted": "success", "post_pending": "success", "pending": "warning"}
_KIND_COLOURS = {"credits": "success", "receivable": "warning", "payable": "info"}


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin[LedgerAccount]):
    """Accounts of customers with what they hold, and the platform's, which keep no running total."""

    list_display = ("owner", "kind_badge", "currency", "balance", "held", "available", "next_expiry_at")
    list_select_related = OWNERS
    list_filter = ("kind", "currency")
    search_fields = ("credits_of__tenant__name", *(f"{owner}__slug" for owner in OWNERS))
    search_help_text = "Tenant, or the id of a ledger or billing account"
    id_search_fields = (
        "id",
        "credits_of__id",
        "receivable_of__id",
        "credits_of__tenant_id",
        "receivable_of__tenant_id",
        "payable_of__id",
        "payable_of__tenant_id",
    )
    ordering = ("-created_at",)
    fields = (
        ("owner", "kind", "currency"),
        ("balance", "held", "available"),
        ("credits_posted", "debits_posted"),
        ("next_expiry_at", "created_at"),
        "records",
    )
    readonly_fields = ("owner", "balance", "held", "available", "records")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerAccount]:
        return super().get_queryset(request).select_related(*OWNERS)

    @admin.display(description="Belongs to")
    def owner(self, ledger: LedgerAccount) -> str:
        return owner_of(ledger)

    @badge("Kind", _KIND_COLOURS, ordering="kind")
    def kind_badge(self, ledger: LedgerAccount) -> str:
        return ledger.kind

    @admin.display(description="Balance")
    def balance(self, ledger: LedgerAccount) -> str | None:
        return _of_customer(ledger, ledger.balance)

    @admin.display(description="Held", ordering="debits_pending")
    def held(self, ledger: LedgerAccount) -> str | None:
        return _of_customer(ledger, ledger.debits_pending)

    @admin.display(description="Available")
    def available(self, ledger: LedgerAccount) -> str | None:
        return _of_customer(ledger, ledger.available)

    @admin.display(description="Records")
    def records(self, ledger: LedgerAccount) -> SafeString:
        transfers = "billing_credits_transfer"
        lists = (
            link_to_list(transfers, "Transfers out", debit_account__id__exact=ledger.id),
            link_to_list(transfers, "Transfers in", credit_account__id__exact=ledger.id),
            link_to_list("billing_credits_grant", "Grants", account__id__exact=ledger.id),
        )
        return format_html_join(", ", "{}", ((href,) for href in lists))


@admin.register(Transfer)
class TransferAdmin(NarrowedTableAdmin[Transfer]):
    """The immutable lines of the ledger."""

    list_display = ("created_at", "reason", "phase_badge", "debited", "credited", "amount", "description")
    list_filter = ("reason", "phase", "created_at")
    search_fields = ("idempotency_key",)
    search_help_text = "Tenant, idempotency key, or the id of a transfer, tenant, ledger or billing account"
    ordering = ("-created_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transfer]:
        sides = [f"{side}__{owner}" for side in ("debit_account", "credit_account") for owner in OWNERS]
        return super().get_queryset(request).select_related(*sides)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Transfer], bool]:
        """By key, or by the ledger accounts that the term leads to: each way has an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        ledgers = ledgers_found(term)
        mine = Q(debit_account__in=ledgers) | Q(credit_account__in=ledgers)
        found = uuid_in(term)
        return queryset.filter(mine | (Q(id=found) if found else Q(idempotency_key=term))), False

    @badge("Phase", _PHASE_COLOURS, ordering="phase")
    def phase_badge(self, transfer: Transfer) -> str:
        return transfer.phase

    @admin.display(description="From")
    def debited(self, transfer: Transfer) -> SafeString:
        return side_of(transfer.debit_account)

    @admin.display(description="To")
    def credited(self, transfer: Transfer) -> SafeString:
        return side_of(transfer.credit_account)


@admin.register(Grant)
class GrantAdmin(LargeTableAdmin[Grant]):
    """Lots of credits, in the order in which they are spent."""

    list_display = (
        "owner",
        "source",
        "amount",
        "consumed",
        "expired",
        "remaining",
        "priority",
        "expires_at",
        "created_at",
    )
    list_select_related = ("account__credits_of__tenant",)
    list_filter = ("source", ("expires_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("account__credits_of__tenant__name", "account__credits_of__tenant__slug")
    search_help_text = "Tenant, or the id of a grant, transfer, ledger or billing account"
    id_search_fields = ("id", "transfer_id", "account_id", "account__credits_of__id", "account__credits_of__tenant_id")
    readonly_fields = ("owner", "remaining")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        return super().get_queryset(request).select_related("account__credits_of__tenant", "transfer")

    @admin.display(description="Belongs to")
    def owner(self, grant: Grant) -> str:
        return owner_of(grant.account)

    @admin.display(description="Remaining")
    def remaining(self, grant: Grant) -> str:
        return show_amount(grant.remaining)


def _of_customer(ledger: LedgerAccount, amount: Decimal) -> str | None:
    """The platform's accounts keep no running totals."""
    return None if ledger.kind in LedgerAccount.PLATFORM_KINDS else show_amount(amount)
