"""The worlds a learner trains on: the project's, with what the settings do to them."""

from __future__ import annotations

from tenure.core.project import Project
from tenure.core.simulator import Simulator
from tenure.simulators.disturbances import disturbance, disturbed
from tenure.training.settings import Settings


def training_worlds(project: Project, settings: Settings) -> Simulator:
    """The project's simulator under the disturbances of the settings; without any, the simulator itself.

    Raises:
        SettingsError: an entry is no disturbance, or one that this project cannot have.
    """
    stack = [disturbance(table) for table in settings.disturbances]
    return disturbed(project.problem, project.simulator, stack)
