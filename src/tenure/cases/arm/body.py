"""The arm's body and task: lengths, limits, and where its tip stands; plain geometry, no physics."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats

UPPER_M, LOWER_M = 0.1, 0.11
"""Length of each link in metres, as in MuJoCo's reacher.xml; the lower one up to the middle of the fingertip."""
REACH_M = UPPER_M + LOWER_M
STEPS = 50
"""Decisions for one target."""
TARGET_M = 0.2
"""Targets lie within so many metres of the shoulder."""
FASTEST = 300.0
"""Above any speed of a joint, in rad/s: full torque for a whole episode makes about 130."""
NOISE_M = 0.05
"""Above any error of a measured distance, in metres."""


def tip(angles: Floats) -> Floats:
    """Where the fingertip stands, in metres from the shoulder; [n, 2].

    Args:
        angles: of shoulder and elbow in rad, the elbow's against the upper link; [n, 2].
    """
    whole = angles.sum(axis=1)
    x = UPPER_M * np.cos(angles[:, 0]) + LOWER_M * np.cos(whole)
    y = UPPER_M * np.sin(angles[:, 0]) + LOWER_M * np.sin(whole)
    return np.stack([x, y], axis=1)


def pull(angles: Floats, force: Floats) -> Floats:
    """Torque at each joint that a force at the fingertip stands for, the transposed Jacobian; [n, 2].

    Args:
        angles: in rad; [n, 2].
        force: at the fingertip, x and y; [n, 2].

    Source: Siciliano et al., Robotics (2009), section 3.7.
    """
    at, whole = tip(angles), angles.sum(axis=1)
    shoulder = at[:, 0] * force[:, 1] - at[:, 1] * force[:, 0]
    elbow = LOWER_M * (np.cos(whole) * force[:, 1] - np.sin(whole) * force[:, 0])
    return np.stack([shoulder, elbow], axis=1)


def bent_to(target: Floats, angles: Floats) -> Floats:
    """Angles in rad that put the fingertip on a target, the elbow bent to the side it is bent to now; [n, 2].

    A target out of reach is reached for: the arm then points at it, straight or folded.

    Args:
        target: in metres from the shoulder; [n, 2].
        angles: now; [n, 2].

    Source: Siciliano et al., Robotics (2009), section 2.12.1.
    """
    square = (target**2).sum(axis=1)
    cosine = np.clip((square - UPPER_M**2 - LOWER_M**2) / (2 * UPPER_M * LOWER_M), -1, 1)
    elbow = np.arccos(cosine) * np.where(np.sin(angles[:, 1]) < 0, -1.0, 1.0)
    straight = UPPER_M + LOWER_M * np.cos(elbow)
    shoulder = np.arctan2(target[:, 1], target[:, 0]) - np.arctan2(LOWER_M * np.sin(elbow), straight)
    return np.stack([shoulder, elbow], axis=1)


def shortest(turn: Floats) -> Floats:
    """The same turn within half a circle, in rad; any shape."""
    return np.asarray((turn + np.pi) % (2 * np.pi) - np.pi)
