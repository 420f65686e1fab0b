from datetime import datetime
from uuid import UUID

from billing.core.ids import encode_id
from billing.core.problems import Problem, problem
from billing.runtime.answers import own_key_id, rfc3339
from billing.runtime.models import Authorization, Session
from billing.runtime.queries import Run, find_run
from billing.runtime.requests import CredentialAnswer
from billing.runtime.run_keys import resting_refusal
from tenants.queries import Caller
from tenants.services.record_audit import Actor
from vault.errors import AllKeysRest, NotUsable, Unreadable, VaultError, VaultNotConfigured
from vault.services.hand_out import HandedOut, RunToHandOut, hand_out

_REMEDIES = {
    "byok": "Void the run, and authorize it again under another idempotency key.",
    "platform": "Use the key that the runtime itself has for this provider.",
}
_CLOSED = {
    Authorization.State.SETTLED: "authorization-settled",
    Authorization.State.VOIDED: "authorization-voided",
    Authorization.State.EXPIRED: "authorization-expired",
}


def hand_out_credential(*, caller: Caller, authorization_id: UUID, at: datetime) -> CredentialAnswer:
    """Give the platform's runtime the provider's key of a run that is under way, and log that (K5).

    The key is read afresh: what was revoked or disabled since the run was authorized is not given, and no other key
    takes its place, save one of the platform's for another. The answer holds the plain text in a `Secret`; the version
    that was given is noted on the authorization. Raises Problem.
    """
    run = find_run(caller=caller, authorization_id=authorization_id)
    _check_open(run, at)
    _check_session(run)
    try:
        handed = hand_out(run=_to_hand_out(run), actor=Actor(key_id=caller.key_id), at=at)
    except VaultError as error:
        raise _refusal(error, run) from error
    Authorization.objects.filter(id=run.id).update(credential_id=handed.credential_id, credential_number=handed.number)
    return _answer(run, handed)


def _check_open(run: Run, at: datetime) -> None:
    if run.state in _CLOSED:
        raise problem(_CLOSED[Authorization.State(run.state)], f"The authorization is {run.state}.")
    if run.expires_at <= at:
        raise problem(
            "authorization-expired", "The authorization has expired.", remedy="Authorize the run again, with a new key."
        )


def _check_session(run: Run) -> None:
    """A session that was stopped gets no more keys either (M9)."""
    if run.session_row_id is None:
        return
    if Session.objects.filter(id=run.session_row_id, state=Session.State.STOPPED).exists():
        raise problem("session-stopped", "The run's session was stopped.", remedy="Void the run.")


def _to_hand_out(run: Run) -> RunToHandOut:
    return RunToHandOut(
        run_id=run.id,
        tenant_id=run.tenant_id,
        workspace_id=run.workspace_id,
        office=run.office,
        agent=run.agent,
        provider=run.provider,
        model=run.model,
        credential_source=run.credential_source,
        credential_id=run.credential_id,
    )


def _refusal(error: VaultError, run: Run) -> Problem:
    """What stops a key from being given. Whose fault it is, is said; what the vault found is not."""
    match error:
        case NotUsable(reason="changed"):
            return problem("service-unavailable", error.detail, retry_after=1)
        case NotUsable():
            return problem("missing-provider-credential", error.detail, remedy=_REMEDIES[run.credential_source])
        case AllKeysRest():
            return resting_refusal(run.provider, error.retry_after)
        case VaultNotConfigured():
            return problem("vault-not-configured", "The key vault is not configured.")
        case Unreadable():
            return problem("credential-unreadable", "The vault cannot read the key.")
        case _:
            return problem("credential-unreadable", "The vault cannot read keys just now.", retry_after=5)


def _answer(run: Run, handed: HandedOut) -> CredentialAnswer:
    return CredentialAnswer(
        authorization=encode_id("auth", run.id),
        provider=run.provider,
        model=run.model,
        credential_source=run.credential_source,
        credential=own_key_id(run.credential_source, handed.credential_id),
        version=handed.number,
        api_key=handed.secret,
        base_url=handed.base_url,
        last_four=handed.last_four,
        expires_at=rfc3339(run.expires_at),
    )
