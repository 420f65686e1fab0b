"""POST /stripe/webhook/{uuid}/: Stripe's events are stored before they are acknowledged (S4)."""

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View
from djstripe.models import WebhookEndpoint, WebhookEventTrigger

from billing.stripe_sync.services.keep_event import keep_event
from billing.stripe_sync.tasks import queue_inbox

# What dj-stripe keeps of a delivery. Not all headers: one of them could replace the secret where DEBUG is on.
_HEADERS = ("Stripe-Signature", "Content-Type", "User-Agent")


@method_decorator(csrf_exempt, name="dispatch")
class StripeWebhook(View):
    """dj-stripe's endpoint and trigger rows, but nothing of its work in the request: a worker reads Stripe afresh."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, uuid: UUID) -> HttpResponse:
        """200 once the event is in the inbox; 400 for a bad, old or missing signature; 404 for another endpoint."""
        if "Stripe-Signature" not in request.headers:
            return HttpResponseBadRequest("The signature is missing.")
        endpoint = get_object_or_404(WebhookEndpoint.objects.exclude(secret=""), djstripe_uuid=uuid)
        trigger = _trigger_of(request, endpoint)
        if trigger is None or not trigger.validate(api_key="", secret=endpoint.secret):
            return HttpResponseBadRequest("The signature does not fit.")
        with transaction.atomic():
            trigger.valid = True
            trigger.save()
            keep_event(event=trigger.json_body, at=now())
            transaction.on_commit(queue_inbox, robust=True)
        return HttpResponse("Kept.")


def _trigger_of(request: HttpRequest, endpoint: WebhookEndpoint) -> WebhookEventTrigger | None:
    """The delivery as a row that is not saved yet; None where the body is no text."""
    try:
        body = request.body.decode()
    except UnicodeDecodeError:
        return None
    return WebhookEventTrigger(
        headers={name: request.headers[name] for name in _HEADERS if name in request.headers},
        body=body,
        remote_ip=request.META["REMOTE_ADDR"],
        webhook_endpoint=endpoint,
    )
