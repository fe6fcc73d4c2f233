"""Charts as text: data in, one SVG string out, drawn by Altair and vl-convert.

Colours leave here as the page's own CSS variables, so a chart follows the page from light to dark to paper; dashes
and shapes carry the meaning where there is no colour. Widths are in CSS pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import altair as alt
import vl_convert
from markupsafe import escape

from tenure.console.model import Curve, Day, Kpi, Training
from tenure.console.words import percent, share_name, span

PAPER, GRID, INK, SOFT, LINE, FIRST, SECOND = (
    "#010201",
    "#010202",
    "#010203",
    "#010204",
    "#010205",
    "#010206",
    "#010207",
)
_VARIABLES = {
    PAPER: "--paper",
    GRID: "--grid",
    INK: "--ink",
    SOFT: "--soft",
    LINE: "--line",
    FIRST: "--first",
    SECOND: "--second",
}
_HUES = [FIRST, SECOND, INK]
_DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 3]]
_ROOMY = 500
"""Above this width a chart's words are long."""
_POINTS = 120
"""Points drawn of one curve at most; more would only make the page heavy."""

_Layers = alt.LayerChart | alt.FacetChart


def learning_curves(training: Training, label: str, width: int = 680) -> str:
    """The score of every seed over the steps, between the incumbent's line and the bound's.

    Args:
        training: its curves; scores that are not finite are left out.
        label: the sentence that stands for the chart where it cannot be seen.
        width: of the plot.
    """
    scores = [row["score"] for curve in training.curves for row in _points(curve)]
    lines = _lines(training.curves, width, f"{training.kpi} ({training.unit})", _score_scale(scores, training))
    return _svg(alt.layer(lines, *_levels(training)).properties(width=width, height=260), label)


def metric_curves(curves: Sequence[Curve], title: str, label: str, width: int = 680) -> str:
    """A metric of every seed over the steps.

    Args:
        curves: figures that are not finite are left out.
        title: of the axis: the metric's unit.
        label: the sentence that stands for the chart where it cannot be seen.
        width: of the plot.
    """
    return _svg(
        alt.layer(_lines(curves, width, title, alt.Scale(zero=False))).properties(width=width, height=160), label
    )


def relative_changes(kpis: Sequence[Kpi], label: str, width: int = 680) -> str:
    """Each KPI's change as a share of the incumbent's, a dot in its interval, with the word for it.

    Args:
        kpis: those without a relative change (incumbent 0, unknown figures) are left out.
        label: the sentence that stands for the chart where it cannot be seen.
        width: of the plot.
    """
    rows = [_change(kpi, kpi.span, width) for kpi in kpis if kpi.span]
    y = alt.Y("name:N", axis=None, sort=[row["name"] for row in rows], scale=alt.Scale(paddingInner=0))
    ends = [0.0, *(row[end] for row in rows for end in ("low", "high"))]
    scale = alt.Scale(domain=[min(ends), max(ends)], padding=14, nice=False)
    axis = alt.Axis(format=".0%", tickCount=width // 90, grid=False)
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=y)
    zero = alt.Chart(alt.InlineData(values=[{"at": 0}])).mark_rule(color=INK, strokeWidth=1.2).encode(x="at:Q")
    title = "change against the incumbent, as a share of the incumbent's"
    bar = base.mark_rule(color=INK, strokeWidth=2, yOffset=12).encode(
        x=alt.X("low:Q", scale=scale, axis=axis, title=title if width > _ROOMY else "change against the incumbent"),
        x2="high:Q",
    )
    words, marks = ["better", "worse", "unclear"], ["circle", "square", "diamond"]
    dot = base.mark_point(filled=True, size=90, opacity=1, yOffset=12).encode(
        x=alt.X("relative:Q", scale=scale),
        shape=alt.Shape("word:N", scale=alt.Scale(domain=words, range=marks), legend=None),
        color=alt.Color("word:N", scale=alt.Scale(domain=words, range=[FIRST, SECOND, INK]), legend=None),
    )
    told = [
        base.mark_text(align="left", yOffset=-10, fontSize=12.5, **look).encode(text="told:N", x=alt.value(2))
        for look in ({"color": PAPER, "stroke": PAPER, "strokeWidth": 5}, {"color": INK})
    ]
    return _svg(alt.layer(zero, bar, dot, *told).properties(width=width, height=alt.Step(52)), label)


def rollout_days(days: Sequence[Day], label: str, width: int = 680) -> str:
    """The candidate's share of the traffic day by day, over the cost per unit of its units and of the control's.

    Args:
        days: in order; the lower panel is left out when no day has a cost.
        label: the sentence that stands for the chart where it cannot be seen.
        width: of the plot.
    """
    panels = [_shares(days, width)]
    costs = [row for day in days for row in _costs(day)]
    if any(row["cost"] is not None for row in costs):
        panels.append(_cost_lines(costs, width))
    return _svg(
        alt.vconcat(*panels, spacing=14).resolve_scale(
            x="shared", color="independent", shape="independent", strokeDash="independent"
        ),
        label,
    )


def _lines(curves: Sequence[Curve], width: int, title: str, scale: alt.Scale) -> alt.Chart:
    """One line per seed over the steps, told apart by colour and dash."""
    seeds = [_seed(curve) for curve in curves]
    x = alt.X("steps:Q", title="training steps", axis=alt.Axis(format="~s", tickCount=width // 90, grid=False))
    y = alt.Y("score:Q", title=title, scale=scale, axis=alt.Axis(format=",.4~f"))
    columns = max(2, width // 120)
    legend = alt.Legend(title=None, orient="bottom", columns=columns, symbolSize=1100, symbolStrokeWidth=2)
    cycle = [index % len(_DASHES) for index in range(len(seeds))]
    seed: dict[str, Any] = {"field": "seed", "type": "nominal", "legend": legend}
    rows = [row for curve in curves for row in _points(curve)]
    alone = any(len(curve.steps) == 1 for curve in curves)  # a line of one point is not seen
    drawn: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=1.8, point=alone)
        .encode(
            x=x,
            y=y,
            color=alt.Color(**seed, scale=alt.Scale(domain=seeds, range=_repeat(_HUES, len(seeds)))),
            strokeDash=alt.StrokeDash(**seed, scale=alt.Scale(domain=seeds, range=[_DASHES[i] for i in cycle])),
        )
    )
    return drawn


def _points(curve: Curve) -> list[dict[str, Any]]:
    pairs = [(step, score) for step, score in zip(curve.steps, curve.score, strict=True) if math.isfinite(score)]
    stride = math.ceil(len(pairs) / _POINTS) or 1
    kept = pairs[::-1][::stride][::-1]
    return [{"seed": _seed(curve), "steps": step, "score": score} for step, score in kept]


def _seed(curve: Curve) -> str:
    return f"seed {curve.seed}"


def _score_scale(scores: Sequence[float], training: Training) -> alt.Scale:
    """A log scale where an untrained start would flatten all that matters."""
    shown = [*scores, *(level for level, _, _ in _named_levels(training))]
    wide = min(shown) > 0 and max(shown) > 5 * min(shown)
    return alt.Scale(type="log", nice=False, padding=24) if wide else alt.Scale(zero=False, nice=False, padding=24)


def _named_levels(training: Training) -> list[tuple[float, str, list[int]]]:
    levels = [(training.incumbent, "incumbent", [1, 0])]
    if training.bound is not None and math.isfinite(training.bound):
        levels.append((training.bound, "bound: no policy can do better", [3, 3]))
    return levels


def _levels(training: Training) -> list[alt.Chart]:
    """Horizontal lines with their names, the higher named above itself and the lower below."""
    drawn: list[alt.Chart] = []
    for place, (level, name, dash) in enumerate(sorted(_named_levels(training), reverse=True)):
        base = alt.Chart(alt.InlineData(values=[{"score": level, "name": name}])).encode(y="score:Q")
        drawn.append(base.mark_rule(color=INK, strokeDash=dash, strokeWidth=1.4))
        dy = -7 if place == 0 else 9
        text = base.mark_text(align="right", dx=-4, dy=dy, color=INK, fontSize=12.5, fontWeight="bold")
        drawn.append(text.encode(text="name:N", x=alt.value("width")))
    return drawn


def _change(kpi: Kpi, ends: tuple[float, float], width: int) -> dict[str, Any]:
    low, high = ends
    interval = f" ({span(low, high, as_percent=True)})" if width > _ROOMY else ""
    told = f"{kpi.name}: {percent(kpi.relative, signed=True)}{interval}, {kpi.word}"
    return {"name": kpi.name, "low": low, "high": high, "relative": kpi.relative, "word": kpi.word, "told": told}


def _shares(days: Sequence[Day], width: int) -> _Layers:
    rows = [{"day": day.day.isoformat(), "share": day.share} for day in days]
    bands = _bands(days)
    ticks = sorted({0.0, 0.01, 0.1, 1.0})
    area = (
        alt.Chart(alt.InlineData(values=bands))
        .mark_rect(opacity=0.16, stroke=INK, strokeWidth=0.6)
        .encode(x=_day(None, width, "start:T"), x2="end:T", color=alt.Color("shade:N", scale=None))
    )
    names = (
        alt.Chart(alt.InlineData(values=bands))
        .mark_text(baseline="top", color=INK, fontSize=12, fontWeight="bold")
        .encode(x=_day(None, width, "middle:T"), y=alt.Y("top:Q", scale=None), text="name:N")
    )
    y = alt.Y(
        "share:Q",
        title="candidate's share",
        scale=alt.Scale(type="symlog", constant=0.01, domain=[0, 10]),
        axis=alt.Axis(values=ticks, format=".0%", grid=True, gridDash=[2, 3], gridColor=GRID),
    )
    line = alt.Chart(alt.InlineData(values=rows)).mark_line(interpolate="step-after", color=INK, strokeWidth=2.4)
    return alt.layer(area, names, line.encode(x=_day(None, width), y=y)).properties(width=width, height=170)


def _bands(days: Sequence[Day]) -> list[dict[str, Any]]:
    """One band for each run of days with the same stage and share; neighbours differ in shade and height of name."""
    runs = [list(run) for _, run in groupby(days, key=lambda day: (day.stage.lower(), day.share))]
    starts = [run[0].day for run in runs]
    ends = [*starts[1:], days[-1].day] if days else []
    return [
        {
            "start": start.isoformat(),
            "end": end.isoformat(),
            "middle": (start + (end - start) / 2).isoformat(),
            "name": band_name(run[0]),
            "shade": SOFT if place % 2 else LINE,
            "top": 6 + 15 * (place % 2),
        }
        for place, (run, start, end) in enumerate(zip(runs, starts, ends, strict=True))
    ]


def band_name(day: Day) -> str:
    """What a stretch of days is called: its share where the candidate answers, else its stage."""
    return share_name(day.share) if day.share > 0 else day.stage.upper().replace("_", " ")


def _costs(day: Day) -> list[dict[str, Any]]:
    who = (("control (incumbent)", day.control), ("candidate", day.candidate))
    return [{"day": day.day.isoformat(), "who": name, "cost": cost} for name, cost in who]


def _cost_lines(rows: Sequence[dict[str, Any]], width: int) -> _Layers:
    names = ["control (incumbent)", "candidate"]
    legend = alt.Legend(title=None, orient="bottom", symbolSize=90, symbolOpacity=1, columnPadding=30)
    who: dict[str, Any] = {"field": "who", "type": "nominal", "legend": legend}
    x = _day("day (UTC)", width)
    y = alt.Y("cost:Q", title="cost per unit", scale=alt.Scale(zero=False), axis=alt.Axis(format=",.4~f", tickCount=5))
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(
        x=x, y=y, color=alt.Color(**who, scale=alt.Scale(domain=names, range=[FIRST, SECOND]))
    )
    dashes = alt.StrokeDash(**who, scale=alt.Scale(domain=names, range=[[1, 0], [5, 3]]))
    shapes = alt.Shape(**who, scale=alt.Scale(domain=names, range=["circle", "triangle-up"]))
    points = base.transform_filter("isValid(datum.cost)").mark_point(filled=True, size=26, opacity=1)
    return alt.layer(base.mark_line(strokeWidth=1.6).encode(strokeDash=dashes), points.encode(shape=shapes)).properties(
        width=width, height=190
    )


def _day(title: str | None, width: int, field: str = "day:T") -> alt.X:
    return alt.X(
        field,
        title=title,
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(format="%d %b", tickCount=width // 90, grid=False),
    )


def _repeat(values: Sequence[str], count: int) -> list[str]:
    return [values[index % len(values)] for index in range(count)]


def _svg(chart: _Layers | alt.VConcatChart, label: str) -> str:
    """Draw, name for those who cannot see it, and hand the colours over to the page."""
    text = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12.5, "titleFontSize": 12.5, "titleFontWeight": 600}
    dressed = (
        chart.configure(font="sans-serif", background="transparent", padding=4, aria=False)
        .configure_axis(**text, domainColor=INK, tickColor=INK, gridColor=GRID, labelOverlap=True)
        .configure_legend(labelColor=INK, labelFontSize=12.5, labelLimit=260)
        .configure_view(stroke=None)
    )
    svg: str = vl_convert.vegalite_to_svg(dressed.to_dict())
    for token, variable in _VARIABLES.items():
        svg = svg.replace(token, f"var({variable})")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
