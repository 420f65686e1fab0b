from datetime import datetime, timedelta

from djstripe.models import WebhookEventTrigger

KEPT_FOR = timedelta(days=30)  # as long as Stripe itself lists its events


def forget_deliveries(*, at: datetime) -> int:
    """Delete raw webhook deliveries, which hold customers' names and addresses; answers how many (S4).

    The inbox keeps what each event was about.
    """
    deleted, _ = WebhookEventTrigger.objects.filter(created__lt=at - KEPT_FOR).delete()
    return int(deleted)
