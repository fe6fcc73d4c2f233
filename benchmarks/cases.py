"""What training the shipped cases takes and reaches: several seeds of each, judged on the held-out worlds.

    python -m benchmarks.cases [CASE ...] [--seeds 5] [--selection] [--csv docs/cases.csv] [--json]

Each case is trained with its own settings (`[train]` in its tenure.toml), as `tenure train` does it; every seed's best
checkpoint on the selection data is then judged, all seeds together. The gain is a share of the tuned incumbent's first
KPI; the headroom is the way from that incumbent to the bound, empty where no bound is known. Intervals are over worlds
(weeks in `bikes`) and seeds. Core seconds are those of the training processes, from
start to saved bundle. `steps_90` is where the first checkpoint stands that has 90 % of its seed's final gain on the
selection data; median over seeds. Reading the held-out worlds wears them out: try with --selection first.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tenure.cli.judge import judge, simulate, whole_panel
from tenure.core.evidence import Estimate
from tenure.core.project import Project, load_project
from tenure.core.reward import KPI
from tenure.core.simulator import Split
from tenure.evaluation import Comparison
from tenure.store import load_bundle
from tenure.training import RunRecord, SeedRecord, read_train_settings, train
from tenure.training.watcher import excess

CASES = ("warehouse", "factory", "alarms", "bikes", "execution", "delivery", "arm")
PAID_WITH = {"delivery": "vans", "arm": "jerk"}
"""The KPI that a gain could be bought with, and that is shown beside it."""


@dataclass(frozen=True)
class Row:
    """One case.

    Args:
        case: its name.
        seeds: how many were trained.
        split: the data it was judged on.
        incumbent, candidate, bound: first KPI of each, in its unit; the candidate's is the mean over seeds.
        unit: of these.
        gain, gain_low, gain_high: how much better than the incumbent, as a share of its KPI, and its 95 % interval.
        rule, rule_gain, rule_low, rule_high: the same against the shipped rule that is hardest to beat.
        beside, beside_change, beside_low, beside_high: the KPI of `PAID_WITH`, its change as a share of the
            incumbent's, and its interval; above 0 is more.
        headroom, headroom_low, headroom_high: share of the way from incumbent to bound, and its 95 % interval.
        worst_excess: how far the worst seed exceeds its most broken limit there, as a share of it; 0 keeps them all.
        steps: decisions per seed.
        steps_90: decisions to 90 % of the final gain.
        core_s: processor seconds per seed.
        commit: the tree it was trained from; `+` where files were changed.
    """

    case: str
    seeds: int
    split: str
    incumbent: float
    candidate: float
    bound: float | None
    unit: str
    gain: float
    gain_low: float
    gain_high: float
    rule: str | None
    rule_gain: float | None
    rule_low: float | None
    rule_high: float | None
    beside: str | None
    beside_change: float | None
    beside_low: float | None
    beside_high: float | None
    headroom: float | None
    headroom_low: float | None
    headroom_high: float | None
    worst_excess: float
    steps: int
    steps_90: int
    core_s: float
    commit: str


def measure(case: str, seeds: int, split: Split, home: Path) -> Row:
    """Train and judge one case."""
    project = load_project(case)
    settings = read_train_settings(project.settings_path)
    before, home = _core_seconds(), home / project.problem.name
    record = train(project, settings, tuple(range(1, seeds + 1)), home, "cases")
    spent = _core_seconds() - before
    policies = [load_bundle(home / "bundles" / seed.version, project.problem) for seed in record.seeds]
    found, panel = judge(project, policies, split), whole_panel(project, split)
    over = [excess(project.problem.limits, simulate(project, policy, panel)) for policy in policies]
    return Row(
        case=case,
        seeds=seeds,
        split=split,
        incumbent=found.incumbent,
        candidate=found.candidate,
        bound=found.bound,
        unit=project.problem.kpis[0].unit,
        **_told("gain", found.comparison.gain),
        **_hardest_rule(found.rules),
        **_beside(PAID_WITH.get(case), found.comparison),
        **_told("headroom", found.headroom),
        worst_excess=max(over),
        steps=settings.steps,
        steps_90=_steps_to(project, record),
        core_s=spent / seeds,
        commit=record.commit,
    )


def _told(name: str, found: Estimate | None, of: float = 1.0, first: str = "") -> dict[str, Any]:
    """The fields of an estimate, as shares of a size; empty where there is none."""
    names = (f"{name}{first}", f"{name}_low", f"{name}_high")
    values = (None,) * 3 if found is None else (found.value / of, found.low / of, found.high / of)
    return dict(zip(names, values, strict=True))


def _hardest_rule(rules: dict[str, Comparison]) -> dict[str, Any]:
    name = min(rules, key=lambda each: rules[each].gain.value, default=None)
    return {"rule": name, **_told("rule", None if name is None else rules[name].gain, first="_gain")}


def _beside(kpi: str | None, found: Comparison) -> dict[str, Any]:
    row = next((row for row in found.kpis if row.name == kpi), None)
    told = _told("beside", None, first="_change")
    if row is not None:
        told = _told("beside", row.change, abs(row.incumbent), "_change")
    return {"beside": kpi, **told}


def _core_seconds() -> float:
    """Processor seconds of all training processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _steps_to(project: Project, record: RunRecord, share: float = 0.9) -> int:
    kpi = project.problem.kpis[0]
    return int(statistics.median(_steps_of(kpi, record.incumbent, seed, share) for seed in record.seeds))


def _steps_of(kpi: KPI, incumbent: float, seed: SeedRecord, share: float) -> int:
    """First checkpoint with that share of the seed's gain, counted from the worse of incumbent and own start."""
    start = min(kpi.sign * incumbent, kpi.sign * seed.curve[0].score) * kpi.sign
    wanted = start + share * (seed.score - start)
    return next(point.steps for point in seed.curve if kpi.sign * (point.score - wanted) >= 0)


def table(rows: list[Row]) -> str:
    """Markdown, as in docs/cases.md."""
    lines = [
        "| case | better than the incumbent | than the best rule | paid with | headroom closed | incumbent | learned"
        " | bound | unit | steps | to 90 % | core s |",
        "| --- | --- | --- | --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for row in rows:
        gains = _share(row.gain, row.gain_low, row.gain_high)
        ruled = _share(row.rule_gain, row.rule_low, row.rule_high, row.rule)
        paid = _share(row.beside_change, row.beside_low, row.beside_high, row.beside)
        room = _share(row.headroom, row.headroom_low, row.headroom_high)
        bound = "-" if row.bound is None else f"{row.bound:.3f}"
        costs = f"{row.incumbent:.3f} | {row.candidate:.3f} | {bound} | {row.unit}"
        effort = f"{row.steps:,} | {row.steps_90:,} | {row.core_s:.0f}"
        lines.append(f"| `{row.case}` | {gains} | {ruled} | {paid} | {room} | {costs} | {effort} |")
    return "\n".join(lines)


def _share(value: float | None, low: float | None, high: float | None, name: str | None = None) -> str:
    if value is None or low is None or high is None:
        return "-"
    return f"{f'`{name}` ' if name else ''}{100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def write_csv(rows: list[Row], path: Path) -> None:
    """One line per case; cases that were not measured now keep theirs. Where nothing is known the field is empty."""
    kept: list[dict[str, object]] = []
    if path.exists():
        with path.open(newline="") as file:
            kept = [dict(old) for old in csv.DictReader(file) if old["case"] not in {row.case for row in rows}]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(Row.__dataclass_fields__), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *(asdict(row) for row in rows)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), metavar="CASE", help=f"of {', '.join(CASES)}")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of each case")
    parser.add_argument("--selection", action="store_true", help="judge on the selection data")
    parser.add_argument("--csv", type=Path, help="write or update this table")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as home:
        for case in arguments.cases:
            print(f"training {case} ...", file=sys.stderr, flush=True)
            split: Split = "selection" if arguments.selection else "held_out"
            rows.append(measure(case, arguments.seeds, split, Path(home)))
    if arguments.csv is not None:
        write_csv(rows, arguments.csv)
    print(json.dumps({"cases": [asdict(row) for row in rows]}) if arguments.json else table(rows))


if __name__ == "__main__":
    main()
