"""Structured logs: one JSON object a line on standard error, without values of headers, bodies, forms or keys (K2)."""

import logging
from typing import Any

import structlog
from django.http import HttpRequest
from structlog.typing import Processor

from config.shown_paths import shown_path
from vault.crypto.redaction import redact

_plain = logging.Formatter()


class RedactedRecord(logging.LogRecord):
    """A log record whose text has no keys, whichever library wrote it and whichever handler prints it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0] is not None:  # what formatters print instead of their own traceback
            self.exc_text = redact(_plain.formatException(self.exc_info))

    def getMessage(self) -> str:
        """The message, or the JSON line that our formatter has made of it; Django's lines about requests name paths."""
        text = super().getMessage()
        request = vars(self).get("request")
        return redact(text.replace(request.path, shown_path(request)) if isinstance(request, HttpRequest) else text)


logging.setLogRecordFactory(RedactedRecord)

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_SHARED,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(),
            "foreign_pre_chain": [*_SHARED, structlog.processors.format_exc_info],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django_structlog": {"level": "WARNING"},
        # Requests for other hosts come from scanners, all day; they are answered with 400.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # Django repeats every 4xx as a warning; the access log of the server has them.
        "django.request": {"level": "ERROR"},
        # At its lowest level it writes down the headers of answers, and some repeat the key they refuse.
        "httpcore": {"level": "WARNING"},
    },
}
