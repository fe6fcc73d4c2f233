#!/usr/bin/env python3
"""A water tank as a process of its own: an example of Tenure's bridge, on Python's standard library alone.

    python world.py                 # answers on standard output what comes over standard input
    python world.py --port 7700     # listens instead, on this machine only, for one caller at a time

Every line is one JSON object; docs/simulators.md describes the requests. A world is a tank that rain fills and a pump
empties; it ends when it runs over. All chance comes from the seed of the world.
"""

import json
import random
import socket
import sys

VERSION = "tank-1"
FEATURES = ["level", "rain"]
ACTIONS = ["off", "slow", "fast"]
SIGNALS = ["pumped", "spilled"]
LEVELS = {"normal": 0.5, "hard": 0.8}
FULL, PUMPS = 10.0, (0.0, 0.4, 0.8)


class Tank:
    """One world."""

    def __init__(self, seed, level):
        self.chance = random.Random(seed)  # noqa: S311 - rain, not secrets
        self.most_rain = LEVELS[level]
        self.level = self.chance.uniform(2.0, 8.0)
        self.rain = self.chance.uniform(0.0, self.most_rain)

    def observation(self):
        return [self.level, self.rain]

    def mask(self):
        return [True, self.level > 0.5, self.level > 1.0]

    def step(self, action):
        """Signals of the step, and whether the tank ran over."""
        pumped = min(PUMPS[action], self.level)
        self.level += self.rain - pumped
        spilled = max(self.level - FULL, 0.0)
        self.level = min(self.level, FULL)
        self.rain = self.chance.uniform(0.0, self.most_rain)
        return {"pumped": pumped, "spilled": spilled}, spilled > 0.0


class Bridge:
    """Answers requests; holds the worlds by the numbers the caller gives them."""

    def __init__(self):
        self.worlds = {}

    def answer(self, request):
        for number in request.get("forget", []):
            self.worlds.pop(number, None)
        if request["do"] == "hello":
            return {"id": request["id"], **self.hello()}
        do = {"reset": self.reset, "step": self.step}[request["do"]]
        return {"id": request["id"], **do(request)}

    def hello(self):
        """What this process is; every world from before is forgotten."""
        self.worlds.clear()
        return {
            "protocol": 1,
            "version": VERSION,
            "features": FEATURES,
            "actions": ACTIONS,
            "signals": SIGNALS,
            "levels": list(LEVELS),
            "masks": True,
        }

    def reset(self, request):
        tanks = [Tank(seed, request["level"]) for seed in request["seeds"]]
        self.worlds.update(zip(request["worlds"], tanks, strict=True))
        return self.shown(tanks)

    def step(self, request):
        tanks = [self.worlds[number] for number in request["worlds"]]
        came = [tank.step(action) for tank, action in zip(tanks, request["actions"], strict=True)]
        signals = {name: [given[name] for given, _ in came] for name in SIGNALS}
        return {**self.shown(tanks), "signals": signals, "terminated": [over for _, over in came]}

    @staticmethod
    def shown(tanks):
        return {"observations": [tank.observation() for tank in tanks], "masks": [tank.mask() for tank in tanks]}


def serve(reads, writes):
    """One answer for every line, until the caller closes."""
    bridge = Bridge()
    for line in reads:
        writes.write(json.dumps(bridge.answer(json.loads(line))) + "\n")
        writes.flush()


def listen(port):
    """One caller after another."""
    with socket.create_server(("127.0.0.1", port)) as server:
        sys.stderr.write(f"listening on port {server.getsockname()[1]}\n")
        while True:
            caller, _ = server.accept()
            with caller, caller.makefile("r") as reads, caller.makefile("w") as writes:
                serve(reads, writes)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--port"]:
        listen(int(sys.argv[2]))
    else:
        serve(sys.stdin, sys.stdout)
