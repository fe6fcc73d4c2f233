"""Which units the candidate gets, and every other draw: functions of salt and id, so that all can be repeated."""

from __future__ import annotations

import hashlib


def draw(salt: str, *ids: str) -> float:
    """A uniform number in [0, 1) that depends on salt and ids alone.

    53 bits of BLAKE2b, as many as a float64 holds.
    """
    digest = hashlib.blake2b("\x1f".join((salt, *ids)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) * 2.0**-53


def gets_candidate(salt: str, unit_id: str, share: float) -> bool:
    """Whether a unit lies in the candidate's share: sticky per unit, and monotone as the share grows."""
    return draw(salt, "arm", unit_id) < share
