"""`manage.py connect_stripe`: set up at Stripe what the product needs there."""

from typing import Any

import stripe
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from billing.stripe_sync.client import is_configured
from billing.stripe_sync.services.connect_stripe import Connection, connect_stripe


class Command(BaseCommand):
    help = "Push plans, prices and meters, configure the portal, ask for events (S1, S3, S4); safe at each start."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not is_configured():
            self.stdout.write("STRIPE_SECRET_KEY is not set: payments stay off, everything else works.")
            return
        try:
            self._report(connect_stripe(origin=settings.QUAESTOR_ORIGIN.rstrip("/"), at=now()))
        except stripe.AuthenticationError:
            raise CommandError("Stripe does not know the key in STRIPE_SECRET_KEY.") from None
        except stripe.APIConnectionError:
            raise CommandError("Stripe cannot be reached. What is done so far stays; run this again.") from None
        except stripe.StripeError as error:
            reason = error.user_message or type(error).__name__
            raise CommandError(f"Stripe refused ({error.request_id or 'no request id'}): {reason}") from None

    def _report(self, connection: Connection) -> None:
        catalogue, webhooks = connection.catalogue, connection.webhooks
        self.stdout.write(f"account: {connection.account_id or 'unknown, the key is a restricted one'}")
        self.stdout.write(
            f"catalogue: {len(catalogue.created)} created, {len(catalogue.adopted)} adopted, "
            f"{len(catalogue.unchanged)} unchanged"
        )
        self.stdout.write(f"portal: {connection.portal_configuration}")
        for url in webhooks.urls:
            self.stdout.write(f"webhooks: {url}")
        if webhooks.created or webhooks.deleted:
            self.stdout.write(f"  {len(webhooks.created)} endpoints made, {len(webhooks.deleted)} old ones deleted")
        if webhooks.advice:
            self.stdout.write(webhooks.advice)
