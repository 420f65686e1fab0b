from uuid import UUID

from billing.usage.models import DocumentMark


def mark_document(*, account_id: UUID, position: int) -> None:
    """Let what is recorded from now on be known to come after the account's document at this position (I1).

    Call it under the account's ledger lock, in the transaction that issues the document.
    """
    mark = DocumentMark(account_id=account_id, position=position)
    DocumentMark.objects.bulk_create(
        [mark], update_conflicts=True, unique_fields=["account_id"], update_fields=["position"]
    )
