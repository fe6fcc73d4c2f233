"""Faults on real processes: what is killed, cut off, filled up or frozen, and what must still be true afterwards.

`TENURE_FAULTS=long` gives the long form; what each test checks stands in its name.
"""

from __future__ import annotations

import os

LONG = os.environ.get("TENURE_FAULTS") == "long"
"""Whether the long form was asked for."""
