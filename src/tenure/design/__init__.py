"""Stages 1 and 2 of the road: is this a problem for reinforcement learning, and does its reward say what is meant?

Promises: what a log can show is measured, never asked; a reward is judged by KPIs it cannot read; an exploit is shown,
not claimed; every verdict names what would change it.
Leaves to others: worlds (`simulators`), learning (`training`), intervals (`evaluation`), pages (`console`).

Shelves: `assess` (which use case, with which method), `reward` (scenarios, audit, document, change), and what starts a
project and says where it stands: `starting`, `stages`.
"""
