"""POST /stripe/webhook/{uuid}/: Stripe's events are stored before they are acknowledged (S4)."""

from http import HTTPStatus
from uuid import UUID

import stripe
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View
from djstripe.models import WebhookEndpoint, WebhookEventTrigger

from billing.stripe_sync.services.keep_event import keep_event
from billing.stripe_sync.tasks import queue_inbox
from billing.stripe_sync.told_event import MisshapenEvent, ToldEvent, read_event

# What dj-stripe keeps of a delivery.
_HEADERS = ("Stripe-Signature", "Content-Type", "User-Agent")


class Refused(Exception):
    """A delivery that is not kept; says why to whoever sent it."""

    def __init__(self, reason: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(reason)
        self.status = status


@method_decorator(csrf_exempt, name="dispatch")
class StripeWebhook(View):
    """dj-stripe's endpoint and trigger rows, but nothing of its work in the request: a worker reads Stripe afresh."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, uuid: UUID) -> HttpResponse:
        """200 once the event is in the inbox, or for one of the other mode, which is not ours to keep.

        404 for another endpoint; 400 for a bad, old or missing signature or a body that is no event; 413 for a body
        that is too large. Of what is refused nothing is stored.
        """
        try:
            signature = _signature_of(request)
            endpoint = get_object_or_404(WebhookEndpoint.objects.exclude(secret=""), djstripe_uuid=uuid)
            body = _body_of(request)
            _require_signature(signature, body, endpoint)
            event = _event_in(body)
        except Refused as refused:
            return _plain(str(refused), refused.status)
        with transaction.atomic():
            _trigger_of(request, body, endpoint).save()
            keep_event(event=event, at=now())
            transaction.on_commit(queue_inbox, robust=True)
        return _plain("Kept.", HTTPStatus.OK)


def _signature_of(request: HttpRequest) -> str:
    try:
        return request.headers["Stripe-Signature"]
    except KeyError:
        raise Refused("The signature is missing.") from None


def _body_of(request: HttpRequest) -> str:
    try:
        return request.body.decode()
    except RequestDataTooBig:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise Refused(f"The body is larger than {limit} bytes.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from None
    except UnreadablePostError:
        raise Refused("The body could not be read.") from None
    except UnicodeDecodeError:
        raise Refused("The body is no text in UTF-8.") from None


def _require_signature(signature: str, body: str, endpoint: WebhookEndpoint) -> None:
    """Of the body as it came, by the endpoint's secret alone: where DEBUG is on dj-stripe takes one from a header."""
    try:
        # Comparing letters beyond ASCII would be an error of another kind.
        known = signature.encode("ascii", errors="replace").decode()
        stripe.WebhookSignature.verify_header(body, known, endpoint.secret, endpoint.djstripe_tolerance)
    except stripe.SignatureVerificationError:
        raise Refused("The signature does not fit, or is too old.") from None


def _event_in(body: str) -> ToldEvent:
    """The event, of the mode that our key is of: endpoints of Connect are also told of the other one."""
    try:
        event = read_event(body)
    except MisshapenEvent as error:
        raise Refused(str(error)) from None
    if event.livemode is not settings.STRIPE_LIVE_MODE:
        # Acknowledged all the same: Stripe tells live endpoints of Connect of test events too, and would try on and on.
        mode = str(event.livemode).lower()
        raise Refused(f"Not kept: the event is of another mode, livemode is {mode}.", HTTPStatus.OK)
    return event


def _trigger_of(request: HttpRequest, body: str, endpoint: WebhookEndpoint) -> WebhookEventTrigger:
    """The delivery as a row that is not saved yet."""
    return WebhookEventTrigger(
        headers={name: request.headers[name] for name in _HEADERS if name in request.headers},
        body=body,
        remote_ip=request.META["REMOTE_ADDR"],
        webhook_endpoint=endpoint,
        valid=True,
    )


def _plain(text: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
