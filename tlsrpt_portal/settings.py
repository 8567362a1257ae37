"""Django settings. What an operator can change is declared in `tlsrpt_portal.env`."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import plotly
from csp.constants import NONE, SELF

from tlsrpt_portal import env
from tlsrpt_portal.demo.world import REPORT_ADDRESS

env.load_dotenv()

BASE_DIR = env.BASE_DIR
DATA_DIR: Path = env.read("DATA_DIR")
SECRET_KEY = env.read_secret_key(DATA_DIR)
DEBUG: bool = env.read("DEBUG")
DEMO: bool = env.read("DEMO")
SITE_URL: str = env.read("SITE_URL").rstrip("/")
_site = urlsplit(SITE_URL)
IS_HTTPS = _site.scheme == "https"

# --- what the portal is made of

INSTALLED_APPS = [
    "tlsrpt_portal",
    "alerts",
    "reports",
    "domains",
    "accounts",
    "webui",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_bootstrap5",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "js_lib_bootstrap5",
]

MIDDLEWARE = [
    "reports.channels.https.IntakeMiddleware",
    "domains.hosted.HostedPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "webui.middleware.ZeroByteMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.middleware.ActingAsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "tlsrpt_portal.urls"
WSGI_APPLICATION = "tlsrpt_portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

FORM_RENDERER = "webui.form_renderer.FormRenderer"
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
    },
]

# --- storage and background work

DATABASES = {"default": env.read_database(DATA_DIR)}
REDIS_URL: str = env.read("REDIS_URL")

if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "tlsrpt",
        }
    }
else:
    # Per process: nothing that must be counted or locked across processes may rest on it.
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

QUEUE_DIR = DATA_DIR / "queue"
WORKER_PROCESSES: int = env.read("WORKER_PROCESSES")

CELERY_BROKER_URL = REDIS_URL or "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 3600}
    if REDIS_URL
    else {
        "data_folder_in": str(QUEUE_DIR / "messages"),
        "data_folder_out": str(QUEUE_DIR / "messages"),
        "control_folder": str(QUEUE_DIR / "control"),
        "processed_folder": str(QUEUE_DIR / "processed"),
        "store_processed": True,
        "polling_interval": 0.1,
    }
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = WORKER_PROCESSES
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # kilobytes
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TIMEZONE = "UTC"

# --- addresses, cookies, headers

_loopback = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = sorted({_site.hostname or "localhost", *_loopback, *env.read("ALLOWED_HOSTS")})
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "tlsrpt_session"
CSRF_COOKIE_NAME = "tlsrpt_csrf"
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
# Names below the portal's, and lists in browsers, are for whoever owns the domain to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_SSL_REDIRECT = IS_HTTPS
# Reporters do not follow redirects (RFC 8460 section 5.4), and probes ask over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^tlsrpt/", r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_REFERRER_POLICY = "same-origin"
# A list of domains may be pasted up to the size of a file of them; a little is for the rest of the
# form. What is larger gets 400.html.
DATA_UPLOAD_MAX_MEMORY_SIZE = 24 * 1024**2
# The boxes of very many chosen rows, one field each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
TRUSTED_PROXY: bool = env.read("TRUSTED_PROXY")
if TRUSTED_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"

# Plotly adds an empty style sheet and fills it by script; the hash of nothing allows just that.
_EMPTY_STYLE = f"'sha256-{base64.b64encode(hashlib.sha256(b'').digest()).decode()}'"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF, _EMPTY_STYLE],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# --- people

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_FORMS = {
    "login": "accounts.password_forms.LogInForm",
    "reauthenticate": "accounts.password_forms.PasswordAgainForm",
    "change_password": "accounts.password_forms.ReplacePasswordForm",
    "reset_password": "accounts.password_forms.AskForPasswordForm",
    "reset_password_from_key": "accounts.password_forms.ChoosePasswordForm",
}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by administrators
# Nobody signs up here, so a mail that offers it to a stranger's address is only noise.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[TLS-RPT Portal] "
# Failed log-ins and wrong codes are counted by axes, in the database, across all web processes.
ACCOUNT_RATE_LIMITS = {"login_failed": None}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _site.scheme
# An administrator vouches for the address. Asking for a link with which a password is set notes it
# as not verified, so without this no invited person could ever have a second factor.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_ADAPTER = "accounts.adapter.TwoFactorAdapter"
MFA_FORMS = {
    "activate_totp": "accounts.code_forms.FirstCodeForm",
    "authenticate": "accounts.code_forms.CodeForm",
    "reauthenticate": "accounts.code_forms.CodeAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "TLS-RPT Portal"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = "accounts.lock_out.counted_by"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "email"  # as allauth names it to what authenticates
AXES_USERNAME_CALLABLE = "accounts.lock_out.who"
AXES_LOCKOUT_TEMPLATE = "account/locked_out.html"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
AXES_CLIENT_IP_CALLABLE = "accounts.client_address.client_address"

# --- static files: hashed names, compressed once when they are collected

STATIC_URL = "/static/"
STATIC_ROOT: Path = env.read("STATIC_DIR") or DATA_DIR / "static"
STATICFILES_DIRS = [("plotly", Path(plotly.__file__).parent / "package_data")]
STATICFILES_FINDERS = [
    "tlsrpt_portal.staticfiles.LeanFileSystemFinder",
    "tlsrpt_portal.staticfiles.LeanAppDirectoriesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- language and time: days are UTC days everywhere (RFC 8460 section 4.1)

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = False

# --- mail out

globals().update(env.read_email())
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.read("EMAIL_FROM")
EMAIL_TIMEOUT = 20

# --- checks

DNS_NAMESERVERS: list[str] = env.read("DNS_NAMESERVERS")
PROBE_PRIVATE_ADDRESSES: bool = env.read("PROBE_PRIVATE_ADDRESSES")
PROBE_CA_FILE: str = str(env.read("PROBE_CA_FILE") or "")
PROBE_STARTTLS: bool = env.read("PROBE_STARTTLS")
# What observes a domain; the demo world puts itself in its place.
PROBE_WITH = "tlsrpt_portal.demo.observed.run_checks" if DEMO else "prober.run_checks"
# Which destinations reach this portal: reports know, and domains must not import them.
OUR_DESTINATIONS = "reports.destinations.our_destinations"
CHECK_INTERVAL_HOURS: int = env.read("CHECK_INTERVAL_HOURS")

# --- reports

MAIL_LISTEN: str = env.read("MAIL_LISTEN")
MAIL_ADDRESS: str = env.read("MAIL_ADDRESS") or (REPORT_ADDRESS if DEMO else "")
INTAKE_MAX_MEGABYTES: int = env.read("INTAKE_MAX_MEGABYTES")
INTAKE_PER_MINUTE: int = env.read("INTAKE_PER_MINUTE")
REPORT_MAX_MEGABYTES: int = env.read("REPORT_MAX_MEGABYTES")
REPORT_TRUST: str = env.read("REPORT_TRUST")
KEEP_RAW_DAYS: int = env.read("KEEP_RAW_DAYS")
KEEP_REPORT_DAYS: int = env.read("KEEP_REPORT_DAYS")
KEEP_ROLLUP_DAYS: int = env.read("KEEP_ROLLUP_DAYS")

METRICS_TOKEN: str = env.read("METRICS_TOKEN")

# --- logs

LOG_LEVEL: str = env.read("LOG_LEVEL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"},
        "json": {"()": "tlsrpt_portal.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": env.read("LOG_FORMAT")}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "kombu.connection": {"level": "ERROR"},  # the file queue has no host name, and need not
        "axes": {"level": "ERROR"},  # each failure is a row; a line beside it says nothing more
        "httpx2": {"level": "WARNING"},
        "mail.log": {"level": "WARNING"},  # aiosmtpd: every command of every session
    },
}
