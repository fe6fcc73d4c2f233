"""Whether a policy is right as often as it is sure, on the part of the data it is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenure.cli.judge import whole_panel
from tenure.cli.output import Output, percent
from tenure.core.errors import EvidenceError
from tenure.core.policy import Policy
from tenure.core.project import Project
from tenure.core.simulator import Split
from tenure.simulators.twins import Reliability, reliability, twins
from tenure.store import BundlePolicy

SITUATIONS = 10_000
"""About how many decisions are compared with the incumbent's."""


def sureness(project: Project, policies: Sequence[Policy], split: Split) -> list[dict[str, Any]]:
    """What every bundle among these says of its confidence, in order; without those that never learned one.

    Args:
        project: its problem, worlds and incumbent.
        policies: to judge.
        split: the part of the data.
    """
    bundles = [policy for policy in policies if isinstance(policy, BundlePolicy)]
    learned = [policy for policy in bundles if "confidence" in policy.bundle.manifest.get("evaluation", {})]
    return [_told(project, policy, split) for policy in learned]


def measured(project: Project, policy: BundlePolicy, split: Split) -> Reliability:
    """The confidence a bundle carries against how its decisions turn out there.

    Raises:
        EvidenceError: too few decisions to say.
    """
    within = policy.bundle.manifest["confidence"]["within"]
    given = project.problem, project.simulator, policy, project.incumbent, whole_panel(project, split)
    return reliability(twins(*given, within=within, situations=SITUATIONS))


def _told(project: Project, policy: BundlePolicy, split: Split) -> dict[str, Any]:
    refused = policy.bundle.manifest["evaluation"]["confidence"]["refused"]
    told = {"version": policy.version, "split": split, "refused": refused}
    if refused:
        return told
    try:
        return told | measured(project, policy, split).as_dict()
    except EvidenceError as error:
        return told | {"refused": f"{error.expected} needed, found {error.found}"}


def show_sureness(output: Output, found: Sequence[dict[str, Any]]) -> None:
    """For people."""
    for one in found:
        if one["refused"]:
            output.say(f"{one['version']} says nothing of how sure it is: {one['refused']}.")
            continue
        error = one["error"]
        output.say(
            f"{one['version']}'s confidence is off by {percent(error['value'])} on average "
            f"({percent(error['low'])} to {percent(error['high'])}); {one['good']} in {percent(one['share_good'])} of "
            f"{error['n']} situations."
        )
        output.table(["confidence", "situations", "stated", "came true (95 %)"], [_row(each) for each in one["bins"]])


def _row(each: dict[str, Any]) -> list[str]:
    good = each["good"]
    came = (
        "too few" if good is None else f"{percent(good['value'])} ({percent(good['low'])} to {percent(good['high'])})"
    )
    return [f"{percent(each['low'])} to {percent(each['high'])}", str(each["n"]), percent(each["confidence"]), came]
