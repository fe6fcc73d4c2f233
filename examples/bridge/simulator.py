"""The tank's simulator: world.py as a process, asked over the bridge."""

import sys
from pathlib import Path

from tenure.simulators.bridge import BridgeSimulator

from .problem import problem

simulator = BridgeSimulator(problem, command=[sys.executable, "world.py"], folder=Path(__file__).parent)
