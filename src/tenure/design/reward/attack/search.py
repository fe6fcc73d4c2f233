"""Every exploiter's candidates and every known behaviour, let loose in the same worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tenure.core.errors import TenureError
from tenure.core.project import Project
from tenure.core.simulator import Panel
from tenure.design.reward.attack.hunt import Exploiter, Hunt, judging_panel
from tenure.design.reward.attack.pool import POOL
from tenure.design.reward.conduct import Conduct, conduct
from tenure.design.reward.scenarios import load_scenarios

Report = Callable[[str], None]


@dataclass(frozen=True)
class Search:
    """What was tried, all in the same worlds.

    Args:
        reference: the incumbent.
        known: the project's rules and simulated scenario behaviours.
        found: what the exploiters brought, in their order.
        broken: what could not be tried, and why; in words.
    """

    reference: Conduct
    known: tuple[Conduct, ...]
    found: tuple[Conduct, ...]
    broken: tuple[str, ...]


def search(hunt: Hunt, report: Report = lambda _: None, pool: Mapping[str, Exploiter] = POOL) -> Search:
    """Let everything act that might be an exploit.

    Args:
        hunt: the problem and the means.
        report: told a line before each exploiter starts.
        pool: exploiters by name.

    Raises:
        TenureError: the incumbent or a known behaviour breaks its contract, or the scenarios are wrong.
    """
    panel = judging_panel(hunt.project)
    report(f"known behaviours in {len(panel.worlds)} worlds")
    reference, *known = _known(hunt.project, panel)
    found: list[Conduct] = []
    broken: list[str] = []
    for name, exploiter in pool.items():
        report(f"exploiter: {name}")
        try:
            found.extend(Conduct(each.name, name, each.play(panel)) for each in exploiter(hunt))
        except Exception as error:  # the simulator is somebody else's code
            broken.append(f"{name}: {_words(error)}")
    return Search(reference, tuple(known), tuple(found), tuple(broken))


def _known(project: Project, panel: Panel) -> Iterator[Conduct]:
    """The incumbent first; hand-written rows are no behaviour that could be repeated."""
    kinds = {"incumbent": "incumbent", **dict.fromkeys(project.rules, "rule")}
    for name, behaviour in load_scenarios(project).behaviours.items():
        if behaviour.rows is None:
            yield conduct(project, behaviour, panel, kinds.get(name, "scenario"))


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, TenureError) else f"{type(error).__name__}: {error}"
