from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.credits.models import Creator
from billing.stripe_sync.client import asking_stripe
from billing.stripe_sync.services.sync_connected_account import sync_connected_account
from tenants.services.record_audit import Actor, record_audit


def open_onboarding(*, creator_id: UUID, return_url: str, at: datetime, actor: Actor) -> str:
    """The address of the page at Stripe where a creator says how it is paid; good once and for some minutes (M10).

    Its account at Stripe is made the first time. Raises Problem: stripe-not-configured, stripe-unavailable.
    """
    key = encode_id("crt", creator_id)
    with asking_stripe(doing="open the onboarding page") as client:
        creator = Creator.objects.get(id=creator_id)
        if not creator.external_account:
            account = client.v1.accounts.create(
                {
                    "type": "express",
                    "capabilities": {"transfers": {"requested": True}},
                    "metadata": {"quaestor_creator": key},
                },
                {"idempotency_key": f"creator:{key}"},
            )
            _note(creator_id, account.id, at, actor)
            creator.external_account = account.id
        link = client.v1.account_links.create(
            {
                "account": creator.external_account,
                "type": "account_onboarding",
                "return_url": return_url,
                "refresh_url": return_url,
            }
        )
        sync_connected_account(external_account=creator.external_account)
    return link.url


@transaction.atomic
def _note(creator_id: UUID, external_account: str, at: datetime, actor: Actor) -> None:
    creator = Creator.objects.select_for_update().get(id=creator_id)
    if creator.external_account:
        return
    creator.external_account = external_account
    creator.save(update_fields=["external_account"])
    record_audit(
        tenant_id=creator.tenant_id,
        actor=actor,
        action="creator.account_made",
        target=str(creator.id),
        at=at,
        detail={"external_account": external_account},
    )
