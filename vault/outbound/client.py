"""The one way out to providers."""

from django.conf import settings

from vault.errors import AddressNotAllowed, ProviderUnreachable, Unanswered
from vault.outbound.addresses import is_exempt, origin_of
from vault.outbound.calls import Answer, Call
from vault.outbound.exchange import exchange
from vault.outbound.resolving import Resolve, addresses_of


def send(call: Call, *, tenant_supplied: bool, resolve: Resolve = addresses_of) -> Answer:
    """Make the call. Raises AddressNotAllowed, ProviderUnreachable; neither holds the key, the address or an answer.

    `tenant_supplied`: the address is a tenant's word, so that it has to be public or allowed by staff, now, in all its
    addresses, and a redirect is a way around that. Addresses of ours and the operator's are not checked.
    """
    guarded = tenant_supplied and not is_exempt(origin_of(call.url))
    answer = exchange(call, guarded=guarded, seconds=settings.PROVIDER_TIMEOUT_SECONDS, resolve=resolve)
    if isinstance(answer, Unanswered):
        raise ProviderUnreachable(answer.told_of("provider"))
    if 300 <= answer.status < 400:
        if tenant_supplied:
            raise AddressNotAllowed("The address sends callers on to another address; enter that one.")
        raise ProviderUnreachable("The provider sends callers on to another address.")
    return answer
