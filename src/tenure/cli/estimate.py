"""`tenure train --estimate`: core hours and money of a run, from a measured speed and a table of prices."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tenure.cli.asked import Asked, settings_of, the_training
from tenure.cli.output import Output
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.errors import SettingsError

if TYPE_CHECKING:
    from tenure.training.cost import Bill, Price, Range, Speed


def run_estimate(
    output: Output, project: str, asked: Asked, cloud: str | None, table: Path | None, home: Path | None
) -> None:
    """Reckon what the run that was asked for takes, and print it; nothing is trained but a short probe.

    Args:
        output: where to.
        project: what would be trained.
        asked: the run.
        cloud: the only one to price; None prices all.
        table: of prices; None takes the one we ship.
        home: folder of runtime files, whose newest run of that recipe tells the speed.

    Raises:
        SettingsError: no such cloud in the table, or the table is wrong.
        EvidenceError: no speed could be measured.
    """
    training, workspace = the_training(), open_workspace(project, home)
    from tenure.training.cost import bill, core_hours, measured

    prices = _priced(cloud, table)
    settings, seeds = settings_of(training, workspace, asked), asked.population or asked.seeds
    speed = measured(workspace.runs, settings.recipe) or _probed(output, workspace, settings)
    hours = core_hours(speed, settings.steps, seeds)
    output.say(f"{settings.steps:,} decisions x {seeds} seed(s), recipe {settings.recipe}: {_shown(hours)} core hours.")
    rate, cores = _shown(speed.steps_per_s), f"{speed.cores:.1f} core(s)"
    output.say(f"Measured: {rate} decisions/s for each seed on {cores}, {speed.said}.")
    bills = [bill(price, speed, settings.steps, seeds) for price in prices]
    _say_bills(output, bills, table)
    told = {"steps": settings.steps, "seeds": seeds, "recipe": settings.recipe, "speed": asdict(speed)}
    output.result({**told, "core_hours": asdict(hours), "bills": [asdict(each) for each in bills]})


def _priced(cloud: str | None, table: Path | None) -> list[Price]:
    from tenure.training.cost import PRICES, read_prices

    every = read_prices(table or PRICES)
    chosen = [price for price in every if cloud in (None, price.cloud)]
    if not chosen:
        raise SettingsError(
            expected=f"one of the clouds of the table, {sorted({price.cloud for price in every})}",
            found=repr(cloud),
            where=f"--cloud, {table or PRICES}",
            fix="name one of these, or add its machines to a table of your own and name that with --prices",
        )
    return chosen


def _probed(output: Output, workspace: Workspace, settings: Any) -> Speed:
    """The speed of a short training, where no run has told one."""
    from tenure.training.cost import speed_of_probe
    from tenure.training.probe import probe

    output.say(f"No finished run of recipe {settings.recipe} tells its speed; a short probe trains one seed.")
    with TemporaryDirectory() as folder:
        return speed_of_probe(probe(workspace.project, settings, Path(folder)))


def _say_bills(output: Output, bills: list[Bill], table: Path | None) -> None:
    from tenure.training.cost import PRICES

    rows = [
        (
            f"{each.price.cloud} {each.price.instance}",
            str(each.machines),
            _shown(each.hours),
            f"{_shown(each.on_demand)} {each.price.currency}",
            f"{_shown(each.spot)} {each.price.currency}",
            f"{each.price.region}, {_dated(each.price)}",
        )
        for each in bills
    ]
    output.table(("machine", "how many", "hours", "on demand", "spot", "prices"), rows)
    output.say("Not in it: disks, traffic, the head of a cluster, machines that wait, work lost with a spot machine.")
    if table is None:
        output.say(f"These prices are EXAMPLES: copy {PRICES}, edit it, and name it with --prices.")


def _dated(price: Price) -> str:
    return "of an unknown day" if price.as_of == "unknown" else f"as of {price.as_of}"


def _shown(amount: Range) -> str:
    """A range with two digits, as much as such a reckoning knows."""
    low, high = _two(amount.low), _two(amount.high)
    return low if low == high else f"{low} to {high}"


def _two(value: float) -> str:
    """Two significant digits.

    >>> _two(1234.5), _two(0.0456), _two(7.0)
    ('1,200', '0.046', '7.0')
    """
    digits = 1 - math.floor(math.log10(value))
    return f"{round(value, digits):,.{max(digits, 0)}f}"
