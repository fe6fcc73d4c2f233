"""Contradictions are refused, rewards and KPIs are worth what the hand says, versions tell content."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProblemError
from tenure.core.problem import Constraint, Limit, Problem, Shaping
from tenure.core.reward import KPI, Reward, Signal, Term, Tradeoff
from tenure.core.spaces import Box, Discrete, Feature

PARTS: dict[str, Any] = {
    "name": "shop",
    "about": "how much to order",
    "observation": (Feature("stock", "units", 0, 100), Feature("size", "ratio", 0.5, 2, default=1.0)),
    "action": Discrete(("none", "some")),
    "signals": (Signal("sold", "units", 0, 50), Signal("lost", "units", 0, 50)),
    "reward": Reward((Term("sold", 2.0, "$/unit", "margin"), Term("lost", -0.5, "$/unit", "goodwill"))),
    "kpis": (
        KPI("service", "share", "higher", {"sold": 1}, {"sold": 1, "lost": 1}),
        KPI("lost", "units", "lower", {"lost": 1}),
    ),
    "horizon": 7,
    "discount": 0.9,
}
SIGNALS = {"sold": np.array([10.0, 0.0, 5.0]), "lost": np.array([2.0, 4.0, 4.0])}


def made(**changes: Any) -> Problem:
    return Problem(**{**PARTS, **changes})


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a feature known only after": (
        {"observation": (Feature("stock", "units"), Feature("sold_today", "units", known="after"))},
        "'sold_today', known only after the decision",
    ),
    "an instrument": (
        {"observation": (Feature("true_demand", "units", known="simulated"),)},
        "'true_demand', known only in the simulator",
    ),
    "no name": ({"name": ""}, "''"),
    "a name with a slash": ({"name": "a/b"}, "'a/b'"),
    "a name beyond ASCII": ({"name": "é"}, "ASCII"),
    "no feature": ({"observation": ()}, "at least one feature"),
    "a feature twice": ({"observation": (Feature("x", "m"), Feature("x", "m"))}, "['x'] more than once"),
    "no signal": ({"signals": ()}, "at least one signal"),
    "a signal twice": ({"signals": (*PARTS["signals"], Signal("sold", "units", 0, 1))}, "['sold'] more than once"),
    "no KPI": ({"kpis": ()}, "at least one KPI"),
    "a KPI twice": ({"kpis": (PARTS["kpis"][1],) * 2}, "['lost'] more than once"),
    "bounds turned round": ({"observation": (Feature("x", "m", 1, 0),)}, "low=1, high=0"),
    "bounds that are no numbers": ({"observation": (Feature("x", "m", math.nan, 0),)}, "low=nan"),
    "signal bounds turned round": (
        {"signals": (Signal("sold", "u", 1, 1), Signal("lost", "u", 0, 1))},
        "signal 'sold'",
    ),
    "a default out of bounds": ({"observation": (Feature("x", "m", 0, 1, default=2),)}, "a default from 0 to 1"),
    "a default that is no number": ({"observation": (Feature("x", "m", default=math.nan),)}, "a default from"),
    "discount zero": ({"discount": 0.0}, "discount=0.0"),
    "discount above one": ({"discount": 1.1}, "discount=1.1"),
    "no horizon": ({"horizon": 0}, "horizon=0"),
    "per an unknown feature": ({"observation": (Feature("x", "m", per="size"),)}, "'size'"),
    "per a feature that may be 0": (
        {"observation": (Feature("x", "m", per="size"), Feature("size", "ratio", 0, 1))},
        "above 0",
    ),
    "a reward of an unknown signal": ({"reward": Reward((Term("sales", 1, "$", "typo"),))}, "reward term 'sales'"),
    "a KPI of an unknown signal": ({"kpis": (KPI("k", "u", "lower", {"sales": 1}),)}, "KPI 'k'"),
    "a KPI per an unknown signal": ({"kpis": (KPI("k", "u", "lower", {"sold": 1}, {"sales": 1}),)}, "KPI 'k'"),
    "a reward of nothing": ({"reward": Reward(())}, "none in the reward"),
    "a KPI of nothing": ({"kpis": (KPI("k", "u", "lower", {}),)}, "none in KPI 'k'"),
    "a KPI per nothing": ({"kpis": (KPI("k", "u", "lower", {"sold": 1}, {}),)}, "none in KPI 'k'"),
    "a reward that reads a KPI": (
        {"reward": Reward((Term("service", 1, "$/share", "it is what counts"),))},
        "a term that reads the KPI 'service'",
    ),
    "a limit on an unknown signal": ({"limits": (Limit("l", "sales", 1, "law"),)}, "limit 'l'"),
    "a limit twice": ({"limits": (Limit("l", "sold", 1, "law"), Limit("l", "lost", 1, "law"))}, "['l'] more than once"),
    "a trade-off over an unknown signal": (
        {"reward": Reward(PARTS["reward"].terms, (Tradeoff("sold", "sales", "typo"),))},
        "trade-off",
    ),
    "one action": ({"action": Discrete(("only",))}, "at least two labels"),
    "an action twice": ({"action": Discrete(("a", "a"))}, "each once"),
    "an empty box": ({"action": Box((), (), (), ())}, "for every name"),
    "a box without a unit": ({"action": Box(("v",), (), (0.0,), (1.0,))}, "for every name"),
    "a box turned round": ({"action": Box(("v",), ("m",), (1.0,), (0.0,))}, "low < high"),
}


@pytest.mark.parametrize(("changes", "says"), WRONG.values(), ids=list(WRONG))
def test_a_problem_that_contradicts_itself_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ProblemError) as caught:
        made(**changes)
    assert says in str(caught.value)
    assert all(caught.value.as_dict().values())


def test_a_box_is_a_legal_action() -> None:
    assert made(action=Box(("v", "w"), ("m/s", "1/s"), (0.0, -1.0), (1.0, 1.0))).version != made().version


def test_the_reward_is_the_weighted_sum() -> None:
    # 2 * 10 - .5 * 2, 2 * 0 - .5 * 4, 2 * 5 - .5 * 4
    assert made().reward(SIGNALS).tolist() == [19.0, -2.0, 8.0]
    assert made().reward({name: values[:, None] for name, values in SIGNALS.items()}).shape == (3, 1)
    assert made().reward.without("lost")(SIGNALS).tolist() == [20.0, 0.0, 10.0]


def test_a_kpi_is_a_ratio_of_sums_or_a_mean() -> None:
    service, lost = made().kpis
    assert service.value(SIGNALS) == 15 / 25
    assert lost.value(SIGNALS) == pytest.approx(10 / 3)
    assert service.denominator(SIGNALS).tolist() == [12.0, 4.0, 9.0]
    assert lost.denominator(SIGNALS).tolist() == [1.0, 1.0, 1.0]
    assert (service.sign, lost.sign) == (1, -1)


def test_a_kpi_over_nothing_is_not_a_number() -> None:
    assert math.isnan(made().kpis[0].value({"sold": np.zeros(2), "lost": np.zeros(2)}))


def test_a_kpi_is_found_by_name_or_refused() -> None:
    assert made().kpi("lost") is made().kpis[1] or made().kpi("lost") == made().kpis[1]
    with pytest.raises(ProblemError, match="'profit'"):
        made().kpi("profit")


def test_names_keep_their_order() -> None:
    assert made().feature_names == ("stock", "size")
    assert made().signal_names == {"sold", "lost"}
    assert made().action == Discrete(("none", "some"))
    assert Discrete(("none", "some")).size == 2


def first_only(observation: Floats) -> Bools:
    """The second action is not safe."""
    return np.tile([True, False], (len(observation), 1))


def nothing_at_zero(observation: Floats) -> Bools:
    """At 0 nothing is."""
    return np.repeat(observation[:, :1] > 0, 2, axis=1)


def test_what_is_allowed_is_what_mask_and_constraints_all_allow() -> None:
    observation, mask = np.array([[0.0], [1.0]]), np.array([[True, True], [True, False]])
    assert made().allowed(observation) is None
    assert made().allowed(observation, mask) is mask
    safe = made(constraints=(Constraint("one", "safety", first_only), Constraint("two", "law", nothing_at_zero)))
    found = safe.allowed(observation)
    assert found is not None
    assert found.tolist() == [[False, False], [True, False]]
    found = safe.allowed(observation, ~mask)
    assert found is not None
    assert not found.any()


@dataclasses.dataclass(frozen=True)
class AtMost:
    """A constraint with a number of its own."""

    limit: float

    def __call__(self, observation: Floats) -> Bools:
        return np.repeat(observation[:, :1] <= self.limit, 2, axis=1)


class Plain:
    def __call__(self, observation: Floats) -> Bools:
        return first_only(observation)


def constrained(allowed: Any) -> str:
    return made(constraints=(Constraint("c", "law", allowed),)).version


def half_a_unit(observation: Floats) -> Floats:
    return observation[:, 0] / 2


def nothing_yet(observation: Floats) -> Floats:
    return observation[:, 0] * 0


CHANGES: list[dict[str, Any]] = [
    {"name": "store"},
    {"observation": (*PARTS["observation"], Feature("hour", "h"))},
    {"observation": PARTS["observation"][::-1]},
    {"observation": (Feature("stock", "units", 0, 101), PARTS["observation"][1])},
    {"observation": (Feature("stock", "units", 0), PARTS["observation"][1])},
    {"action": Discrete(("some", "none"))},
    {"signals": (Signal("sold", "units", 0, 51), PARTS["signals"][1])},
    {"reward": PARTS["reward"].without("lost")},
    {"kpis": PARTS["kpis"][:1]},
    {"horizon": 8},
    {"discount": 0.91},
    {"constraints": (Constraint("c", "law", first_only),)},
    {"constraints": (Constraint("c", "safety", first_only),)},
    {"constraints": (Constraint("c", "law", nothing_at_zero),)},
    {"constraints": (Constraint("c", "law", AtMost(1.0)),)},
    {"constraints": (Constraint("c", "law", AtMost(2.0)),)},
    {"constraints": (Constraint("c", "law", Plain()),)},
    {"limits": (Limit("l", "lost", 1.0, "law"),)},
    {"limits": (Limit("l", "lost", 2.0, "law"),)},
    {"limits": (Limit("l", "lost", 1.0, "law", held_by="penalty"),)},
    {"shaping": Shaping(half_a_unit, "help")},
    {"shaping": Shaping(nothing_yet, "help")},
    {"kpis": (PARTS["kpis"][0], dataclasses.replace(PARTS["kpis"][1], worst=3.0))},
    {"reward": Reward((dataclasses.replace(PARTS["reward"].terms[0], scale=5.0), PARTS["reward"].terms[1]))},
]


def test_every_change_of_content_changes_the_version() -> None:
    versions = [made().version, *(made(**change).version for change in CHANGES)]
    assert len(set(versions)) == len(versions)


def test_equal_problems_have_equal_versions() -> None:
    same = made(
        observation=(Feature("stock", "units", 0.0, 100.0), Feature("size", "ratio", 0.5, 2.0, default=1)),
        kpis=(KPI("service", "share", "higher", {"sold": 1.0}, {"lost": 1, "sold": 1}), PARTS["kpis"][1]),
    )
    assert same == made()
    assert (same.version, same.reward_version) == (made().version, made().reward_version)
    assert constrained(AtMost(1.0)) == constrained(AtMost(1.0))


def test_what_a_problem_may_leave_out_is_no_part_of_its_version() -> None:
    # Policies trained before limits, shaping, scales and worst values were known still fit their problem.
    fields = made().as_dict()
    assert not {"limits", "shaping"} & set(fields)
    assert not any("scale" in term for term in fields["reward"])
    assert not any("worst" in kpi for kpi in fields["kpis"])


def test_the_reward_by_term_adds_up_to_the_reward() -> None:
    doubled = Reward((*PARTS["reward"].terms, Term("sold", 1.0, "$/unit", "loyalty")))
    parts = doubled.by_term(SIGNALS)
    assert {name: part.tolist() for name, part in parts.items()} == {
        "sold": [30.0, 0.0, 15.0],  # 2 + 1 a unit
        "lost": [-1.0, -2.0, -2.0],
    }
    assert (parts["sold"] + parts["lost"]).tolist() == doubled(SIGNALS).tolist()


def test_a_trade_off_is_words_and_leaves_reward_and_version_alone() -> None:
    stated = Reward(PARTS["reward"].terms, (Tradeoff("sold", "lost", "a full shelf costs less than a lost guest"),))
    assert made(reward=stated).version == made().version
    assert stated(SIGNALS).tolist() == made().reward(SIGNALS).tolist()
    assert stated.without("lost").tradeoffs == stated.tradeoffs


def test_a_kpi_says_which_signals_it_reads() -> None:
    service, lost = made().kpis
    assert service.reads == {"sold", "lost"}
    assert lost.reads == {"lost"}


def test_a_constraint_without_source_is_told_by_its_code() -> None:
    one, two, three = (eval(f"lambda observation: observation > {limit}") for limit in (1, 2, 1))
    assert constrained(one) != constrained(two)
    assert constrained(one) == constrained(three)
    assert constrained(np.isfinite) != constrained(one)


def test_the_reward_has_a_version_of_its_own() -> None:
    assert made(horizon=8).reward_version == made().reward_version
    assert made(reward=PARTS["reward"].without("lost")).reward_version != made().reward_version


def test_a_problem_as_plain_fields_is_strict_json() -> None:
    plain = made(observation=(Feature("x", "m"),)).as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False))["observation"][0]["low"] is None


def test_a_bound_is_read_per_decision_or_as_a_ratio() -> None:
    totals = {"lost": np.array([1.0, 2.0]), "asked": np.array([10.0, 20.0])}
    assert KPI("lost", "", "lower", {"lost": 1}).of_totals(totals, 6) == 0.5
    assert KPI("lost", "", "lower", {"lost": 1}, {"asked": 1}).of_totals(totals, 6) == 0.1
