"""What nobody changes by hand, superusers neither."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from billing.credits.models import Grant, LedgerAccount, Transfer
from billing.invoices.models import BillingCycle, BillingDetails, Invoice, InvoicePayment
from billing.notifications.models import WebhookDelivery, WebhookEndpoint
from billing.plans.models import ModelPrice, Plan, PlanVersion
from billing.runtime.models import Authorization, Session
from billing.subscriptions.models import BillingAccount, Subscription, WorkspaceBilling
from billing.usage.models import BurnAlert, Counter, PeriodRollup, UsageEvent
from tenants.models import ApiKey, AuditEvent, Tenant, User
from tests.admin.records import make_records
from vault.models import (
    Assignment,
    Credential,
    CredentialAccess,
    DataKey,
    HealthChange,
    KeyEncryptionKey,
    KeyPolicy,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

SHOWN_ONLY = (
    Assignment,
    AuditEvent,
    Authorization,
    BillingCycle,
    BillingDetails,
    BurnAlert,
    Counter,
    Credential,
    CredentialAccess,
    DataKey,
    EmailAddress,
    Grant,
    HealthChange,
    Invoice,
    InvoicePayment,
    KeyEncryptionKey,
    KeyPolicy,
    LedgerAccount,
    PeriodRollup,
    Session,
    Subscription,
    Transfer,
    UsageEvent,
    WebhookDelivery,
    WebhookEndpoint,
    WorkspaceBilling,
)
KEPT = (*SHOWN_ONLY, ApiKey, BillingAccount, ModelPrice, Plan, PlanVersion, Tenant, User)


def post(staff: Client, model: type[Model], name: str, *args: Any, **data: Any) -> int:
    view = f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}"
    return staff.post(reverse(view, args=args), data).status_code


@pytest.mark.parametrize("model", SHOWN_ONLY)
def test_shown_only(model: type[Model], staff: Client) -> None:
    """F2, M1, U3: neither added nor changed through the admin."""
    make_records()
    row = model._default_manager.order_by("pk")[0]
    assert post(staff, model, "add") == 403
    assert post(staff, model, "change", row.pk) == 403


@pytest.mark.parametrize("model", KEPT)
def test_kept(model: type[Model], staff: Client) -> None:
    """F2, P1: not deleted through the admin, one by one or many at once."""
    make_records()
    rows = model._default_manager.order_by("pk")
    before = rows.count()
    assert post(staff, model, "delete", rows[0].pk) == 403
    post(staff, model, "changelist", action="delete_selected", _selected_action=[rows[0].pk], post="yes")
    assert rows.count() == before


def test_large_tables_are_not_counted() -> None:
    """F2: tables of millions of rows are never counted whole."""
    for model in (AuditEvent, Authorization, BurnAlert, Counter, Grant, Transfer, UsageEvent, WebhookDelivery):
        page = admin.site.get_model_admin(model)
        assert page.show_full_result_count is False
        assert page.paginator.__name__ == "BoundedPaginator"
