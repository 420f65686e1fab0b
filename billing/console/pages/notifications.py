"""The notifications page: which e-mails a member gets of a tenant."""

from collections.abc import Sequence
from dataclasses import dataclass

from billing.console.access import Member
from billing.console.member_texts import CATEGORY_MEANINGS, CATEGORY_NAMES
from billing.notifications.kinds import OWNERS_ALWAYS, READERS, Category
from billing.notifications.recipients import unwanted_categories
from tenants.permissions import Role
from tenants.queries import role_of


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """What one may get. `is_fixed`: an owner gets it in any case."""

    id: str
    name: str
    meaning: str
    is_on: bool
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class NotificationsPage:
    """Without rows the member's role gets no e-mails."""

    email: str
    rows: Sequence[CategoryRow]


def notifications_page(member: Member) -> NotificationsPage:
    """The categories that the member's role gets; two queries."""
    unwanted = unwanted_categories(user_id=member.user.pk, tenant_id=member.tenant.id)
    is_owner = role_of(user_id=member.user.pk, tenant_id=member.tenant.id) == Role.OWNER
    rows = [
        _row(category, is_wanted=category not in unwanted, is_fixed=is_owner and category in OWNERS_ALWAYS)
        for category in categories_of(member)
    ]
    return NotificationsPage(member.user.email, rows)


def categories_of(member: Member) -> list[Category]:
    """What the member's role is written to about."""
    return [category for category in Category if READERS[category] in member.permissions]


def _row(category: Category, *, is_wanted: bool, is_fixed: bool) -> CategoryRow:
    name, meaning = CATEGORY_NAMES[category], CATEGORY_MEANINGS[category]
    return CategoryRow(category.value, name, meaning, is_on=is_wanted or is_fixed, is_fixed=is_fixed)
