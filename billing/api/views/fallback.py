"""Addresses that nothing is at."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from billing.api.errors import render_problem
from billing.core.problems import problem


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """404 as a problem, whatever the method."""
    return render_problem(problem("not-found", "There is nothing at this address.", remedy="See /v1/docs."))
