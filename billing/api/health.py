"""Probes for a load balancer: is the process up, and can it do its work."""

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe


@csrf_exempt
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """The database answers and has a catalogue; 503 otherwise."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM billing_plans_planversion WHERE state = 'published')")
            row = cursor.fetchone()
    except Error:
        return JsonResponse({"status": "unavailable", "detail": "The database does not answer."}, status=503)
    if row is None or not row[0]:
        return JsonResponse({"status": "unavailable", "detail": "No plan is published; run load_catalog."}, status=503)
    return JsonResponse({"status": "ok"})
