"""The example's tank, misbehaving: `misbehaving.py HOW AFTER [ONCE]`, from request AFTER on.

With the file ONCE it does so only while that file does not exist, and makes it: the next process behaves.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[3] / "examples" / "bridge" / "world.py"
Answer = dict[str, Any]


def die(answer: Answer) -> None:
    """With last words."""
    sys.stderr.write("out of memory\n")
    sys.stderr.flush()
    os._exit(7)


def flood(answer: Answer) -> None:
    """One line without end."""
    while True:
        sys.stdout.write("x" * 65536)


def close(answer: Answer) -> None:
    """Close the line and stay."""
    os.close(1)
    time.sleep(600)


def put(*place: Any) -> Callable[[Answer], None]:
    """Put the last value at the place, where the answer has it."""
    *way, name, value = place

    def change(answer: Answer) -> None:
        inner: Any = answer
        for key in way:
            if isinstance(inner, dict) and key not in inner:
                return
            inner = inner[key]
        inner[name] = value

    return change


def rename(answer: Answer) -> None:
    """Another name for a signal."""
    if "signals" in answer:
        answer["signals"]["mood"] = answer["signals"].pop("spilled")


CHANGES: dict[str, Callable[[Answer], object]] = {
    "hang": lambda answer: time.sleep(600),
    "die": die,
    "new-version": die,
    "random": die,
    "close": close,
    "flood": flood,
    "other-id": lambda answer: answer.update(id=answer["id"] + 1),
    "raises": lambda answer: answer.update(error="pump is stuck"),
    "nan": put("signals", "pumped", 1, float("nan")),
    "nan-seen": put("observations", 2, 1, float("nan")),
    "infinite": put("observations", 0, 0, float("inf")),
    "short": lambda answer: answer["observations"].pop(),
    "ragged": lambda answer: answer["observations"][0].pop(),
    "words": put("observations", 0, 0, "wet"),
    "booleans": lambda answer: answer.update(observations=[[True, False]] * len(answer["observations"])),
    "numbers-for-ends": lambda answer: answer.update(terminated=[0.0] * len(answer["observations"])),
    "no-signals": lambda answer: answer.pop("signals", None),
    "other-signal": rename,
    "no-masks": lambda answer: answer.pop("masks", None),
}
LINES = {"nonsense": "Gazebo started", "list": "[1, 2]", "deep": "[" * 100_000}
AT_HELLO: dict[str, tuple[str, Any]] = {
    "features": ("features", ["rain", "level"]),
    "protocol": ("protocol", 2),
    "no-levels": ("levels", []),
    "no-room": ("worlds", 0),
    "numbered": ("version", 3),
}


def spoiled(how: str, answer: Answer) -> str:
    """The answer's line, or whatever else happens."""
    if how in CHANGES:
        CHANGES[how](answer)
    after = "\nwarming up" if how == "chatty" else ""
    return LINES.get(how, json.dumps(answer)) + after


def at_hello(how: str, after: int, once: Path | None, answer: Answer) -> None:
    """What it says of itself."""
    if how in AT_HELLO:
        answer.update([AT_HELLO[how]])
    if how == "few":
        answer["worlds"] = after
    if how == "new-version" and once is not None and once.exists():
        answer["version"] = "tank-2"


def spoils(how: str, asked: int, after: int, once: Path | None) -> bool:
    """Whether this request is the one; marks that it was."""
    if asked < after or how == "few" or how in AT_HELLO or (once is not None and once.exists()):
        return False
    if once is not None:
        once.touch()
    return True


def main(how: str, after: int, once: Path | None) -> None:
    """Answer every line, in this way."""
    bridge = runpy.run_path(str(EXAMPLE))["Bridge"]()
    for asked, line in enumerate(sys.stdin, 1):
        request = json.loads(line)
        if how == "random" and "seeds" in request:
            request["seeds"] = [os.getpid() + each for each in request["seeds"]]
        answer = bridge.answer(request)
        if request["do"] == "hello":
            at_hello(how, after, once, answer)
        told = spoiled(how, answer) if spoils(how, asked, after, once) else json.dumps(answer)
        sys.stdout.write(told + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
