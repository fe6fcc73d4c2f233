#!/usr/bin/env python3
"""A Gazebo world behind Tenure's bridge. Not run in CI: it needs Gazebo Harmonic and its Python bindings.

One cart on a rail is driven to a place that the seed chooses. The world stands still between decisions; each decision
sets the cart's speed for a tenth of a second (ten physics steps). README.md says how to install and run it.
"""

import json
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from gz.msgs10.boolean_pb2 import Boolean
from gz.msgs10.double_pb2 import Double
from gz.msgs10.model_pb2 import Model
from gz.msgs10.world_control_pb2 import WorldControl
from gz.transport13 import Node

WORLD = Path(__file__).parent / "cart.sdf"
CONTROL, STATE = "/world/rail/control", "/world/rail/model/cart/joint_state"
SPEED = "/model/cart/joint/slide/cmd_vel"
PHYSICS_STEPS, REACHED_M, WAIT_S, WAIT_MS = 10, 0.05, 5.0, 5000
HELLO = {
    "protocol": 1,
    "version": "gazebo-cart-1",
    "features": ["position", "speed", "goal"],
    "actions": ["speed"],
    "signals": ["distance", "effort"],
    "levels": ["normal"],
    "worlds": 1,
}


class Cart:
    """The one world of a Gazebo server; the caller's number of it is not needed."""

    def __init__(self):
        self.gazebo = subprocess.Popen(["gz", "sim", "-s", str(WORLD)], stdout=sys.stderr)  # noqa: S603, S607
        self.node, self.moved = Node(), threading.Condition()
        self.position = self.speed = self.goal = 0.0
        self.seen = 0
        self.node.subscribe(Model, STATE, self.heard)
        self.speeds = self.node.advertise(SPEED, Double)

    def heard(self, model):
        """The joint's state after a physics step."""
        axis = model.joint[0].axis1
        with self.moved:
            self.position, self.speed, self.seen = axis.position, axis.velocity, self.seen + 1
            self.moved.notify_all()

    def control(self, **fields):
        """One request to the world; the process ends where Gazebo does not answer, and Tenure starts it again."""
        request = WorldControl(pause=True, **fields)
        done, answer = self.node.request(CONTROL, request, WorldControl, Boolean, WAIT_MS)
        if not (done and answer.data):
            sys.exit(f"Gazebo did not take {fields}")

    def run(self, steps):
        """So many physics steps, until the last has been heard of."""
        with self.moved:
            until = self.seen + steps
            self.control(multi_step=steps)
            if not self.moved.wait_for(lambda: self.seen >= until, WAIT_S):
                sys.exit("Gazebo stopped telling the joint's state")

    def reset(self, request):
        self.control(reset={"all": True})
        self.goal = random.Random(request["seeds"][0]).uniform(-1.5, 1.5)  # noqa: S311 - a goal, not a secret
        self.speeds.publish(Double(data=0.0))
        self.run(1)
        return {"observations": [self.observation()]}

    def step(self, request):
        speed = request["actions"][0][0]
        self.speeds.publish(Double(data=speed))
        self.run(PHYSICS_STEPS)
        away = abs(self.position - self.goal)
        signals = {"distance": [away], "effort": [abs(speed)]}
        return {"observations": [self.observation()], "signals": signals, "terminated": [away < REACHED_M]}

    def observation(self):
        return [self.position, self.speed, self.goal]


def main():
    cart = Cart()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        for line in sys.stdin:
            request = json.loads(line)
            do = {"hello": lambda _: HELLO, "reset": cart.reset, "step": cart.step}[request["do"]]
            sys.stdout.write(json.dumps({"id": request["id"], **do(request)}) + "\n")
            sys.stdout.flush()
    finally:
        cart.gazebo.terminate()


if __name__ == "__main__":
    main()
