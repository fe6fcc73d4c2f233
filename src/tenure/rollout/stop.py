"""The stop that needs no database: a file beside the log, or a word in the server's environment."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tenure.core.clock import to_text
from tenure.core.errors import StoreError

VARIABLE = "TENURE_STOP"
"""Environment variable that stops every problem of a process; empty or 0 stops nothing."""


@dataclass(frozen=True)
class StopFile:
    """A file whose presence alone means: nothing learned is answered here.

    Args:
        path: the file; its content is for people, an empty one stops as well.
    """

    path: Path

    def engaged(self) -> bool:
        """Whether file or environment say stop."""
        return os.environ.get(VARIABLE, "") not in ("", "0") or self.exists()

    def exists(self) -> bool:
        """Whether the file is there, be it a link to nowhere; a folder that cannot be looked into counts as if."""
        try:
            os.lstat(self.path)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def engage(self, reason: str, actor: str, at: datetime) -> None:
        """Make the file, durably; one that is there already stays as it is.

        Raises:
            StoreError: it cannot be made.
        """
        text = json.dumps({"reason": reason, "actor": actor, "at": to_text(at)}) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(self.path):
                return
            with self.path.open("a", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._failed("made", error) from error

    def release(self) -> None:
        """Take the file away; none there is fine. The environment of a running process stays as it is.

        Raises:
            StoreError: it cannot be taken away.
        """
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._failed("taken away", error) from error

    def _failed(self, verb: str, error: OSError) -> StoreError:
        return StoreError(
            expected=f"a stop file that can be {verb}",
            found=error.strerror or str(error),
            where=str(self.path),
            fix=f"mend the rights on the folder, or set {VARIABLE}=1 and start the server again",
        )
