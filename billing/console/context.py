"""What every page shows around its content: the tenant, the navigation, the other accounts to switch to."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from billing.console.access import ConsoleRequest, Member
from billing.console.queries import workspaces_of_account
from tenants.models import Workspace
from tenants.permissions import Permission

_PAGES: tuple[tuple[str, str, str, Permission], ...] = (
    ("Overview", "console:overview", "layout-dashboard", Permission.BILLING_VIEW),
    ("Usage", "console:usage", "chart-column", Permission.BILLING_VIEW),
    ("Sessions", "console:sessions", "monitor-play", Permission.BILLING_VIEW),
    ("Alerts and caps", "console:alerts", "bell", Permission.BILLING_VIEW),
    ("Credits", "console:credits", "wallet", Permission.BILLING_VIEW),
    ("Plans", "console:plans", "layers", Permission.BILLING_VIEW),
    ("Invoices", "console:invoices", "receipt-text", Permission.BILLING_VIEW),
    ("Payment", "console:payment", "credit-card", Permission.BILLING_VIEW),
    ("Provider keys", "console:keys", "vault", Permission.TENANT_MANAGE),
    ("API keys", "console:api_keys", "key-round", Permission.TENANT_MANAGE),
    ("Webhooks", "console:webhooks", "webhook", Permission.TENANT_MANAGE),
    ("Members", "console:members", "users", Permission.TENANT_MANAGE),
    ("Notifications", "console:notifications", "mail", Permission.BILLING_VIEW),
)


@dataclass(frozen=True, slots=True)
class NavItem:
    """A page in the navigation."""

    label: str
    url: str
    icon: str
    active: bool


@dataclass(frozen=True, slots=True)
class SwitchOption:
    """An account that the person may switch to, by a POST to `url`."""

    label: str
    detail: str
    url: str
    active: bool


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """The frame of a page. `can_manage` tells whether the member may do what costs money."""

    tenant_name: str
    tenant_timezone: str
    account_name: str
    user_email: str
    workspaces: Sequence[Workspace]
    nav: Sequence[NavItem]
    switch_options: Sequence[SwitchOption]
    can_manage: bool


def console_context(request: ConsoleRequest, member: Member) -> ConsoleContext:
    """The frame for a member, in one query."""
    return ConsoleContext(
        tenant_name=member.tenant.name,
        tenant_timezone=member.tenant.timezone,
        account_name=member.account.name,
        user_email=member.user.email,
        workspaces=workspaces_of_account(member.account.id),
        nav=_nav(request.path, member),
        switch_options=_switch_options(member),
        can_manage=Permission.BILLING_MANAGE in member.permissions,
    )


def _nav(path: str, member: Member) -> list[NavItem]:
    root = reverse("console:overview")
    items = []
    for label, view, icon, permission in _PAGES:
        if permission in member.permissions:
            url = reverse(view)
            items.append(NavItem(label, url, icon, active=path == url or (url != root and path.startswith(url))))
    return items


def _switch_options(member: Member) -> list[SwitchOption]:
    """Every account of every tenant; nothing where there is nothing to choose."""
    if len(member.open_accounts) < 2:
        return []
    return [
        SwitchOption(
            label=entry.account.tenant.name,
            detail=entry.account.name,
            url=reverse("console:switch", args=[entry.account.id]),
            active=entry.account.id == member.account.id,
        )
        for entry in member.open_accounts
    ]
