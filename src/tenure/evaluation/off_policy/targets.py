"""Policies from anywhere as targets of an evaluation: rules, bundles, Python objects, tables of probabilities."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import BundleError, ProjectError
from tenure.core.logged import Logged, LoggedSource, Target
from tenure.core.policy import Policy
from tenure.evaluation.checks import refusal


def target_of(policy: Any, source: LoggedSource) -> Target:
    """What `evaluate_log` takes, from any way of naming a policy.

    Args:
        policy: "uniform"; a path to a CSV or Parquet table with one probability column per action; a bundle's folder;
            "package.module:name" or "file.py:name"; a `Policy`; a function from a batch to probabilities; a pandas
            or Arrow table of probabilities.
        source: the log it will be asked about.

    Raises:
        ProjectError: nothing of that name, or something that is no policy.
        DataError: a table that does not fit the log.
        BundleError: a damaged bundle.
    """
    if isinstance(policy, str | Path):
        return _named(str(policy), source)
    if hasattr(policy, "propose"):
        return PolicyTarget(policy, source.labels, getattr(policy, "labels", None), getattr(policy, "features", None))
    if callable(policy):
        function: Target = policy
        return function
    if not is_table(policy):
        raise _no_policy(repr(policy))
    return _table(policy, source)


TABLES = (".csv", ".gz", ".tsv", ".parquet", ".pq")


def is_table(policy: Any) -> bool:
    """Whether this names or is a table of numbers per action."""
    if isinstance(policy, str | Path):
        return Path(policy).suffix in TABLES
    return type(policy).__module__.partition(".")[0] in ("pandas", "pyarrow") or isinstance(policy, dict)


def uniform(logged: Logged) -> Floats:
    """Every allowed action with the same probability; [n, actions].

    Raises:
        EvidenceError: a log of `Box` actions, which has no uniform policy without bounds.
    """
    if not logged.labels:
        raise refusal("discrete actions", "a log of `Box` actions", "policy 'uniform'", "name a policy with an action")
    allowed = np.ones((len(logged), len(logged.labels))) if logged.allowed is None else logged.allowed.astype(float)
    return np.asarray(allowed / allowed.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class PolicyTarget:
    """A `Policy` asked about logged situations.

    Args:
        policy: what proposes.
        labels: the log's action labels.
        own_labels: the policy's labels, in its order; None where they are the log's.
        own_features: names of its features, in its order; None where they are the log's.

    Raises:
        EvidenceError: the log lacks a feature that the policy needs, or its labels do not hold an action of the policy.
    """

    policy: Policy
    labels: Sequence[str]
    own_labels: Sequence[str] | None = None
    own_features: Sequence[str] | None = None

    def __call__(self, logged: Logged) -> Floats:
        """Probability of every action, [n, actions]; of a `Box` the vector, [n, numbers]."""
        if not self.labels:
            return np.asarray(self.policy.propose(self._observation(logged), None, np.zeros(len(logged))).action)
        columns = self._columns()
        allowed = None if logged.allowed is None else logged.allowed[:, columns]
        proposal = self.policy.propose(self._observation(logged), allowed, np.zeros(len(logged)))
        mine = proposal.distribution
        if mine is None:
            mine = np.eye(len(columns))[proposal.action]
        out = np.zeros((len(logged), len(self.labels)))
        out[:, columns] = mine
        return out

    def _columns(self) -> list[int]:
        own = self.labels if self.own_labels is None else self.own_labels
        unknown = sorted(set(own) - set(self.labels))
        if unknown:
            found = f"no {unknown[:5]}"
            raise refusal("the policy's actions among the log's", found, "the log", "name all actions when opening it")
        return [list(self.labels).index(label) for label in own]

    def _observation(self, logged: Logged) -> Floats:
        if self.own_features is None:
            return logged.features.astype(np.float32)
        lacking = [name for name in self.own_features if name not in logged.names]
        if lacking:
            raise refusal(
                f"the policy's features {lacking[:5]}", f"only {list(logged.names)[:8]}", "the log", "map them"
            )
        return logged.features[:, [logged.names.index(name) for name in self.own_features]].astype(np.float32)


def _named(name: str, source: LoggedSource) -> Target:
    if name == "uniform":
        return uniform
    if is_table(name):
        return _table(name, source)
    if (Path(name) / "manifest.json").exists():
        return bundle_target(Path(name), source)
    if ":" in name:
        return target_of(_imported(name), source)
    raise _no_policy(repr(name))


def _no_policy(found: str) -> ProjectError:
    return ProjectError(
        expected="uniform, a table of probabilities, a bundle's folder, a policy, module:name or file.py:name",
        found=found,
        where="--policy",
        fix="name one of these, or name the project before --log to use its versions and rules",
    )


def _table(policy: Any, source: LoggedSource) -> Target:
    """A table of probabilities, with a row for every row of the log where it has no ids."""
    from tenure.store.tables.predictions import open_predictions

    return open_predictions(policy, source.labels, probabilities=True, rows=getattr(source, "lines", None))


def bundle_target(folder: Path, source: LoggedSource) -> Target:
    """A bundle as a target; its manifest names its features and actions."""
    from tenure.store import load_bundle

    policy = load_bundle(folder, None)
    manifest = policy.bundle.manifest
    if "residual" in manifest:
        raise BundleError(
            expected="a bundle that answers actions",
            found=f"adjustments to the incumbent {manifest['residual']['incumbent']!r}",
            where=str(folder),
            fix="name its project and its version, so that the incumbent is known",
        )
    return PolicyTarget(policy, source.labels, manifest["actions"], manifest["features"])


def _imported(name: str) -> Any:
    """The object behind package.module:name or file.py:name.

    Raises:
        ProjectError: it cannot be imported.
    """
    module, _, attribute = name.rpartition(":")
    load: Callable[[str], Any] = _file_module if module.endswith(".py") else importlib.import_module
    try:
        return getattr(load(module), attribute)
    except Exception as error:  # a module is somebody else's code
        raise ProjectError(
            expected="a policy in an importable module",
            found=f"{type(error).__name__}: {error}",
            where=f"--policy {name}",
            fix="name it as package.module:name or path/to/file.py:name",
        ) from error


def _file_module(path: str) -> Any:
    name = f"tenure_policy_{abs(hash(str(Path(path).resolve()))):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    return module
