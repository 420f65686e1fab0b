"""At least one row of everything that the admin shows."""

from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group

from billing.invoices.models import BillingCycle, BillingDetails
from billing.notifications.models import Notice, NotificationPreference
from billing.plans.models import Plan
from billing.plans.services.new_draft import new_draft
from billing.runtime.models import Authorization, Session
from billing.subscriptions.models import EntitlementOverride, SpendControls
from billing.usage.models import BurnAlert, Counter, PeriodRollup, UsageEvent
from tenants.models import Invitation, Membership, User
from tenants.services.record_audit import Actor, record_audit
from tests.admin.stripe_records import make_stripe_records
from tests.admin.vault_records import make_shared_vault_records, make_vault_records
from tests.admin.webhook_records import make_webhook_records
from tests.credits.make import Wallet, make_creator, make_paid, open_payment, sell
from tests.invoices.issued import credit, issue
from tests.make import AT, Customer, make_customer


def make_user(email: str = "ann@example.com", **fields: bool) -> User:
    return User.objects.create_user(email, **fields)


def make_event(customer: Customer, key: str = "e1") -> UsageEvent:
    return UsageEvent.objects.create(
        account_id=customer.account.id,
        tenant_id=customer.tenant.id,
        workspace_id=customer.workspace.id,
        idempotency_key=key,
        body_digest=b"0" * 16,
        product="llm",
        unit="token",
        provider="openai",
        model="gpt-4o",
        credential_source="platform",
        quantity=Decimal(12),
        input_tokens=10,
        output_tokens=2,
        cost=Decimal("0.000045"),
        currency="USD",
        funding="credits",
        occurred_at=AT,
        recorded_at=AT,
        period_start=AT,
    )


def make_authorization(customer: Customer, key: str = "a1") -> Authorization:
    return Authorization.objects.create(
        account_id=customer.account.id,
        tenant_id=customer.tenant.id,
        workspace_id=customer.workspace.id,
        idempotency_key=key,
        body_digest=b"0" * 16,
        provider="openai",
        model="gpt-4o",
        credential_source="platform",
        funding="credits",
        rates={},
        currency="USD",
        input_tokens=10,
        max_output_tokens=10,
        period_start=AT,
        created_at=AT,
        expires_at=AT + timedelta(minutes=10),
    )


def make_override(customer: Customer, feature: str = "agents_limit", value: object = 9) -> EntitlementOverride:
    return EntitlementOverride.objects.create(
        account=customer.account, feature=feature, value=value, reason="Agreed by letter", created_at=AT
    )


def make_metered(customer: Customer) -> None:
    """What usage adds up to and counts against, an alert of it, a live session, and the customer's own caps."""
    account_id, tenant_id, workspace_id = customer.account.id, customer.tenant.id, customer.workspace.id
    PeriodRollup.objects.create(
        account_id=account_id, period_start=AT, workspace_id=workspace_id, product="llm", unit="token", requests=1
    )
    Counter.objects.create(account_id=account_id, feature="executions_per_month", window_start=AT, used=Decimal(1))
    BurnAlert.objects.create(
        account_id=account_id,
        tenant_id=tenant_id,
        feature="executions_per_month",
        window_start=AT,
        threshold=50,
        used=Decimal(50),
        quota=Decimal(100),
        told=True,
        created_at=AT,
    )
    Session.objects.create(
        account_id=account_id,
        tenant_id=tenant_id,
        workspace_id=workspace_id,
        name="s-1",
        started_at=AT,
        heartbeat_at=AT,
        lease_until=AT + timedelta(minutes=1),
    )
    SpendControls.objects.create(account_id=account_id, daily_cap=Decimal(20), changed_at=AT)


def make_market(customer: Customer) -> None:
    """A purchase of credits, and a creator's sale and payout."""
    wallet = Wallet(customer.account.credits, customer.account.receivable)
    make_paid(wallet, "20", "1")
    creator = make_creator(tenant=customer.tenant)
    sell(creator, wallet)
    open_payment(creator)


def make_invoices(customer: Customer) -> None:
    """A cycle, an invoice of model usage with a credit note on it, and to whom the next is made out."""
    account = customer.account
    BillingCycle.objects.create(
        account=account, starts_at=AT, ends_at=AT + timedelta(days=30), due_at=AT, seen_version=account.version
    )
    credit(issue(account))
    BillingDetails.objects.create(account=account, name="Acme Ltd.", updated_at=AT)


def make_told(customer: Customer, user: User) -> None:
    """An invitation, an e-mail that could not be sent, and a member's choice of e-mails."""
    tenant = customer.tenant
    digest = sha256(f"NEVERSHOWN {tenant.slug}".encode()).digest()
    Invitation.objects.create(
        tenant=tenant, email="bob@example.com", role="admin", digest=digest, created_at=AT, sent_at=AT, expires_at=AT
    )
    Notice.objects.create(
        tenant=tenant, kind="low-balance", key=f"low:{tenant.slug}", subject="Low", body="-", created_at=AT, due_at=AT
    )
    NotificationPreference.objects.create(tenant=tenant, user=user, category="balance", email=False)


def make_records(*, slug: str = "") -> Customer:
    """A customer with a member, usage, money and an exception, beside the shipped catalogues."""
    customer = make_customer(balance="25", slug=slug)
    user = make_user(f"member@{customer.tenant.slug}.example")
    Membership.objects.create(tenant=customer.tenant, user=user, role="owner", created_at=AT)
    EmailAddress.objects.create(user=user, email=user.email)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "NEVERSHOWN"})
    record_audit(
        tenant_id=customer.tenant.id, actor=Actor(user_id=user.pk), action="member.added", target=user.email, at=AT
    )
    make_told(customer, user)
    make_event(customer)
    make_authorization(customer)
    make_override(customer)
    make_metered(customer)
    make_market(customer)
    make_invoices(customer)
    make_stripe_records(customer)
    make_vault_records(customer)
    make_webhook_records(customer)
    return customer


def make_shared_records() -> None:
    """What belongs to no customer."""
    new_draft(plan_id=Plan.objects.get(slug="pro").id, at=AT)
    Group.objects.create(name="Support")
    make_shared_vault_records()
