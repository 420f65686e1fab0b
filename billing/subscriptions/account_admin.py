"""Pages of facts that name their billing account by id alone, because their table carries no foreign keys."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.http import HttpRequest

from billing.subscriptions.models import BillingAccount
from tenants.staff_admin import LargeTableAdmin, M, link, uuid_in

_MOST_ACCOUNTS = 200  # that one search spreads over


class AccountFactAdmin(LargeTableAdmin[M]):
    """Shows the account's name, and searches by whatever leads to accounts: their key is the index."""

    search_fields = ("account_id",)
    search_help_text = "Tenant, or the id of a tenant, billing account or workspace, or its own"
    other_ids: ClassVar[tuple[str, ...]] = ()
    readonly_fields: ClassVar[tuple[str, ...]] = ("account",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        name = Concat("tenant__name", Value(" – "), "name", output_field=CharField())
        accounts = BillingAccount.objects.filter(id=OuterRef("account_id")).values_list(name)
        facts: QuerySet[Any] = super().get_queryset(request)
        named: QuerySet[M] = facts.annotate(account_name=Subquery(accounts))
        return named

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        condition = Q(account_id__in=_accounts_found(term))
        found = uuid_in(term)
        if found is not None:
            for field in ("id", *self.other_ids):
                condition |= Q(**{field: found})
        return queryset.filter(condition), False

    @admin.display(description="Account")
    def account(self, fact: M) -> str:
        row = vars(fact)
        name = row["account_name"]
        return link("billing_subscriptions_billingaccount", row["account_id"], name) if name else row["account_id"]


def _accounts_found(term: str) -> list[UUID]:
    found = uuid_in(term)
    if found is not None:
        condition = Q(id=found) | Q(tenant_id=found) | Q(workspace_links__workspace_id=found)
    else:
        condition = Q(tenant__name__icontains=term) | Q(tenant__slug__icontains=term)
    accounts = BillingAccount.objects.filter(condition).order_by("id").distinct()
    return list(accounts.values_list("id", flat=True)[:_MOST_ACCOUNTS])
