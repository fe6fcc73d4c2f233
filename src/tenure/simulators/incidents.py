"""What a simulator in another process mended on the way, counted and in words, for reports of figures made by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tenure.core.simulator import Simulator

WORDS = {"restarts": "restarts of its process", "led_back": "worlds led back", "strayed": "worlds that strayed"}
"""What is counted, as people read it."""


def incidents_of(simulator: Simulator) -> dict[str, int]:
    """Counted so far in this process; empty for a simulator that counts nothing, as most do not."""
    counted: Mapping[str, int] = getattr(simulator, "incidents", {})
    return dict(counted)


def added(counted: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """All together, name by name.

    >>> added([{"restarts": 1, "led_back": 8}, {}, {"restarts": 2, "led_back": 0}])
    {'restarts': 3, 'led_back': 8}
    """
    total: Counter[str] = Counter()
    for each in counted:
        total.update(each)
    return dict(total)


def sentence_of(counted: Mapping[str, int]) -> str:
    """What happened; empty without a restart or a stray. A strayed world did not come back as it was. Worlds are
    led back without any fault too, where an old state is stepped again.

    >>> sentence_of({"restarts": 2, "led_back": 12, "strayed": 0})
    'On the way the simulator had 2 restarts of its process, 12 worlds led back'
    """
    if not counted.get("restarts") and not counted.get("strayed"):
        return ""
    told = ", ".join(f"{n} {WORDS.get(name, name)}" for name, n in counted.items() if n)
    strayed = "; the seed of such worlds does not decide them" if counted.get("strayed") else ""
    return f"On the way the simulator had {told}{strayed}"
