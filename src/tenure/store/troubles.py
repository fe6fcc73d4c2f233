"""What went wrong with a store far away, in the words of whoever can mend it."""

from __future__ import annotations

import asyncio

from tenure.core.errors import SettingsError, StoreError, TenureError

RIGHTS = frozenset(
    {
        "AccessDenied",
        "ClientAuthenticationError",
        "DefaultCredentialsError",
        "InvalidAccessKeyId",
        "NoCredentialsError",
        "PartialCredentialsError",
        "RefreshError",
        "SignatureDoesNotMatch",
    }
)
"""Names of errors, or codes in them, of botocore, google-auth and azure-core that say: not you."""
ABSENT = frozenset({"ResourceNotFoundError", "NoSuchBucket", "NoSuchKey", "ContainerNotFound"})
"""Those that say: there is no such thing."""


class Absent(StoreError):
    """There is no such file, or no such bucket."""


def trouble_of(error: Exception, url: str) -> tuple[TenureError, bool]:
    """An error of ours for one of a store, and whether trying again may help.

    Args:
        error: of fsspec or of the store's own library.
        url: where it happened.
    """
    if isinstance(error, TenureError):
        return error, False
    status, name = _status(error), _names(error)
    if isinstance(error, FileNotFoundError) or status == 404 or name & ABSENT:
        fix = "make the bucket or container first, or mend its name in the URL"
        return Absent(expected="a bucket that exists", found=_said(error), where=url, fix=fix), False
    if isinstance(error, PermissionError) or status in (401, 403) or name & RIGHTS:
        return _no_right(error, url), False
    if _is_settings(error):
        fix = "mend the URL, or give the account and its key as docs/deploy.md says"
        return SettingsError(expected="a store that can be opened", found=_said(error), where=url, fix=fix), False
    fix = "see that the network, the endpoint and the disk work, then do it again; nothing here is lost"
    away = StoreError(expected="a store that answers", found=_said(error), where=url, fix=fix)
    return away, not _is_in_the_way(error)


def _no_right(error: Exception, url: str) -> StoreError:
    return StoreError(
        expected="the right to list, read, write and remove below that URL",
        found=_said(error),
        where=url,
        fix="give this machine credentials with that right: docs/deploy.md lists the variables of each store",
    )


def _is_in_the_way(error: Exception) -> bool:
    """Whether a file lies where a folder should be, or the other way round, which no waiting mends."""
    return isinstance(error, (NotADirectoryError, IsADirectoryError, FileExistsError))


def _is_settings(error: Exception) -> bool:
    return isinstance(error, ValueError) and not isinstance(error, (UnicodeError, asyncio.TimeoutError))


def _status(error: Exception) -> int | None:
    """The HTTP status an error tells, by whatever name its library gives it."""
    for name in ("status_code", "code", "status"):
        value = getattr(error, name, None)
        if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
            return int(value)
    return None


def _names(error: BaseException | None) -> set[str]:
    """The names and codes of an error and of those it came from."""
    found = set[str]()
    while error is not None:
        told = getattr(error, "response", None)
        code = told.get("Error", {}).get("Code") if isinstance(told, dict) else getattr(error, "error_code", None)
        found |= {type(error).__name__, str(code)}
        error = error.__cause__
    return found


def _said(error: Exception) -> str:
    """One line of what an error says; such messages can hold whole pages."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}"
