"""Settings by environment (twelve-factor); every variable is listed in docs/configuration.md."""

from decimal import Decimal
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from config.admin_site import UNFOLD as UNFOLD
from config.logging import LOGGING as LOGGING
from config.schedule import PERIODIC_WORK

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "Set SECRET_KEY to a random string of 50 or more characters (or DEBUG=1 at your desk)."
        )
    SECRET_KEY = "development-only-" * 4
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
QUAESTOR_ORIGIN = env.str("QUAESTOR_ORIGIN", default="http://127.0.0.1:8000")
CSRF_TRUSTED_ORIGINS = [QUAESTOR_ORIGIN]

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "pgtrigger",
    "django_htmx",
    "django_structlog",
    "lucide",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "djstripe",
    "tenants",
    "vault",
    "billing.plans",
    "billing.credits",
    "billing.subscriptions",
    "billing.usage",
    "billing.notifications",
    "billing.runtime",
    "billing.invoices",
    "billing.stripe_sync",
    "billing.api",
    "billing.console",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.RequestLog",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.AdminContentSecurityPolicy",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# One persistent connection a thread: a new one for every request costs a factor of ten on the hot paths.
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgresql:///quaestor")}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured(
        "DATABASE_URL must name a PostgreSQL database: constraints and triggers are the product."
    )
DATABASES["default"] |= {
    "CONN_MAX_AGE": None,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": DATABASES["default"].get("OPTIONS", {}) | {"connect_timeout": 5, "server_side_binding": True},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_URL = env.str("CACHE_URL", default="")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("console:overview")
ACCOUNT_ADAPTER = "billing.console.adapter.ClosedSignupAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # members are invited by e-mail: the invitation is the proof
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Quaestor] "
ACCOUNT_LOGOUT_ON_GET = False
MFA_TOTP_ISSUER = "Quaestor"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": env.str("STATIC_STORAGE", default="whitenoise.storage.CompressedManifestStaticFilesStorage")
    },
}

# A demo on plain http says INSECURE_COOKIES=1; every other deployment is https.
_SECURE = not env.bool("INSECURE_COOKIES", default=DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_AGE = 60 * 60 * 12
SECURE_SSL_REDIRECT = _SECURE and env.bool("SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Quaestor <billing@localhost>")

# Stripe; without a key everything that needs it answers `stripe-not-configured` (docs/stripe.md).
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_LIVE_MODE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
STRIPE_API_VERSION = "2026-05-27.dahlia"
if _stripe_host := env.str("STRIPE_API_HOST", default=""):  # dj-stripe looks whether the setting is there at all
    STRIPE_API_HOST = _stripe_host
STRIPE_TIMEOUT_SECONDS = env.int("STRIPE_TIMEOUT_SECONDS", default=10)
# Of an endpoint that somebody else made, such as `stripe listen` at a desk; else connect_stripe makes its own.
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
SILENCED_SYSTEM_CHECKS = ["djstripe.W002"]  # a host of one's own is the sandbox's way in
# Where customers may be sent back to after Checkout or the portal: origins, the console's own among them.
BILLING_RETURN_ORIGINS = [QUAESTOR_ORIGIN, *env.list("BILLING_RETURN_ORIGINS", default=[])]
# Where customers write for what is not sold by itself: an Enterprise plan.
CONTACT_EMAIL = env.str("CONTACT_EMAIL", default="")
# Who issues invoices, as it is printed on them; the address in lines.
SELLER_NAME = env.str("SELLER_NAME", default="Quaestor")
SELLER_ADDRESS = [line.strip() for line in env.str("SELLER_ADDRESS", default="").split("|") if line.strip()]
SELLER_TAX_ID = env.str("SELLER_TAX_ID", default="")
SELLER_EMAIL = env.str("SELLER_EMAIL", default=CONTACT_EMAIL)
# How long after its end a billing cycle is closed: usage that is reported by then is still in it.
INVOICE_GRACE_MINUTES = env.int("INVOICE_GRACE_MINUTES", default=60)
# The platform's fee on card purchases of credits, on top of the amount, and what may be bought at once.
TOPUP_FEE_PERCENT = Decimal(env.str("TOPUP_FEE_PERCENT", default="5"))
TOPUP_MINIMUM = Decimal(env.str("TOPUP_MINIMUM", default="5"))
TOPUP_MAXIMUM = Decimal(env.str("TOPUP_MAXIMUM", default="10000"))
# How long a session keeps its slot without a sign of life (P9).
SESSION_TIMEOUT_SECONDS = env.int("SESSION_TIMEOUT_SECONDS", default=60)
# How long a paid plan outlives its first failed renewal.
DUNNING_GRACE_DAYS = env.int("DUNNING_GRACE_DAYS", default=7)

# The vault of provider keys (docs/vault.md): where local key-encryption keys lie, outside of the project.
VAULT_KEK_DIR = env.str("VAULT_KEK_DIR", default="")
# How long a replaced key version can be gone back to, before it is erased.
VAULT_OVERLAP_HOURS = env.int("VAULT_OVERLAP_HOURS", default=24)
# How long a provider may take to answer the check of a key.
PROVIDER_TIMEOUT_SECONDS = env.int("PROVIDER_TIMEOUT_SECONDS", default=10)
# A stand-in for all providers instead of their own addresses; never in production.
PROVIDERS_HOST = env.str("PROVIDERS_HOST", default="")

# Outbound webhooks (docs/webhooks.md): how long an endpoint may take in all, and what counts as slow, in seconds.
WEBHOOK_TIMEOUT_SECONDS = env.float("WEBHOOK_TIMEOUT_SECONDS", default=15)
WEBHOOK_SLOW_SECONDS = 3
WEBHOOK_SWEEP_SECONDS = 20  # after which a worker's task ends and the next one goes on
WEBHOOKS_AT_ONCE = 32  # of a worker's in each lane
WEBHOOKS_AT_ONCE_OF_A_TENANT = 2  # of all workers together, in each lane: nobody fills it with what does not answer

# Neither the developer's page nor the e-mail to staff shows keys.
DEFAULT_EXCEPTION_REPORTER = "config.exception_reporter.SafeReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.exception_reporter.SafeFilter"

# A body of a thousand usage events with long attributes is about 600 kB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["billing.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["billing.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["billing.api.renderers.StructRenderer"],
    "DEFAULT_PARSER_CLASSES": ["billing.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "billing.api.errors.problem_response",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # `format` is a parameter like any other
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Quaestor",
    "DESCRIPTION": "Plans, credits, metering and runtime decisions of an AI-agent platform.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "billing.api.openapi.add_problem_responses",
    ],
}

BROKER_URL = env.str("BROKER_URL", default="redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = PERIODIC_WORK
