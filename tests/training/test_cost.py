"""Core hours and money by hand: ranges follow the measured speed, and what is not known is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tenure.core.errors import EvidenceError, SettingsError
from tenure.training.cost import PRICES, Price, Range, Speed, bill, core_hours, read_prices, speed_of_probe
from tenure.training.record import CurvePoint

PRICE = Price("aws", "x", 4, 8, 2.0, (0.5, 1.0), "USD", "here", "unknown", "nobody", (0.5, 1.0))
SPEED = Speed(Range(1_000, 2_000), 1.0, "by hand")


def test_core_hours_are_decisions_over_speed() -> None:
    found = core_hours(SPEED, steps=3_600_000, seeds=4)
    assert (found.low, found.high) == pytest.approx((2.0, 4.0))  # 4 x 3,600,000 / 2,000 and / 1,000 seconds


def test_a_bill_by_hand() -> None:
    found = bill(PRICE, SPEED, steps=3_600_000, seeds=5)
    assert found.machines == 2  # five seeds of one thread on four vCPUs
    assert (found.hours.low, found.hours.high) == pytest.approx((0.5, 2.0))  # at 2,000 x 1.0 and at 1,000 x 0.5
    assert (found.on_demand.low, found.on_demand.high) == pytest.approx((2.0, 8.0))  # two machines at 2 an hour
    assert (found.spot.low, found.spot.high) == pytest.approx((0.5, 4.0))  # at 0.5, and at 1 an hour


def test_a_seed_of_several_cores_takes_as_many_threads() -> None:
    assert bill(PRICE, replace(SPEED, cores=2.4), 1, 2).machines == 2  # 2 x 3 threads on four vCPUs


def test_a_probe_gives_the_slowest_and_the_fastest_stretch() -> None:
    curve = [CurvePoint(1_000, 1, 2.0, 0, 0, 0), CurvePoint(3_000, 2, 3.0, 0, 0, 0)]
    assert speed_of_probe(curve).steps_per_s == Range(500.0, 2_000.0)


def test_no_speed_is_told_and_never_taken_for_zero() -> None:
    with pytest.raises(EvidenceError, match="a measured speed"):
        speed_of_probe([])


@pytest.mark.parametrize(
    "changes", [{"cloud": "none"}, {"on_demand": 0.0}, {"spot": (2.0, 1.0)}, {"vcpus": -1}, {"speed": (1.0, 0.5)}]
)
def test_a_price_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="price of"):
        replace(PRICE, **changes)  # type: ignore[arg-type]


def test_the_table_we_ship_has_every_cloud_and_says_where_each_price_is_from() -> None:
    prices = read_prices(PRICES)
    assert {price.cloud for price in prices} == {"aws", "gcp", "azure"}
    assert all(price.source and price.as_of for price in prices)


@pytest.mark.parametrize("text", ["no toml [", "", "[[price]]\ncloud = 'aws'\n"])
def test_a_broken_table_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"mine\.toml"):
        read_prices(tmp_path / "mine.toml")
