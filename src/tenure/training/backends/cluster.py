"""A Ray to work on: the cluster RAY_ADDRESS names, else one of this machine that ends with this process."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tenure.core.errors import ProjectError, SettingsError

STORE_BYTES = 256 * 2**20
"""Object store of a Ray of our own; jobs, curves and records are small."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # the last report of a member is compared with nobody's
    "RAY_AIR_NEW_OUTPUT": "0",  # it prints tables of its own whatever the verbosity
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # paths of a job mean the same there as here
    "RAY_worker_niceness": "0",  # at Ray's 15 jobs starve, and outlive a killed driver, wherever anything else runs
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's own coming default
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # curves and records are written by us
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",  # by default Tune offers Ray no more trials at once than processors
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
"""Environment Ray is used under; what the user has set goes before."""


def the_ray() -> Any:
    """The library.

    Raises:
        ProjectError: it is not installed.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.tune
    except ImportError as error:
        raise ProjectError(
            expected="Ray with Tune and RLlib, to train with --backend ray or rllib",
            found=f"no module {error.name!r}",
            where="this installation",
            fix="pip install 'tenure[ray]'",
        ) from error
    return ray


@contextmanager
def on_ray() -> Iterator[Any]:
    """Ray, ready: a session that is open already, the cluster of RAY_ADDRESS, or one of this machine for as long.

    A Ray of our own listens on the loopback alone, without a dashboard, and sends no usage statistics; its processes
    end with this one, however it ends: jobs within seconds, where it was killed two idle agents after a minute.

    Raises:
        ProjectError: Ray is not installed, or the cluster cannot be reached.
        SettingsError: RAY_ADDRESS is that of a Ray client.
    """
    ray = the_ray()
    logging.getLogger("ray").setLevel(logging.ERROR)  # what failed is told by us, the rest is Ray's own
    if ray.is_initialized():
        yield ray
        return
    _start(ray)
    try:
        yield ray
    finally:
        ray.shutdown()


def _start(ray: Any) -> None:
    quiet = {"include_dashboard": False, "configure_logging": False, "log_to_driver": False}
    address = os.environ.get("RAY_ADDRESS", "")
    if address.startswith("ray://"):
        raise SettingsError(
            expected="the address of a cluster this machine is part of: host:port, or auto",
            found=address,
            where="RAY_ADDRESS",
            fix="run the command on a node of the cluster, as by `ray job submit -- tenure train ...`",
        )
    if not address or address == "local":
        processors = os.cpu_count() or 1
        ray.init("local", num_cpus=processors, object_store_memory=STORE_BYTES, _node_ip_address="127.0.0.1", **quiet)
        return
    try:
        ray.init(address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ProjectError(
            expected="a Ray cluster that answers",
            found=str(error).splitlines()[0],
            where=f"RAY_ADDRESS={address}",
            fix="start the cluster, mend the address, or unset it to use this machine",
        ) from error


def reserve(ray: Any, bundle: dict[str, float], wait_s: float) -> None:
    """See that a placement group of this size can be had, before any job begins; it is given back at once.

    Args:
        ray: from `on_ray`.
        bundle: resources by Ray's names, as {"CPU": 0.5}.
        wait_s: how long others may hold them, or an autoscaler may take.

    Raises:
        SettingsError: no node is that large.
        ProjectError: not within `wait_s`.
    """
    asked = ", ".join(f"{amount:g} {name}" for name, amount in bundle.items())
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fits = any(all(node.get(name, 0) >= amount for name, amount in bundle.items()) for node in nodes)
    largest = max((node.get("CPU", 0.0) for node in nodes), default=0.0)
    if not fits and not os.environ.get("RAY_ADDRESS"):  # no node can join a Ray of our own
        raise SettingsError(
            expected=f"a node with {asked} for each job",
            found=f"{len(nodes)} node, the largest with {largest:g} CPU",
            where="the Ray cluster",
            fix="ask for fewer with --cpus-per-seed, or join a larger cluster by RAY_ADDRESS",
        )
    group = ray.util.placement_group([bundle])
    try:
        if not group.wait(wait_s):
            raise _busy(ray, asked, wait_s, fits, largest)
    finally:
        ray.util.remove_placement_group(group)


def _busy(ray: Any, asked: str, wait_s: float, fits: bool, largest: float) -> ProjectError:
    free = ray.available_resources().get("CPU", 0.0)
    held = f"others hold them: {free:g} CPU free" if fits else f"no node is that large: the largest has {largest:g} CPU"
    return ProjectError(
        expected=f"{asked} for each job within {wait_s:g} s",
        found=held,
        where="the Ray cluster",
        fix="wait for other work to end, add nodes, or ask for fewer with --cpus-per-seed",
    )
