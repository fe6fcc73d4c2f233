"""What a run will take: core hours from a measured speed, and money from a table that its reader edits."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec

from tenure.core.errors import EvidenceError, SettingsError
from tenure.training.record import CurvePoint, RunRecord, read_record

CLOUDS = ("aws", "gcp", "azure")
PRICES = Path(__file__).with_name("prices.toml")
"""The table we ship: examples, to be copied and edited."""


@dataclass(frozen=True)
class Range:
    """A number somewhere from `low` to `high`; equal where it was measured once, which says nothing of its spread."""

    low: float
    high: float

    def times(self, other: Range) -> Range:
        """The product of two positive ranges."""
        return Range(self.low * other.low, self.high * other.high)

    def into(self, amount: float) -> Range:
        """A positive amount divided by each number of the range."""
        return Range(amount / self.high, amount / self.low)


@dataclass(frozen=True)
class Price:
    """One kind of machine for hire.

    Args:
        cloud: one of `CLOUDS`.
        instance: as the cloud calls it.
        vcpus: of one machine.
        memory_gb: of one machine, in GiB.
        on_demand: price of one machine for an hour.
        spot: lowest and highest price for an hour where it may be taken away.
        currency: of both.
        region: where these prices hold.
        as_of: when somebody looked the prices up; `unknown` is told with every estimate.
        source: where they can be looked up.
        speed: of one vCPU against one core of the machine the speed was measured on, lowest and highest.

    Raises:
        SettingsError: a number is not positive, or a range falls.
    """

    cloud: str
    instance: str
    vcpus: int
    memory_gb: float
    on_demand: float
    spot: tuple[float, float]
    currency: str
    region: str
    as_of: str
    source: str
    speed: tuple[float, float] = (0.5, 1.0)

    def __post_init__(self) -> None:
        numbers = (self.vcpus, self.memory_gb, self.on_demand, *self.spot, *self.speed)
        if self.cloud not in CLOUDS:
            raise self._wrong(f"one of the clouds {list(CLOUDS)}", repr(self.cloud))
        if not all(0 < number < math.inf for number in numbers):
            raise self._wrong("positive numbers", str(numbers))
        if self.spot[0] > self.spot[1] or self.speed[0] > self.speed[1]:
            raise self._wrong("ranges from low to high", f"spot {self.spot}, speed {self.speed}")

    def _wrong(self, expected: str, found: str) -> SettingsError:
        where = f"price of {self.cloud} {self.instance}"
        return SettingsError(expected=expected, found=found, where=where, fix="mend that row of the table of prices")


@dataclass(frozen=True)
class Speed:
    """How fast one seed trains.

    Args:
        steps_per_s: decisions per second of one seed.
        cores: processors one seed keeps busy.
        said: where that is from, in words.
    """

    steps_per_s: Range
    cores: float
    said: str


@dataclass(frozen=True)
class Bill:
    """What a run would take on machines of one kind; ranges follow the speed's and the spot price's."""

    price: Price
    machines: int
    hours: Range
    on_demand: Range
    spot: Range


def read_prices(path: Path) -> list[Price]:
    """The table of prices.

    Raises:
        SettingsError: there is none, it is no TOML, or a row is incomplete or wrong.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text())["price"], list[Price])
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, msgspec.ValidationError) as error:
        raise SettingsError(
            expected=f"rows [[price]] as {PRICES} has them",
            found=f"{type(error).__name__}: {error}",
            where=str(path),
            fix="copy that file, edit it, and name it with --prices",
        ) from error


def measured(runs: Path, recipe: str) -> Speed | None:
    """How fast the newest finished run of a recipe was; None where there is none.

    Args:
        runs: the folder of runs.
        recipe: its name; another recipe's speed says nothing of this one's.
    """
    for path in sorted(runs.glob("*/record.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        record = read_record(path.parent)
        if record.recipe == recipe:
            return speed_of(record)
    return None


def speed_of(record: RunRecord) -> Speed:
    """How fast a run's seeds trained, from the slowest to the fastest.

    Raises:
        EvidenceError: the record tells no speed.
    """
    rates = [seed.steps_per_s for seed in record.seeds]
    cores = [float(seed.utilisation["cores"]) for seed in record.seeds if "cores" in seed.utilisation]
    said = f"run {record.run!r}, recipe {record.recipe}, {len(rates)} seed(s)"
    return _speed(rates, max(cores, default=1.0), said)


def speed_of_probe(curve: Sequence[CurvePoint]) -> Speed:
    """How fast a short training went, from the slowest stretch between two scores to the fastest.

    Raises:
        EvidenceError: it did not come to a score.
    """
    ends = [(0, 0.0), *((point.steps, point.seconds) for point in curve)]
    rates = [(b[0] - a[0]) / (b[1] - a[1]) for a, b in pairwise(ends) if b[1] > a[1]]
    return _speed(rates, 1.0, f"a probe of {ends[-1][0]:,} decisions in {ends[-1][1]:.1f} s, one core assumed")


def bill(price: Price, speed: Speed, steps: int, seeds: int) -> Bill:
    """What a run would take on just so many machines that all its seeds train at once.

    A vCPU is a thread of a core, which is why `Price.speed` begins at one half.

    Args:
        price: of the machines.
        speed: of one seed here.
        steps: decisions per seed.
        seeds: how many.
    """
    threads = seeds * math.ceil(speed.cores)
    machines = math.ceil(threads / price.vcpus)
    rate = speed.steps_per_s.times(Range(*price.speed))
    hours = rate.into(steps / 3600)
    machine_hours = hours.times(Range(machines, machines))
    on_demand = machine_hours.times(Range(price.on_demand, price.on_demand))
    return Bill(price, machines, hours, on_demand, machine_hours.times(Range(*price.spot)))


def core_hours(speed: Speed, steps: int, seeds: int) -> Range:
    """Hours of one core of the machine the speed was measured on."""
    return speed.steps_per_s.into(steps * seeds * speed.cores / 3600)


def _speed(rates: Sequence[float], cores: float, said: str) -> Speed:
    if not rates or not all(0 < rate < math.inf for rate in rates):
        raise EvidenceError(
            expected="a measured speed, decisions per second above 0",
            found=str(list(rates)),
            where=said,
            fix="train a short run first, such as `tenure train P --seeds 1 --steps 100000`",
        )
    return Speed(Range(min(rates), max(rates)), max(cores, 0.01), said)
