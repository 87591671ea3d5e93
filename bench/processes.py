"""CPU seconds and peak memory of processes and all that they started, as Linux keeps them in /proc."""

import os
from pathlib import Path

import psycopg

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and all its living descendants."""
    found = [pid]
    for one in found:
        for thread in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, _text(thread).split())
    return found


def cpu_seconds(pid: int) -> float:
    """Of the process and its descendants, the ended ones whose parents took notice among them."""
    return sum(sum(map(int, _stat(one)[11:15])) for one in family(pid) if _stat(one)) / TICKS


def peak_megabytes(pid: int) -> float:
    """The most memory that any one process of the family has held at a time. Not `ru_maxrss`: that begins with what its parent had held."""
    return max(_peak(one) for one in family(pid))


def _stat(pid: int) -> list[str]:
    return _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()


def _peak(pid: int) -> float:
    for line in _text(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return ""


def postmaster(url: str) -> int | None:
    """The process id of the PostgreSQL at this URL, None where there is none or it runs elsewhere."""
    if not url.startswith("postgres"):
        return None
    with psycopg.connect(url) as connection:
        [backend] = connection.execute("SELECT pg_backend_pid()").fetchone() or [0]
        stat = _stat(backend)
    return int(stat[1]) if stat else None
