"""Bundles loaded behind the answers: whoever asks for one that is not there yet is told so at once."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from tenure.core.errors import BundleError
from tenure.core.policy import Policy

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Before a bundle that could not be loaded is tried again; doubled each time."""

log = logging.getLogger("tenure.serving")


@dataclass
class Known:
    """What is known of one version."""

    policy: Policy | None = None
    found: str = "one that is being loaded"
    loading: bool = False
    pause_s: float = FIRST_PAUSE_S
    rests_until: float = float("-inf")
    tried: threading.Event = field(default_factory=threading.Event)


class Loading:
    """A Loader that never blocks: each version is loaded in a thread of its own, one at a time.

    A load that never ends holds its one thread until the server stops, and is not begun a second time.

    Args:
        load: from a version to its policy; may take long, raise, or not come back.
        monotonic: seconds that never run backwards.
    """

    def __init__(self, load: Callable[[str], Policy], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._load, self._monotonic = load, monotonic
        self._lock = threading.Lock()
        self._versions: dict[str, Known] = defaultdict(Known)

    def __call__(self, version: str) -> Policy:
        """The policy of a version that has been loaded.

        Raises:
            BundleError: it is being loaded, or could not be and rests.
        """
        known = self.begin(version)
        if known.policy is not None:
            return known.policy
        raise BundleError(
            expected=f"the bundle {version} in memory",
            found=known.found,
            where="this server",
            fix="wait; where it cannot be loaded, restore it from a copy or train again: the incumbent answers",
        )

    def wait(self, version: str, seconds: float) -> bool:
        """Whether a version was loaded, after its first try has ended or the time is over."""
        known = self.begin(version)
        known.tried.wait(seconds)
        return known.policy is not None

    def begin(self, version: str) -> Known:
        """What is known of a version, whose load has begun unless it rests."""
        with self._lock:
            known = self._versions[version]
            if known.policy is None and not known.loading and self._monotonic() >= known.rests_until:
                known.loading = True
                threading.Thread(target=self._run, args=(version, known), name="tenure-load", daemon=True).start()
            return known

    def _run(self, version: str, known: Known) -> None:
        try:
            policy = self._load(version)
        except Exception as error:  # whatever a loader raises, the incumbent answers
            log.warning("the bundle %s cannot be loaded, next try in %g s: %s", version, known.pause_s, error)
            with self._lock:
                known.found, known.loading = f"{type(error).__name__}: {error}", False
                known.rests_until = self._monotonic() + known.pause_s
                known.pause_s = min(2 * known.pause_s, LONGEST_PAUSE_S)
        else:
            with self._lock:
                known.policy, known.loading = policy, False
        known.tried.set()
