"""Settings, all from the environment (see `pmplatform.environment` for what a missing value does).

DATABASE_URL, REDIS_URL, PM_SECRET_KEY and PM_TOKEN_PEPPER may each come from a file named by the same
variable with `_FILE`. The others have safe defaults: PM_ALLOWED_HOSTS and PM_CSRF_TRUSTED_ORIGINS (comma
separated), PM_DATA_DIR, the limits of the platform (`pmplatform.tunables`), and the flags PM_DEBUG,
PM_PLAIN_HTTP (no TLS: for loopback) and PM_BEHIND_PROXY (believe X-Forwarded-Proto: only behind a proxy
that always sets it).
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from kombu import Queue

from pmplatform import environment, theme, tunables

environment.refuse_unknown(
    frozenset(
        {
            "PM_SECRET_KEY",
            "PM_SECRET_KEY_FILE",
            "PM_TOKEN_PEPPER",
            "PM_TOKEN_PEPPER_FILE",
            "PM_SECRET_KEY_PREVIOUS",
            "PM_SECRET_KEY_PREVIOUS_FILE",
            "PM_TOKEN_PEPPER_PREVIOUS",
            "PM_TOKEN_PEPPER_PREVIOUS_FILE",
            "PM_ALLOWED_HOSTS",
            "PM_BEHIND_PROXY",
            "PM_CSRF_TRUSTED_ORIGINS",
            "PM_DATA_DIR",
            "PM_DEBUG",
            "PM_PLAIN_HTTP",
            "PM_DEMO",
            "PM_EXECUTION_URL",
            "PM_EXECUTION_SECRET",
            "PM_EXECUTION_SECRET_FILE",
        }
    )
    | tunables.NAMES
)

# The last bits of a product depend on how many threads computed it, and every process must agree on them.
# Settings are read before any app, and so before NumPy loads its library.
os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")})

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = environment.flag("PM_DEBUG")
SECRET_KEY = environment.required("PM_SECRET_KEY")
# Keyed into every stored token hash, so that a leaked table alone verifies no guess.
PM_TOKEN_PEPPER = environment.required("PM_TOKEN_PEPPER")
# During a rotation what the values before have signed stays good.
PM_TOKEN_PEPPER_PREVIOUS = environment.text("PM_TOKEN_PEPPER_PREVIOUS")
SECRET_KEY_FALLBACKS = list(filter(None, [environment.text("PM_SECRET_KEY_PREVIOUS")]))
PM_DATA_DIR = Path(os.environ.get("PM_DATA_DIR") or BASE_DIR / ".pm")
PM_REDIS_URL = environment.required("REDIS_URL")
ALLOWED_HOSTS = environment.words("PM_ALLOWED_HOSTS") or ["127.0.0.1", "localhost"]

# --- Limits of the platform: `pmplatform.tunables` says what each means.
PM_SNAPSHOT_MAX_AGE = tunables.SNAPSHOT_MAX_AGE.value
PM_STUCK_SECONDS = tunables.STUCK_SECONDS.value
PM_INDEX_JUMP = tunables.INDEX_JUMP.value
PM_STABLE_JUMP = tunables.STABLE_JUMP.value
PM_IMPACT_MAX_AGE = tunables.IMPACT_MAX_AGE.value
PM_NEWLY_LIQUIDATABLE_LIMIT = tunables.NEWLY_LIQUIDATABLE_LIMIT.value
PM_PARAMETER_JUMP = tunables.PARAMETER_JUMP.value
PM_WARNING_HYSTERESIS = tunables.WARNING_HYSTERESIS.value
PM_MAX_ATTEMPTS = tunables.MAX_ATTEMPTS.value
PM_RATE_LIMIT = tunables.RATE_LIMIT.value
PM_STREAM_KEPT = tunables.STREAM_KEPT.value
PM_WEBHOOK_NETWORKS = tunables.WEBHOOK_NETWORKS.value
PM_SESSION_AGE = tunables.SESSION_AGE.value
PM_SESSION_IDLE = tunables.SESSION_IDLE.value
# Methodologies withdrawn by their venue: from when, and to which one their accounts move.
PM_RETIREMENTS = {"okx-classic": ("2025-01-21T08:00:00+00:00", "okx-2025")}
# Where liquidation trades: the address of a venue of one's own, and the secret that both sign with. Without
# an address it trades on paper, at mark.
PM_EXECUTION_URL = os.environ.get("PM_EXECUTION_URL", "")
PM_EXECUTION_SECRET = environment.required("PM_EXECUTION_SECRET") if PM_EXECUTION_URL else ""

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "pmplatform.console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "axes",
    "django_structlog",
    "pmplatform",
    "pmplatform.common",
    "pmplatform.console",
    "accounts",
    "margin",
    "liquidation",
]

MIDDLEWARE = [
    "pmplatform.common.middleware.request_id_middleware",
    "django.middleware.security.SecurityMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "pmplatform.console.sessions.session_limit_middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "pmplatform.urls"
WSGI_APPLICATION = "pmplatform.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ]
        },
    }
]

DATABASES = {"default": environment.database(environment.text("DATABASE_URL"))}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": PM_REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Wrong passwords lock a name out for the address that they come from.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "console/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Portfolio margin"
LOGIN_URL = "admin:login"
# Only the demo offers its one-time login link.
PM_DEMO = environment.flag("PM_DEMO")

LANGUAGE_CODE, TIME_ZONE = "en", "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "pmplatform.formats"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

# --- Browser safety
_TLS = not (DEBUG or environment.flag("PM_PLAIN_HTTP"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _TLS
SECURE_HSTS_SECONDS = 31_536_000 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if environment.flag("PM_BEHIND_PROXY") else None
CSRF_TRUSTED_ORIGINS = environment.words("PM_CSRF_TRUSTED_ORIGINS")
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = int(PM_SESSION_AGE.total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # The console's Alpine evaluates its attributes' expressions.
        "script-src": [SELF, UNSAFE_EVAL, NONCE],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["pmplatform.common.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "pmplatform.common.pagination.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "pmplatform.common.problems.problem_exception_handler",
    # A parameter named `format` is a route's own, as that of an account's margin.
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Portfolio-margin platform",
    "DESCRIPTION": "Accounts, margin runs and liquidation of a crypto portfolio-margin venue.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "pmplatform.api.schema.describe_common",
    ],
    "ENUM_NAME_OVERRIDES": {
        "MethodologyEnum": "accounts.choices.Methodology",
        "EligibilityStateEnum": "accounts.choices.EligibilityState",
        "RunStateEnum": "margin.choices.RunState",
        "VersionStateEnum": "margin.choices.VersionState",
        "ImpactStateEnum": "margin.choices.ImpactState",
        "PartStateEnum": "margin.choices.PartState",
        "CaseStateEnum": "liquidation.choices.CaseState",
        "StepStateEnum": "liquidation.choices.StepState",
        "OrderStatusEnum": "liquidation.choices.OrderStatus",
    },
}

UNFOLD = theme.unfold(f"/{STATIC_URL}console")

# --- Celery. PostgreSQL holds the work; a message only hints that some is due, so losing one costs a sweep.
CELERY_BROKER_URL = PM_REDIS_URL
CELERY_TASK_QUEUES = [Queue(name) for name in ("stress", "margin", "liquidation", "housekeeping")]
CELERY_IMPORTS = ["pmplatform.lost_workers"]
CELERY_TASK_DEFAULT_QUEUE = "housekeeping"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_ROUTES = {
    "margin.tasks.run_stress": {"queue": "stress"},
    # Over Redis the highest priority is 0, and the default: a change overtakes the shards of a run.
    "margin.tasks.run_margin": {"queue": "margin", "priority": 6},
    "margin.tasks.margin_changes": {"queue": "margin"},
    "margin.tasks.*": {"queue": "housekeeping"},
    "liquidation.tasks.*": {"queue": "liquidation"},
}


def _every(seconds: float, task: str) -> dict[str, Any]:
    """A periodic task; a message that nobody took before the next one is dropped."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


CELERY_BEAT_SCHEDULE = {
    "sweep-runs": _every(10, "margin.tasks.sweep_runs"),
    "sweep-accounts": _every(10, "margin.tasks.sweep_accounts"),
    "settle-expired": _every(5, "margin.tasks.settle_expired"),
    "prune-runs": _every(60, "margin.tasks.prune_runs"),
    "retire-methodologies": _every(10, "accounts.tasks.retire_methodologies"),
    "mirror-versions": _every(5, "margin.tasks.mirror_versions"),
    "check-invariants": _every(300, "pmplatform.tasks.check_invariants"),
    "sweep-liquidation": _every(2, "liquidation.tasks.sweep"),
    "settle-fund": _every(60, "liquidation.tasks.settle_fund"),
    # Asked for again and again: an hour has one run, and who was away at the full hour still gets it.
    "hourly-run": _every(10, "margin.tasks.start_scheduled_run"),
}
CELERY_BEAT_SCHEDULE_FILENAME = str(PM_DATA_DIR / "beat-schedule")
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# True redelivers a task that kills its worker without end; the sweeper counts attempts instead.
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Celery closes the database's connections before and after every task, and a new one costs more than most
# tasks: `pmplatform.celery` closes those that are worn out or broken, as Django does around a request.
CELERY_DB_REUSE_MAX = 2**62
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
# In KiB, and above the largest shard a worker maps.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_VISIBILITY_TIMEOUT = 180
CELERY_REDIS_SOCKET_TIMEOUT = 5
CELERY_REDIS_SOCKET_CONNECT_TIMEOUT = 2
CELERY_REDIS_SOCKET_KEEPALIVE = True
CELERY_REDIS_BACKEND_HEALTH_CHECK_INTERVAL = 10
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": CELERY_VISIBILITY_TIMEOUT,
    # Kombu's defaults take 100 s to hand on what a killed worker held.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": CELERY_REDIS_SOCKET_TIMEOUT,
    "socket_connect_timeout": CELERY_REDIS_SOCKET_CONNECT_TIMEOUT,
    "socket_keepalive": CELERY_REDIS_SOCKET_KEEPALIVE,
    "health_check_interval": CELERY_REDIS_BACKEND_HEALTH_CHECK_INTERVAL,
}
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": CELERY_VISIBILITY_TIMEOUT}

# --- Logs: one JSON object a line, with the request's or task's id on each.
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# `request_id_middleware` has replaced what was not well-formed, and bound the address that a request is from.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID, DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = True, False
_LOG_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
structlog.configure(
    processors=[*_LOG_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": _LOG_PROCESSORS,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
