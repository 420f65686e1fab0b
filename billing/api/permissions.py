"""What a key may call: each view names the scopes of which it needs one, by method."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from billing.core.problems import problem
from tenants.permissions import Permission
from tenants.queries import Caller
from tenants.services.record_audit import Actor

if TYPE_CHECKING:  # DRF's views load the default permissions, and so this module, while they are being defined
    from rest_framework.views import APIView


def require(caller: Caller, *scopes: Permission) -> None:
    """Raises the problem insufficient-scope unless the key has one of the scopes."""
    if not caller.may(*scopes):
        names = " or ".join(scopes)
        raise problem(
            "insufficient-scope", f"The API key needs the scope {names}.", remedy="Use a key with this scope."
        )


class HasScope(BasePermission):
    """Checks the view's `scopes`: a mapping from HTTP method to the scopes of which one is needed.

    A view that does not name its scopes refuses everybody: forgetting them must not open anything.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        scopes: Mapping[str, tuple[Permission, ...]] = getattr(view, "scopes", {})
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method in view.allowed_methods and method != "OPTIONS":
            require(caller_of(request), *scopes.get(method, ()))
        return True


class OfWholeTenant(BasePermission):
    """Refuses API keys of one workspace what is the whole tenant's: they neither see nor change it."""

    what: ClassVar[str]

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method != "OPTIONS" and caller_of(request).workspace_id is not None:
            raise problem(
                "insufficient-scope",
                f"The API key is of one workspace; {self.what} are the tenant's.",
                remedy="Use a key of the whole tenant.",
            )
        return True


def caller_of(request: Request) -> Caller:
    """Who has been authenticated. Raises TypeError in a view that authenticates nobody."""
    user: object = request.user
    if not isinstance(user, Caller):
        raise TypeError("The view authenticates nobody.")
    return user


def actor_of(request: Request) -> Actor:
    """The key as the audit log names who did something."""
    return Actor(key_id=caller_of(request).key_id)
