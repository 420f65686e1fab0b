"""What staff do for creators: onboarding at Stripe, sales, payouts (M10)."""

from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.timezone import now

from billing.core.problems import Problem
from billing.credits.admin import CreatorAdmin
from billing.credits.errors import InsufficientCredits, PayoutRefused, TransferConflict
from billing.credits.models import Creator, Payout
from billing.credits.services.record_sale import record_sale
from billing.stripe_sync.admin.creator_forms import PayForm, SaleForm
from billing.stripe_sync.services.open_onboarding import open_onboarding
from billing.stripe_sync.services.pay_creator import pay_creator
from tenants.services.record_audit import Actor
from tenants.staff_admin import change_url, confirmed_action, go_to, show_amount
from tenants.staff_dialogs import dialog_action

_CREATOR = "billing_credits_creator"
_TOLD = {
    Payout.State.PAID: (messages.SUCCESS, "was sent."),
    Payout.State.PENDING: (
        messages.WARNING,
        "is on its way: Stripe did not answer, and is asked again.",
    ),
    Payout.State.FAILED: (messages.ERROR, "was refused and is owed again: {error}"),
    Payout.State.REVERSED: (messages.WARNING, "came back and is owed again."),
}

admin.site.unregister(Creator)


@admin.register(Creator)
class PayableCreatorAdmin(CreatorAdmin):
    """Creators with what needs Stripe."""

    actions_detail = ("record_sale", "onboard", "pay_out")

    def has_sale_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_credits.add_sale")

    def has_onboarding_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_credits.change_creator")

    def has_payout_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("billing_credits.add_payout")

    @dialog_action(
        "Record sale",
        form_class=SaleForm,
        submit="Record",
        text="The buyer's credits pay at once: 80 % is owed to the creator, the rest is the platform's.",
        icon="sell",
        permission="sale",
        url_path="record-sale",
    )
    def record_sale(self, request: HttpRequest, form: SaleForm, creator: Creator) -> HttpResponse:
        said = form.cleaned_data
        try:
            sale = record_sale(
                creator_id=creator.id,
                buyer_id=said["buyer"].credits_id,
                buyer_tenant_id=said["buyer"].tenant_id,
                item=said["item"],
                amount=said["amount"],
                idempotency_key=f"staff:{said['key']}",
                at=now(),
                actor=Actor(user_id=request.user.pk),
            )
        except (ValueError, InsufficientCredits, TransferConflict) as error:
            raise ValidationError(str(error)) from error
        self.log_change(request, creator, f"Recorded the sale {sale}")
        share = f"{show_amount(sale.creator_share)} {sale.currency}"
        self.message_user(request, f"{sale} recorded: {share} is owed to {creator}.", messages.SUCCESS)
        return go_to(change_url(_CREATOR, creator.id))

    @confirmed_action(
        "Onboarding link",
        question="A link to Stripe's page where the creator says how to be paid. It is good once, for some minutes.",
        icon="add_link",
        permission="onboarding",
        url_path="onboard",
    )
    def onboard(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        creator = Creator.objects.get(id=object_id)
        try:
            url = open_onboarding(
                creator_id=creator.id,
                return_url=settings.QUAESTOR_ORIGIN,
                at=now(),
                actor=Actor(user_id=request.user.pk),
            )
        except Problem as problem:
            self.message_user(request, problem.detail, messages.ERROR)
        else:
            self.log_change(request, creator, "Made an onboarding link")
            text = format_html('For {}: <a class="text-link" href="{}" rel="noreferrer">{}</a>', creator, url, url)
            self.message_user(request, text, messages.SUCCESS)
        return go_to(change_url(_CREATOR, object_id))

    @dialog_action(
        "Pay out",
        form_class=PayForm,
        submit="Pay out",
        text="All that is owed leaves the ledger and is sent to the creator's account at Stripe.",
        icon="payments",
        permission="payout",
        url_path="pay-out",
    )
    def pay_out(self, request: HttpRequest, form: PayForm, creator: Creator) -> HttpResponse:
        try:
            payout = pay_creator(creator_id=UUID(str(creator.id)), at=now(), actor=Actor(user_id=request.user.pk))
        except PayoutRefused as error:
            raise ValidationError(str(error)) from error
        except Problem as problem:
            raise ValidationError(problem.detail) from problem
        self.log_change(request, creator, f"Paid out {payout}")
        level, text = _TOLD[Payout.State(payout.state)]
        amount = f"{show_amount(payout.amount)} {payout.currency}"
        self.message_user(request, f"{amount} {text.format(error=payout.error)}", level)
        return go_to(change_url(_CREATOR, creator.id))
