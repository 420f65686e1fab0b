"""What the console says of roles and of kinds of e-mails."""

from billing.notifications.kinds import Category
from tenants.permissions import Role

ROLE_NAMES: dict[Role, str] = {role: role.name.title() for role in Role}
ROLE_MEANINGS: dict[Role, str] = {
    Role.OWNER: "everything, and decides who else is an owner",
    Role.ADMIN: "everything but making or changing owners",
    Role.BILLING: "reads all figures, and does what costs money",
    Role.DEVELOPER: "reads all figures; reports usage and runs agents",
    Role.VIEWER: "reads all figures",
}

CATEGORY_NAMES: dict[Category, str] = {
    Category.USAGE: "Limits and sessions",
    Category.BALANCE: "Low balance",
    Category.PAYMENTS: "Payments and plan",
    Category.INVOICES: "Invoices",
    Category.KEYS: "Provider keys",
    Category.WEBHOOKS: "Webhooks",
}
CATEGORY_MEANINGS: dict[Category, str] = {
    Category.USAGE: "A limit is used to 50, 80 or 100 %; a session was stopped because it looped.",
    Category.BALANCE: "The prepaid credits fall below the amount that is set under Alerts and caps.",
    Category.PAYMENTS: "A payment failed; a plan is overdue, changed, cancelled or has ended.",
    Category.INVOICES: "An invoice or a credit note is ready.",
    Category.KEYS: "A key is refused, used up, cannot be reached or expires soon; a broken one works again.",
    Category.WEBHOOKS: "An endpoint was switched off: it failed for three days, or answered 410 Gone.",
}
