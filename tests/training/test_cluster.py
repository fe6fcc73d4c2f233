"""The same evaluation on Ray Data and in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenure.core.errors import DataError
from tenure.evaluation.off_policy.decisions import evaluate_log
from tenure.evaluation.off_policy.targets import uniform
from tenure.store.tables.logfile import LogFile, open_log
from tenure.store.tables.parts import parts
from tenure.training.cluster import ray_pass

ROWS, GROUP = 12_000, 3500


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS, 3))
    p = 1 / (1 + np.exp(-x[:, 0]))
    action = (rng.random(ROWS) < p).astype(int)
    reward = x[:, 1] * action + rng.normal(size=ROWS)
    units = [f"u{i // 3}" for i in range(ROWS)]
    return pa.table(
        {"unit_id": units, "action": action, "propensity": np.where(action == 1, p, 1 - p), "reward": reward}
        | {f"x{i}": x[:, i] for i in range(3)}
    )


@pytest.fixture(scope="module")
def log(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> LogFile:
    folder = tmp_path_factory.mktemp("log")
    pq.write_table(table.slice(0, 8000), folder / "a.parquet", row_group_size=GROUP)
    pq.write_table(table.slice(8000), folder / "b.parquet", row_group_size=GROUP)
    return open_log(folder, size=1000)


@pytest.fixture(scope="module")
def _ray() -> Iterator[None]:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


def test_parts_are_the_whole_in_its_order(log: LogFile) -> None:
    pieces = parts(log)
    assert len(pieces) == 5
    whole = np.concatenate([batch.reward for batch in log.batches()])
    index = np.concatenate([batch.index for piece in pieces for batch in piece.batches()])
    reward = np.concatenate([batch.reward for piece in pieces for batch in piece.batches()])
    assert index.tolist() == list(range(ROWS))
    assert (reward == whole).all()


def test_a_part_has_a_sample_of_its_own(log: LogFile) -> None:
    assert set(parts(log)[1].source.sample()) == {"unit_id", "action", "propensity", "reward", "x0", "x1", "x2"}


def test_only_parquet_has_parts(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("action,propensity,reward\n0,0.5,1\n1,0.5,0\n")
    with pytest.raises(DataError, match="a Parquet log"):
        ray_pass(open_log(path))


@pytest.mark.usefixtures("_ray")
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_gives_the_same_numbers_as_one_process(log: LogFile) -> None:
    here = evaluate_log(log, uniform)
    there = evaluate_log(log, uniform, each=ray_pass(log))
    assert here.units == there.units
    for one, other in zip((*here.estimates, here.logged), (*there.estimates, there.logged), strict=True):
        assert one.value is not None
        found = (other.value, other.low, other.high, other.ess, other.max_weight)
        assert found == pytest.approx((one.value, one.low, one.high, one.ess, one.max_weight), rel=1e-9)
