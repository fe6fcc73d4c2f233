"""A process that has imported everything and forks servers on demand, so that fifty starts cost seconds, not minutes.

Reads one JSON object a line, {argv, out, err, environment}; writes the child's process id. It imports only: no thread
runs and no file of a log is open when it forks, so a child is as good as a process of its own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any


def main() -> None:
    """Fork a server for each line."""
    import uvicorn  # noqa: F401

    import tenure.cli.serve
    import tenure.serving  # noqa: F401
    from tenure.cli.main import main as command

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            become(json.loads(line))
            command()
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def become(asked: dict[str, Any]) -> None:
    """Take on the arguments, environment and output of a process of its own."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    sys.argv = ["tenure", *asked["argv"]]
    os.environ.update(asked["environment"])
    for descriptor, path in ((1, asked["out"]), (2, asked["err"])):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)


if __name__ == "__main__":
    main()
