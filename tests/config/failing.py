"""The site with pages that fail, with a key in the hands of its views. No key stands in this file."""

import json

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from config import urls
from vault.crypto.secret import Secret

BOXES: list[Secret] = []
"""What the vault has in memory."""


def told(found: str) -> None:
    raise ValueError(f"The provider said: {found} is wrong")


@csrf_exempt
def form(request: HttpRequest) -> HttpResponse:
    words = request.POST["api_key"]
    told(words)
    raise AssertionError


@csrf_exempt
def body(request: HttpRequest) -> HttpResponse:
    sent = json.loads(request.body)
    nested = [{"inner": sent}, sent["api_key"], "x" * 3980 + sent["api_key"]]
    told(nested[1])
    raise AssertionError


@csrf_exempt
def stream(request: HttpRequest) -> HttpResponse:
    """As a framework that reads the body itself."""
    sent = json.loads(request.read())
    for value in sent.values():
        told(value)
    raise AssertionError


def query(request: HttpRequest) -> HttpResponse:
    words = [value for name, value in request.GET.items()]
    told(request.get_full_path())
    raise AssertionError(words)


def header(request: HttpRequest) -> HttpResponse:
    words = request.headers["Authorization"].removeprefix("Bearer ")
    told(words)
    raise AssertionError


@csrf_exempt
def secret(request: HttpRequest) -> HttpResponse:
    """A key that came from the database: the request never had it."""
    box = BOXES[-1]
    words, raw = box.reveal(), box.reveal().encode()
    try:
        told(words)
    except ValueError as error:
        raise RuntimeError(repr(raw)) from error
    raise AssertionError


urlpatterns = [
    *(path(view.__name__, view) for view in (form, body, stream, query, header, secret)),
    *urls.urlpatterns,
]
