"""The worlds a learner trains on: the project's, with what the settings do to them."""

from __future__ import annotations

from dataclasses import replace

from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.reward import Reward
from tenure.core.simulator import Simulator
from tenure.simulators.disturbances import disturbance, disturbed
from tenure.simulators.jump_start import JumpStart
from tenure.training.recipes import recipe_of
from tenure.training.settings import Settings


def training_worlds(project: Project, settings: Settings) -> Simulator:
    """The project's simulator under the disturbances of the settings; without any, the simulator itself.

    Raises:
        SettingsError: an entry is no disturbance, or one that this project cannot have.
    """
    stack = [disturbance(table) for table in settings.disturbances]
    return disturbed(project.problem, project.simulator, stack)


def discounted(problem: Problem, settings: Settings) -> Problem:
    """The problem with the discount of the settings, where they have one."""
    return problem if settings.discount is None else replace(problem, discount=settings.discount)


def reward_of(project: Project, settings: Settings) -> Reward:
    """The problem's reward without the terms the settings leave out."""
    reward = project.problem.reward
    for signal in settings.without:
        reward = reward.without(signal)
    return reward


def check_seen(problem: Problem, settings: Settings) -> None:
    """What the learner is to be shown exists, and is not nothing.

    Raises:
        SettingsError: `hide` names no feature or all, or the recipe does not see in the learner's units.
    """
    names = set(problem.feature_names)
    if set(settings.hide) - names or set(settings.hide) >= names:
        expected = f"to hide some of the features {sorted(names)}, and not all of them"
        raise settings.wrong(expected, str(list(settings.hide)), "name features of the problem")
    own = settings.hide or settings.scale != "deviation" or settings.jump_start
    if own and not recipe_of(settings.recipe).climbs:
        found = f"hide={list(settings.hide)}, scale={settings.scale!r}, jump_start={settings.jump_start:g}"
        expected = "`hide`, `scale` and `jump_start` with a network that learns in worlds"
        raise settings.wrong(expected, found, "leave them out")


def jump_start_of(settings: Settings, incumbent: Policy) -> JumpStart | None:
    """The incumbent's part of each episode, which fades over the first half of the training; None for none."""
    return JumpStart(incumbent, settings.jump_start, max(settings.steps // 2, 1)) if settings.jump_start else None
