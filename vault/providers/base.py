"""What a provider of models, speech, telephony or e-mail is to the vault, and how its answers are read."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Literal

from vault.crypto.secret import Secret
from vault.outbound.calls import BODY_LIMIT, Auth, Call
from vault.providers.answers import Verdict, read_json, unreachable
from vault.providers.paths import join

NO_KEY = "no-key"
"""Kept in the place of a key for a server that asks for none (Ollama): no header is sent for it."""


class Kind(StrEnum):
    LLM = "llm"
    STT = "stt"
    TTS = "tts"
    TELEPHONY = "telephony"
    EMAIL = "email"


class Provider(ABC):
    """One provider: how its keys look, the call that validates one at no cost, and what its answers mean (K2, K3)."""

    id: ClassVar[str]
    name: ClassVar[str]
    kind: ClassVar[Kind]
    key_hint: ClassVar[str]
    """How a key looks, for the form that asks for one."""
    key_pattern: ClassVar[str] = ""
    """What only this provider's keys look like; empty where they look like anybody's. Others are not refused: forms
    of keys change."""
    shortest_key: ClassVar[int] = 8
    official_url: ClassVar[str] = ""
    takes_base_url: ClassVar[bool] = False
    needs_base_url: ClassVar[bool] = False
    needs_key: ClassVar[bool] = True
    console_url: ClassVar[str]
    """Where people make keys."""

    path: ClassVar[str]
    headers: ClassVar[Mapping[str, str]] = {}
    auth_header: ClassVar[str] = "Authorization"
    auth_scheme: ClassVar[Literal["", "Bearer", "Token", "Basic"]] = "Bearer"
    body_limit: ClassVar[int] = BODY_LIMIT

    def validation(self, secret: Secret, base_url: str) -> Call:
        """The call, to `base_url` with or without the version that the provider's paths begin with."""
        with_key = self.needs_key or secret.reveal() != NO_KEY
        return Call(
            method="GET",
            url=join(base_url, self.path_for(secret)),
            headers={"Accept": "application/json", **self.headers},
            auth=Auth(self.auth_header, secret, self.auth_scheme) if with_key else None,
            body_limit=self.body_limit,
        )

    def path_for(self, secret: Secret) -> str:
        """The path of the call; overridden where it names the account."""
        return self.path

    def key_problem(self, text: str) -> str | None:
        """What is wrong with the key's form beyond what holds for every key; a sentence of ours."""
        return None

    def owns(self, text: str) -> bool:
        """Whether the text can only be a key of this provider."""
        return bool(self.key_pattern) and re.fullmatch(self.key_pattern, text) is not None

    def verdict(self, status: int, body: bytes) -> Verdict:
        """What an answer to the call means. Never raises, and says nothing in the provider's words."""
        answer = read_json(body)
        if 200 <= status < 300:
            found = self.accepted(answer)
        elif status >= 500:
            found = unreachable(f"{self.name} has trouble of its own just now.")
        else:
            found = self.refused(status, answer)
        return found or unreachable(f"{self.name} answered in a way that is not understood.")

    @abstractmethod
    def accepted(self, answer: object) -> Verdict | None:
        """Of a 2xx answer; None where it is not the provider's."""

    @abstractmethod
    def refused(self, status: int, answer: object) -> Verdict | None:
        """Of a 3xx or 4xx answer; None where it is not understood."""
