"""docs/reference/api.md says what the REST door does."""

from pathlib import Path

from rollbook.api import discovery, oauth1, tokens
from rollbook.api.endpoints import SERVICES
from rollbook.oneroster import errors
from rollbook.oneroster.query import DEFAULT_LIMIT, MOST_LIMIT

PAGE = (Path(__file__).parents[2] / "docs/reference/api.md").read_text(encoding="utf-8")


def test_every_address_is_documented():
    for address in (*SERVICES, tokens.PATH, *discovery.PATHS):
        assert f"`{address}`" in PAGE


def test_every_refusal_of_a_read_is_documented():
    for problem in errors.PROBLEMS:
        if problem.status != 422:  # for writes, which there are none of
            second = f"`{problem.v1p2}`" if problem.v1p2 else "none"
            assert f"| {problem.status} | `{problem.v1p1}` | {second} |" in PAGE


def test_every_number_is_documented():
    assert f"{tokens.LIFETIME} seconds" in PAGE
    assert f"{oauth1.WINDOW} seconds off" in PAGE
    assert f"1 to {MOST_LIMIT}, {DEFAULT_LIMIT} without one" in PAGE
