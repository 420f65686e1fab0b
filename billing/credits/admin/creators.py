"""Creators, what was sold of theirs, what they are owed and were paid (M10)."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.core.money import MINOR_EXPONENTS
from billing.credits.admin.owners import owner_of
from billing.credits.models import Creator, Payout, Sale
from billing.credits.services.open_creator import open_creator
from tenants.services.record_audit import Actor
from tenants.staff_admin import ReadOnlyAdmin, StaffAdmin, TypedModelForm, badge, link, link_to_list, show_amount

_STATE_COLOURS = {"pending": "info", "paid": "success", "failed": "danger", "reversed": "warning"}
_TENANT = ("creator__tenant__name", "creator__tenant__slug")


class NewCreatorForm(TypedModelForm[Creator]):
    """A tenant that is to sell, and the currency that it is paid in."""

    currency = forms.CharField(max_length=3, initial="USD", widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = Creator
        fields = ("tenant",)

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].upper()
        if currency not in MINOR_EXPONENTS:
            raise forms.ValidationError("This is no ISO 4217 currency code.")
        return currency


@admin.register(Creator)
class CreatorAdmin(StaffAdmin[Creator]):
    """What a creator is owed is the balance of its ledger account: its shares of sales, less what was paid."""

    list_display = ("tenant", "owed", "paid", "currency", "payouts_enabled", "external_account")
    list_filter = ("payouts_enabled", "created_at")
    search_fields = ("tenant__name", "tenant__slug", "external_account")
    search_help_text = "Tenant, account at the processor, or the id of a creator, tenant or ledger account"
    id_search_fields = ("id", "tenant_id", "payable_id")
    autocomplete_fields = ("tenant",)
    ordering = ("tenant__name",)
    fields = (
        ("tenant", "currency"),
        ("owed", "paid"),
        ("external_account", "payouts_enabled"),
        "created_at",
        "records",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Creator]:
        creators = super().get_queryset(request).select_related("tenant", "payable")
        return creators.annotate(came_back=Sum("payouts__returned"))

    def get_form(self, request: HttpRequest, obj: Creator | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs | ({} if obj else {"form": NewCreatorForm})))

    def get_fields(self, request: HttpRequest, obj: Creator | None = None) -> Any:
        return ("tenant", "currency") if obj is None else super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Creator | None = None) -> Any:
        shown = ("tenant", "currency", "owed", "paid", "external_account", "payouts_enabled", "created_at", "records")
        return () if obj is None else shown

    def has_delete_permission(self, request: HttpRequest, obj: Creator | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Creator, form: Any, change: Any) -> None:
        if not change:
            said, actor = form.cleaned_data, Actor(user_id=request.user.pk)
            made = open_creator(tenant_id=said["tenant"].id, currency=said["currency"], at=now(), actor=actor)
            obj.id = made.id  # the page goes on with what the service has made

    @admin.display(description="Currency", ordering="payable__currency")
    def currency(self, creator: Creator) -> str:
        return creator.payable.currency

    @admin.display(description="Owed")
    def owed(self, creator: Creator) -> str:
        return show_amount(creator.payable.balance)

    @admin.display(description="Paid", ordering="payable__debits_posted")
    def paid(self, creator: Creator) -> str:
        """Or on its way; what came back is owed again."""
        came_back: Decimal | None = getattr(creator, "came_back", None)
        return show_amount(creator.payable.debits_posted - (came_back or 0))

    @admin.display(description="Records")
    def records(self, creator: Creator) -> SafeString:
        lists = (
            link("billing_credits_ledgeraccount", creator.payable_id, "Ledger account"),
            link_to_list("billing_credits_transfer", "Transfers", q=creator.payable_id),
            link_to_list("billing_credits_sale", "Sales", creator__id__exact=creator.id),
            link_to_list("billing_credits_payout", "Payouts", creator__id__exact=creator.id),
        )
        return format_html_join(", ", "{}", ((href,) for href in lists))


@admin.register(Sale)
class SaleAdmin(ReadOnlyAdmin[Sale]):
    """What was bought of creators' with credits, and how it was split."""

    list_display = ("created_at", "creator_link", "item", "amount", "creator_share", "currency", "buyer_link")
    list_select_related = ("creator__tenant", "buyer__credits_of__tenant")
    list_filter = ("currency", "created_at")
    search_fields = ("item", "idempotency_key", *_TENANT)
    search_help_text = "Creator, item, idempotency key, or the id of a sale, creator or ledger account"
    id_search_fields = ("id", "creator_id", "creator__tenant_id", "buyer_id", "buyer__credits_of__id")
    ordering = ("-created_at", "-id")
    fields = (
        ("creator_link", "buyer_link"),
        "item",
        ("amount", "creator_share", "currency"),
        ("idempotency_key", "created_at"),
    )
    readonly_fields = ("creator_link", "buyer_link")

    @admin.display(description="Creator")
    def creator_link(self, sale: Sale) -> SafeString:
        return link("billing_credits_creator", sale.creator_id, sale.creator)

    @admin.display(description="Buyer")
    def buyer_link(self, sale: Sale) -> str:
        return owner_of(sale.buyer)


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin[Payout]):
    """What was sent to creators, and what became of it."""

    list_display = ("created_at", "creator_link", "amount", "currency", "state_badge", "back", "external_id", "error")
    list_select_related = ("creator__tenant",)
    list_filter = ("state", "currency", "created_at")
    search_fields = ("external_id", *_TENANT)
    search_help_text = "Creator, transfer at the processor, or the id of a payout, creator or tenant"
    id_search_fields = ("id", "creator_id", "creator__tenant_id", "transfer_id")
    ordering = ("-created_at", "-id")
    fields = (
        ("creator_link", "state"),
        ("amount", "currency", "back"),
        ("external_id", "transfer_link"),
        "error",
        ("created_at", "finished_at"),
    )
    readonly_fields = ("creator_link", "back", "transfer_link")

    @badge("State", _STATE_COLOURS, ordering="state")
    def state_badge(self, payout: Payout) -> str:
        return payout.state

    @admin.display(description="Creator")
    def creator_link(self, payout: Payout) -> SafeString:
        return link("billing_credits_creator", payout.creator_id, payout.creator)

    @admin.display(description="Came back", ordering="returned")
    def back(self, payout: Payout) -> str:
        return show_amount(payout.returned)

    @admin.display(description="In the ledger")
    def transfer_link(self, payout: Payout) -> SafeString:
        return link("billing_credits_transfer", payout.transfer_id, "Transfer")
