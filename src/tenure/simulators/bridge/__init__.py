"""Simulators that run as another process, in any language: newline-delimited JSON over a pipe or a socket.

Promises: one request at a time, each line bounded, each answer within its time; a process that hangs, dies, floods or
speaks nonsense is started again and every world is led back to where it stood by its seed and actions, counted in
`BridgeSimulator.incidents`; what stays broken, and any NaN or wrong shape, is named with world, field and fix.
Leaves to others: the protocol in words (docs/simulators.md), what the process simulates.
"""

from tenure.simulators.bridge.world import BridgeSimulator

__all__ = ["BridgeSimulator"]
