"""What logs say of where a request went: the address as the product spells it, without what was put into it (K2)."""

import re

from django.http import HttpRequest

from vault.crypto.redaction import REDACTED

# Bare keys of some providers look like ids: where nothing of ours answers, no part of that length is repeated.
_LONG_PART = re.compile(r"[^/]{20,}")


def shown_path(request: HttpRequest) -> str:
    """The route that answers, such as /v1/vault/credentials/<str:credential_id>; else the path without long parts."""
    found = request.resolver_match
    return f"/{found.route}" if found is not None and found.route else _LONG_PART.sub(REDACTED, request.path)
