"""One error tree, sorted by who must act; every message says expected, found, where and what to do."""

from __future__ import annotations


class TenureError(Exception):
    """Base of every error Tenure raises on purpose.

    Args:
        expected: what would have been right.
        found: what was there instead.
        where: file, line, field or request in which it was found.
        fix: what the reader should do now.
    """

    exit_code = 2
    http_status = 500

    def __init__(self, *, expected: str, found: str, where: str, fix: str) -> None:
        self.expected = expected
        self.found = found
        self.where = where
        self.fix = fix
        super().__init__(f"expected {expected}; found {found}; in {where}; to do: {fix}")

    def as_dict(self) -> dict[str, str]:
        """The error as plain fields, for `--json` and for HTTP bodies."""
        return {
            "error": type(self).__name__,
            "expected": self.expected,
            "found": self.found,
            "where": self.where,
            "fix": self.fix,
        }


class ProjectError(TenureError):
    """A project folder cannot be used: the engineer mends the folder."""


class ProblemError(ProjectError):
    """A problem contradicts itself: the engineer mends `problem.py`."""


class SettingsError(ProjectError):
    """`tenure.toml` holds something it must not: the engineer or operator mends it."""


class DataError(ProjectError):
    """A data file is not what the case needs: the engineer mends the file."""


class BundleError(TenureError):
    """A bundle is damaged or foreign: train or fetch it again."""

    http_status = 503


class IncumbentError(TenureError):
    """The rule that decides today cannot: the engineer mends it, the caller's own system decides meanwhile."""

    http_status = 503


class EvidenceError(TenureError):
    """A figure cannot be computed honestly: collect what is missing."""

    exit_code = 5


class MoveError(TenureError):
    """A rollout was asked for a move its table does not have."""

    http_status = 409


class RequestError(TenureError):
    """The client sent something that cannot be answered: the client mends the request."""

    http_status = 422


class ConflictError(RequestError):
    """The same id came with another body."""

    http_status = 409


class UnfitError(RequestError):
    """The log works, but cannot keep what was sent: the client mends the request."""


class UnknownError(RequestError):
    """The request names something that does not exist."""

    http_status = 404


class AccessError(RequestError):
    """Nobody has said who they are: the client sends a token."""

    http_status = 401


class ForbiddenError(RequestError):
    """Who asks may not do this: another person does, or an admin gives the role."""

    http_status = 403


class StoreError(TenureError):
    """The log cannot be read or written: the operator mends disk or database."""

    exit_code = 5
    http_status = 503


class FencedError(StoreError):
    """The kill epoch moved on between seeing it and committing under it."""

    http_status = 409
