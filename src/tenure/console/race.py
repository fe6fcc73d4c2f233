"""The chart of a race: each contestant's gain in its interval, beside the incumbent and the bound."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import vl_convert
from markupsafe import escape

Entry = tuple[str, float, float, float]
"""Name, value, low and high of a gain, as shares of the incumbent's first KPI."""


def race_chart(entries: Sequence[Entry], bound: float | None, label: str, width: int = 520) -> str:
    """One row per contestant and round, as an SVG file of its own; the incumbent stands at 0.

    Args:
        entries: in the order of the rows.
        bound: the gain nobody can exceed; None where it is not known.
        label: the sentence that stands for the chart where it cannot be seen.
        width: of the plot, in CSS pixels.
    """
    rows = [{"name": name, "value": value, "low": low, "high": high} for name, value, low, high in entries]
    marks = [{"at": 0.0, "what": "incumbent"}, *([] if bound is None else [{"at": bound, "what": "bound"}])]
    axis = alt.Axis(format="+.0%", title="gain over the incumbent: interquartile mean, 95 % interval over seeds")
    y = alt.Y("name:N", sort=[name for name, *_ in entries], title=None, axis=alt.Axis(labelLimit=240))
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=y)
    levels = alt.Chart(alt.InlineData(values=marks)).encode(x="at:Q")
    drawn = alt.layer(
        levels.mark_rule(strokeDash=[5, 3]),
        levels.mark_text(dy=-6, baseline="bottom").encode(text="what:N", y=alt.value(0)),
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", axis=axis), x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1).encode(x="value:Q"),
    )
    dressed = drawn.properties(width=width, height=alt.Step(24)).configure(aria=False, background="white")
    svg: str = vl_convert.vegalite_to_svg(dressed.to_dict())
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
