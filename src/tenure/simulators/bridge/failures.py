"""What can go wrong on the line, each with its fix; every one of them is answered by starting the process again."""

from __future__ import annotations


class Failure(Exception):
    """The line or the process behind it cannot be used any more.

    Args:
        found: what happened.
        fix: what the reader should do where it happens again.
    """

    def __init__(self, found: str, fix: str) -> None:
        self.found, self.fix = found, fix
        super().__init__(found)


def hung(asked: str, seconds: float) -> Failure:
    """No answer in time."""
    fix = "answer every line, flush after it, and raise timeout_s if a step really takes so long"
    return Failure(f"it hung: no answer to {asked!r} within {seconds:g} s", fix)


def died(asked: str, how: str, last_words: str) -> Failure:
    """The process ended, or closed the line."""
    said = f"; its last words: {last_words}" if last_words else ""
    return Failure(f"it died at {asked!r} ({how}){said}", "mend what ended it; run the command by hand to see")


def flooded(asked: str, most: int) -> Failure:
    """A line without end."""
    fix = "write one line for each request and nothing else to standard output; log to standard error"
    return Failure(f"it flooded: more than {most} bytes without the end of a line, at {asked!r}", fix)


def unasked(line: bytes) -> Failure:
    """A line nobody asked for."""
    fix = "answer each request once, with its id; log to standard error"
    return Failure(f"it spoke without being asked: {_short(line)}", fix)


def nonsense(asked: str, line: bytes, why: str) -> Failure:
    """A line that is no answer."""
    fix = "answer with one JSON object on one line, with the request's id; log to standard error"
    return Failure(f"it spoke nonsense at {asked!r}: {_short(line)} ({why})", fix)


def _short(line: bytes) -> str:
    text = line[:80].decode("utf-8", "replace")
    return repr(text + ("..." if len(line) > 80 else ""))
