"""What goes wrong between a world and who decides in it: old, noisy, missing and stuck readings, late actions, shocks.

Promises: any simulator in, a simulator out; any number of disturbances together; chance only from the generators given;
a disturbance of no strength changes nothing, bit for bit; the version of a disturbed simulator tells what was done to
it.
Leaves to others: what a world is (a case), how a policy fares (`tenure sim sweep`), what the log says (fidelity).
"""

from tenure.simulators.disturbances.actions import ActionDelay
from tenure.simulators.disturbances.observations import (
    DroppedSensors,
    NetworkDelay,
    ObservationDelay,
    SensorNoise,
    StuckSensors,
)
from tenure.simulators.disturbances.settings import KINDS, disturbance, told
from tenure.simulators.disturbances.worlds import DemandShock, Obstacle
from tenure.simulators.disturbances.wrapper import Disturbance, DisturbedSimulator, disturbed

__all__ = [
    "KINDS",
    "ActionDelay",
    "DemandShock",
    "Disturbance",
    "DisturbedSimulator",
    "DroppedSensors",
    "NetworkDelay",
    "ObservationDelay",
    "Obstacle",
    "SensorNoise",
    "StuckSensors",
    "disturbance",
    "disturbed",
    "told",
]
