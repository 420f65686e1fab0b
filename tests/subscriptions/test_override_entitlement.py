"""Staff's exceptions through the service."""

import pytest

from billing.plans.feature_values import BadFeatureValue
from billing.subscriptions.models import EntitlementOverride
from billing.subscriptions.queries import terms_of
from billing.subscriptions.services.override_entitlement import override_entitlement
from tests.make import AT, make_account, make_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


@pytest.mark.parametrize(
    ("feature", "value"), [("agents_limit", "9"), ("agents_limit", -1), ("mcp_enabled", 1), ("no_such_feature", 1)]
)
def test_value_that_the_feature_cannot_have_is_refused(feature: str, value: object) -> None:
    """P3: an exception is held to the feature's kind, from Python too."""
    account = make_account(make_tenant())
    with pytest.raises(BadFeatureValue):
        override_entitlement(account_id=account.id, feature=feature, value=value, reason="deal", at=AT)
    assert not EntitlementOverride.objects.exists()


def test_second_exception_replaces_the_first() -> None:
    """P3: one value of a feature for an account."""
    account = make_account(make_tenant(), "pro")
    for value in (7, None):
        override_entitlement(account_id=account.id, feature="agents_limit", value=value, reason="deal", at=AT)
    limit = terms_of(account.id, AT).limit("agents_limit")
    assert (limit.value, limit.source) == (None, "override")
