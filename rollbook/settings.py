"""Django's settings, all from the environment (rollbook/environment.py is the table of what may be set). No decisions elsewhere."""

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import SimpleLazyObject

from rollbook.environment import envbool, envint, envnetworks, envsecret, envtext, kept_secret

PACKAGE = Path(__file__).parent
DATA_DIR = Path(envtext("ROLLBOOK_DATA_DIR")).expanduser().absolute()
DEBUG = envbool("ROLLBOOK_DEBUG")
RATE_LIMIT = envint("ROLLBOOK_RATE_LIMIT")
STREAMS = envint("ROLLBOOK_STREAMS")
TRUSTED_PROXIES = envnetworks("ROLLBOOK_TRUSTED_PROXIES")
UPLOAD_LIMIT = envint("ROLLBOOK_UPLOAD_MEGABYTES", least=1) * 1_000_000
SOURCE_FOLDERS = (
    Path(envtext("ROLLBOOK_SOURCE_FOLDERS", default=""))
    if envtext("ROLLBOOK_SOURCE_FOLDERS", default="")
    else None
)
VALIDATE = envbool("ROLLBOOK_VALIDATE")
VALIDATE_LIMIT = envint("ROLLBOOK_VALIDATE_MEGABYTES", least=1) * 1_000_000
VALIDATE_PER_HOUR = envint("ROLLBOOK_VALIDATE_PER_HOUR")
TOMBSTONE_DAYS = envint("ROLLBOOK_TOMBSTONE_DAYS", least=1)
WORKER_RUNS = envint("ROLLBOOK_WORKER_RUNS", least=1)
SFTP_PORT = envint("ROLLBOOK_SFTP_PORT")
SFTP_HOST = envtext("ROLLBOOK_SFTP_HOST", default="")
SFTP_HOST_KEY = Path(
    envtext("ROLLBOOK_SFTP_HOST_KEY", default=str(DATA_DIR / "sftp" / "host.key"))
).expanduser()

# --- Secrets. Lazy, so that a command that needs none (validate, --help) leaves no file behind. ---------------------------------


def _secret_key() -> str:
    return envsecret("ROLLBOOK_SECRET_KEY") or kept_secret(
        DATA_DIR / "secret.key", lambda: secrets.token_urlsafe(48)
    )


def _field_keys() -> list[str]:
    given = envsecret("ROLLBOOK_FIELD_KEYS")
    text = given or kept_secret(DATA_DIR / "field.keys", lambda: Fernet.generate_key().decode())
    return [key.strip() for key in text.split(",") if key.strip()]


SECRET_KEY: Any = SimpleLazyObject(_secret_key)
FIELD_KEYS: Any = SimpleLazyObject(_field_keys)

# --- Addresses ------------------------------------------------------------------------------------------------------------------

PUBLIC_URL = envtext("ROLLBOOK_PUBLIC_URL").rstrip("/")
_public = urlsplit(PUBLIC_URL)
if _public.scheme not in ("http", "https") or not _public.hostname or _public.path or _public.query:
    raise ImproperlyConfigured(
        f"ROLLBOOK_PUBLIC_URL is '{PUBLIC_URL}'. Write the scheme and host the world uses, for example https://roster.example.org."
    )
LOCAL_NAMES = ["localhost", "127.0.0.1", "[::1]"]
_hosts = envtext("ROLLBOOK_ALLOWED_HOSTS", default="")
ALLOWED_HOSTS = (
    [host.strip() for host in _hosts.split(",") if host.strip()]
    if _hosts
    else [_public.hostname, *LOCAL_NAMES]
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
if _public.hostname in ("localhost", "127.0.0.1", "::1"):
    _port = f":{_public.port}" if _public.port else ""
    CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{name}{_port}" for name in LOCAL_NAMES]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _public.scheme == "https"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if _public.scheme == "https" else 0
X_FRAME_OPTIONS = "DENY"
APPEND_SLASH = False
ROOT_URLCONF = "rollbook.urls"
WSGI_APPLICATION = "rollbook.wsgi.application"

# --- Databases ------------------------------------------------------------------------------------------------------------------

# What reading writes. On SQLite these tables live in a file of their own, so that an import never makes a reader wait;
# no foreign key leads from them into the roster file.
READING_MODELS = frozenset(
    {
        "mfa.authenticator",
        "sessions.session",
        "store.accessrow",
        "store.accesstoken",
        "store.applaunch",
        "store.auditnote",
        "store.breakglassuse",
        "store.bucket",
        "store.dailyuse",
        "store.delivery",
        "store.exporttest",
        "store.idtoken",
        "store.keyuse",
        "store.lastsignin",
        "store.logoutnotice",
        "store.launchuse",
        "store.nonce",
        "store.oauthgrant",
        "store.opensession",
        "store.operatortokenuse",
        "store.pagechunk",
        "store.pagelist",
        "store.pin",
        "store.progress",
        "store.refreshtoken",
        "store.sanitycheck",
        "store.signinattempt",
        "store.signincode",
        "store.signintrace",
        "store.throttle",
        "store.visit",
        "store.visittoken",
        "store.worker",
    }
)
# All of oauth-toolkit's models are swapped for ours (store.models.access); its own migrations would look for them in the wrong file.
# allauth's table of second steps lives beside the roster, so its migration is one without a constraint to the accounts.
MIGRATION_MODULES = {"oauth2_provider": None, "mfa": "rollbook.store.mfa_migrations"}
DATABASE_ROUTERS = ["rollbook.store.routers.ReadingRouter"]

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=NORMAL;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-65536;"
    "PRAGMA mmap_size=1073741824;"
    "PRAGMA journal_size_limit=67108864;"
)


def _sqlite(file: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": SQLITE_PRAGMAS},
        "TEST": {"NAME": str(file.with_name(f"test-{file.name}"))},
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    # Compiling a statement takes longer than any of ours runs.
    options: dict[str, Any] = {"options": "-c jit=off", **dict(parse_qsl(parts.query))}
    host = options.pop("host", parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        # Only what asks for it is prepared (store/prepared.py): Django's own cursors bind values themselves and never do.
        "OPTIONS": options
        | {
            "pool": {"min_size": 1, "max_size": envint("ROLLBOOK_DATABASE_POOL", least=1)},
            "prepare_threshold": 5,
        },
    }


def _databases(url: str) -> dict[str, dict[str, Any]]:
    """`default` holds the rosters, `reading` what reading writes: two files on SQLite, one database on PostgreSQL."""
    kind = urlsplit(url).scheme
    if kind == "sqlite" and url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        file = Path(unquote(url.removeprefix("sqlite:///"))).absolute()
        reading = "reading.db" if file.stem == "roster" else f"{file.stem}-reading{file.suffix}"
        return {"default": _sqlite(file), "reading": _sqlite(file.with_name(reading))}
    if kind in ("postgresql", "postgres") and urlsplit(url).path.strip("/"):
        return {"default": _postgresql(url), "reading": _postgresql(url) | {"TEST": {"MIRROR": "default"}}}
    raise ImproperlyConfigured(
        f"ROLLBOOK_DATABASE_URL begins with '{kind}:' and cannot be used. Write sqlite:///<path of a file>"
        " or postgresql://<user>:<password>@<host>/<name>."
    )


DATABASES = _databases(envsecret("ROLLBOOK_DATABASE_URL") or f"sqlite:///{DATA_DIR / 'roster.db'}")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Apps and middleware --------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "rollbook.checks.Checks",
    "rollbook.store",
    "rollbook.console",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "oauth2_provider",
    "django_htmx",
    "csp",
]

# From the outside in; each line says why it stands where it does.
MIDDLEWARE = [
    "rollbook.health.Probes",  # answers /livez and /readyz whatever host they are asked by
    "rollbook.address.PublicAddress",  # all that follow see the public address
    "django.middleware.security.SecurityMiddleware",
    "rollbook.api.door.RestDoor",  # answers the API: needs no session, language, form token or page policy
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # after the session, before anything speaks
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "rollbook.console.sessions.Sessions",  # notes which sessions are used; after the accounts are known
    "rollbook.console.second_steps.Gate",  # nothing is opened to who still has to set up a second step
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "console" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # Tabler's CSS draws its arrows and ticks as data: images
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

CACHES = {
    "default": {"BACKEND": "rollbook.store.throttles.Throttles"},  # allauth counts tries in it
    "memory": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}

# --- Sign-in and tokens ---------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "store.Account"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "rollbook.store.hashing.RandomSecretHasher",  # the apps' secrets, which are random, and nothing else
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "rollbook.console.sign_in.Entrance"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
# allauth's own generator writes into its table of addresses, and tells strangers to sign up, which nobody can.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300

MFA_ADAPTER = "rollbook.console.second_steps.SecondSteps"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "add_webauthn": "rollbook.console.second_steps.AddPasskeyForm",
    "authenticate": "rollbook.console.second_steps.CodeForm",
    "authenticate_webauthn": "rollbook.console.second_steps.PasskeyForm",
    "login_webauthn": "rollbook.console.second_steps.PasskeyAloneForm",
    "reauthenticate": "rollbook.console.second_steps.CodeAgainForm",
    "reauthenticate_webauthn": "rollbook.console.second_steps.PasskeyAgainForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Rollbook"
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off
REQUIRE_SECOND_STEP = envbool("ROLLBOOK_REQUIRE_SECOND_STEP")

OAUTH2_PROVIDER = {
    "CLIENT_SECRET_HASHER": "random_sha256",
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,  # a token's checksum is kept, the token is not
}
OAUTH2_PROVIDER_APPLICATION_MODEL = "store.Credential"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "store.AccessToken"
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "store.RefreshToken"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "store.IDToken"
OAUTH2_PROVIDER_GRANT_MODEL = "store.OAuthGrant"

# --- Language, time, files, mail, logs ------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
# English, as its countries write dates and numbers, and what is translated whole (`script/messages`; tests/house/test_languages.py).
LANGUAGES = [
    ("en", "English"),
    ("en-gb", "British English"),
    ("en-au", "Australian English"),
    ("en-ca", "Canadian English"),
    ("es", "Español"),
]
LOCALE_PATHS = [PACKAGE / "console" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
# `rollbook serve` collects the files under names that carry their hash; without that (tests, a shell) plain names serve.
_collected = (STATIC_ROOT / "staticfiles.json").exists()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage."
        + ("ManifestStaticFilesStorage" if _collected else "StaticFilesStorage")
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440


def _email(url: str) -> dict[str, Any]:
    """Django's e-mail settings for ROLLBOOK_EMAIL_URL."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path:
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    tls = dict(parse_qsl(parts.query)).get("tls", {587: "starttls", 465: "ssl"}.get(parts.port or 0, "none"))
    if parts.scheme == "smtp" and parts.hostname and tls in ("starttls", "ssl", "none"):
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": parts.port or 25,
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_TLS": tls == "starttls",
            "EMAIL_USE_SSL": tls == "ssl",
            "EMAIL_TIMEOUT": 20,
        }
    raise ImproperlyConfigured(
        "ROLLBOOK_EMAIL_URL cannot be used. Write smtp://<user>:<password>@<host>:<port>?tls=starttls (or ssl, or none),"
        " or file:<folder>."
    )


globals().update(_email(envsecret("ROLLBOOK_EMAIL_URL") or f"file:{DATA_DIR / 'mail'}"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = envtext("ROLLBOOK_EMAIL_FROM")

LOG_LEVEL = envtext("ROLLBOOK_LOG_LEVEL").upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
    raise ImproperlyConfigured(f"ROLLBOOK_LOG_LEVEL is '{LOG_LEVEL}'. Write DEBUG, INFO, WARNING or ERROR.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # Refused and unknown addresses are answered, not logged: anyone can make as many as they like.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # DEBUG there means every statement with its values: personal data.
        "django.db.backends": {"level": "INFO"},
        # DEBUG there means tokens, and what signatures were made of.
        "oauthlib": {"level": "WARNING"},
        # INFO there means a line for every packet's worth of conversation, with names of files.
        "asyncssh": {"level": "WARNING"},
        "oauth2_provider": {"level": "WARNING"},
    },
}
