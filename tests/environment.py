"""Loaded before pytest-django reads the settings: a data folder of the run's own, and no variable of the developer's shell."""

import atexit
import os
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path

KEPT = {"ROLLBOOK_DATABASE_URL", "ROLLBOOK_TEST_LONG", "ROLLBOOK_TEST_COUNTS", "ROLLBOOK_TEST_FIGURES"}

if "ROLLBOOK_TEST_DATA" not in os.environ:
    for name in [name for name in os.environ if name.startswith("ROLLBOOK_") and name not in KEPT]:
        del os.environ[name]
    folder = tempfile.mkdtemp(prefix="rollbook-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # xdist's workers inherit all of this, and with it the folder.
    os.environ["ROLLBOOK_TEST_DATA"] = folder
    os.environ["ROLLBOOK_DATA_DIR"] = folder
    os.environ["ROLLBOOK_PUBLIC_URL"] = "http://testserver"
    os.environ["ROLLBOOK_RATE_LIMIT"] = "0"
    os.environ["ROLLBOOK_SECRET_KEY"] = "a key for tests alone, long enough to pass"
    os.environ["ROLLBOOK_FIELD_KEYS"] = "cm9sbGJvb2stdGVzdHMtdXNlLXRoaXMta2V5LW9ubHk="
    # Where the shell forbids bytecode beside the sources, each of the many processes would compile all it imports.
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(Path(sys.prefix, "bytecode"))
        sys.dont_write_bytecode = False
    # The browser's driver keeps an event loop in the tests' thread; the tests themselves stay synchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

if "PYTEST_XDIST_WORKER" in os.environ:
    # For each of its classes pydantic looks through all modules there are. Before those of a whole run are read, that is soon done.
    for name in ("scim2_models", "scim2_server.testserver.application"):
        import_module(name)
