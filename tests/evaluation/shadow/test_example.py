"""The made-up delivery service is what it says: 8 % faster, 15 % more truck use, all of that in the north at night."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.evaluation.shadow.example import DIRECT, problem, routes


@pytest.mark.parametrize(("trade", "trucks"), [(True, 0.15), (False, 0.0)])
def test_the_candidate_is_8_percent_faster_and_uses_15_percent_more_trucks_but_in_the_twin(
    trade: bool, trucks: float
) -> None:
    time, use = [], []
    for seed in range(20):
        replay = routes(seed, trade=trade).replay
        time.append(replay.candidate["minutes"].mean() / replay.incumbent["minutes"].mean() - 1)
        use.append(replay.candidate["truck_minutes"].mean() / replay.incumbent["truck_minutes"].mean() - 1)
    assert np.mean(time) == pytest.approx(-0.08, abs=0.003)
    assert np.mean(use) == pytest.approx(trucks, abs=0.005)


def test_all_of_the_trade_lies_in_the_north_at_night() -> None:
    case = routes(0)
    x, replay = case.replay.features, case.replay
    night = (x[:, 2] == 1) & (x[:, 1] >= 19)
    more = replay.candidate["truck_minutes"] - replay.incumbent["truck_minutes"]
    assert more[night].sum() == pytest.approx(more.sum(), rel=0.05)


def test_the_log_is_the_incumbent_s_with_true_propensities() -> None:
    log = routes(3).log
    assert log.rows.action.mean() == pytest.approx(DIRECT, abs=0.01)
    assert set(np.unique(log.rows.propensity)) == {DIRECT, 1 - DIRECT}
    assert (log.rows.propensity[log.rows.action == 1] == DIRECT).all()
    assert (len(log), log.days) == (20_000, 20)
    assert (
        len({log.rows.at[row].astype("datetime64[D]") for row in np.flatnonzero(log.rows.unit == log.rows.unit[0])})
        == 1
    )


def test_the_same_seed_is_the_same_log_and_the_twin_shares_all_but_the_trucks() -> None:
    one, again, twin = routes(5), routes(5), routes(5, trade=False)
    assert np.array_equal(one.log.signals["truck_minutes"], again.log.signals["truck_minutes"])
    assert np.array_equal(one.log.signals["minutes"], twin.log.signals["minutes"])
    assert (one.log.signals["truck_minutes"] >= twin.log.signals["truck_minutes"]).all()


def test_signals_keep_their_declared_bounds() -> None:
    replay = routes(7).replay
    for signal in problem.signals:
        for side in (replay.incumbent, replay.candidate):
            assert side[signal.name].min() >= signal.low
            assert side[signal.name].max() <= signal.high
