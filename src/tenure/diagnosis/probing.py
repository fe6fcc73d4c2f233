"""One probe: a look where the hypothesis has one, then short trainings that change one thing beside a control."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tenure.core.clock import Clock
from tenure.core.evidence import Estimate
from tenure.diagnosis.arms import Arm, Arms
from tenure.diagnosis.causes import Hypothesis, Look, Suspicion
from tenure.diagnosis.changes import changed
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Fix, Found
from tenure.diagnosis.rollouts import Rollouts
from tenure.diagnosis.thresholds import FEWEST_SEEDS, MOST_ARMS, WORTH
from tenure.diagnosis.verdicts import effect_of, verdict_of
from tenure.training.settings import Settings

NO_FIX = Fix("Nothing in this recipe's settings changes it.")


@dataclass(frozen=True)
class Probe:
    """How hypotheses about one run are tested; they share the control.

    Args:
        facts: of the run.
        settings: of the control: the run's own, with as many decisions as there is time for.
        rollouts: for looks.
        arms: trains.
        clock: says how much time is left.
    """

    facts: Facts
    settings: Settings
    rollouts: Rollouts
    arms: Arms
    clock: Clock

    def test(
        self, hypothesis: Hypothesis, suspicion: Suspicion, seconds: float, watch: Callable[[str, float], None]
    ) -> Found:
        """Test one hypothesis within so many seconds.

        Args:
            hypothesis: what is tested.
            suspicion: what the record says of it.
            seconds: wall clock.
            watch: told what is going on, and the share of the probe that is done.
        """
        began, name = self.clock.monotonic(), hypothesis.cause.value
        watch(f"{name}: looking", 0.0)
        look = Look("") if hypothesis.look is None else hypothesis.look(self.facts, self.rollouts)
        fixes = look.fixes or hypothesis.fixes(self.facts)
        if look.verdict is None:
            look = self._trained(name, look, fixes, began + seconds, watch)
        fix = look.fixes[0] if look.fixes else NO_FIX
        took = self.clock.monotonic() - began
        verdict = look.verdict or "inconclusive"
        return Found(name, suspicion.evidence, look.said, verdict, fix, suspicion.strength, look.effect, took)

    def _trained(
        self, name: str, look: Look, fixes: tuple[Fix, ...], until: float, watch: Callable[[str, float], None]
    ) -> Look:
        """The look, settled by trainings with each fix; the best one's fix stands first."""
        pairs = [(fix, changed(self.settings, fix)) for fix in fixes[: MOST_ARMS - 1]]
        treated = [(fix, settings) for fix, settings in pairs if settings is not None]
        if not treated:
            return Look(f"{look.said} {NO_FIX.words}".strip(), (), "inconclusive")
        found = [(fix, *self._arms(name, fix, settings, len(treated), until, watch)) for fix, settings in treated]
        measured = [(fix, control, other, effect) for fix, control, other, effect in found if effect is not None]
        if not measured:
            return Look(f"{look.said} {_unmeasured(*found[0][1:3])}".strip(), (found[0][0],), "inconclusive")
        fix, control, other, effect = max(measured, key=lambda one: one[3].value)
        verdict = verdict_of(effect) if other.excess <= control.excess + 0.01 else "inconclusive"
        return Look(f"{look.said} {self._said(fix, control, other, effect)}".strip(), (fix,), verdict, effect)

    def _arms(
        self,
        name: str,
        fix: Fix,
        settings: Settings,
        arms: int,
        until: float,
        watch: Callable[[str, float], None],
    ) -> tuple[Arm, Arm, Estimate | None]:
        """Control and one treated arm: on three seeds, and on all where that is promising.

        To stop where it is not can only lower the chance of a false alarm.
        """

        def both(seeds: int) -> tuple[Arm, Arm, Estimate | None]:
            control = self.arms.run(self.settings, seeds, until, lambda done: watch(f"{name}: as it was", done / 3))
            other = self.arms.run(settings, seeds, until, lambda done: watch(f"{name}: {fix.words}", done / 3))
            return control, other, self._effect(control, other, arms)

        found = both(FEWEST_SEEDS)
        promising = found[2] is not None and found[2].value >= WORTH / 2
        return both(len(self.arms.seeds)) if promising else found

    def _effect(self, control: Arm, treated: Arm, arms: int) -> Estimate | None:
        """How much better the treated arm is; None with fewer than three seeds that both came to an end."""
        sign = self.facts.sign
        both = np.isfinite(control.scores) & np.isfinite(treated.scores)
        if both.sum() < FEWEST_SEEDS:
            return None
        return effect_of(sign * control.scores[both], sign * treated.scores[both], self.facts.span, arms)

    def _said(self, fix: Fix, control: Arm, treated: Arm, effect: Estimate) -> str:
        kpi, steps = self.facts.problem.kpis[0], self.settings.steps
        changes = ", ".join(f"{name} = {value}" for name, value in fix.settings.items())
        with_it, without = np.nanmean(treated.scores), np.nanmean(control.scores)
        return (
            f"With {changes}, {effect.n} seeds of {steps:,} decisions come to {kpi.name} {with_it:.4g} {kpi.unit} on "
            f"the selection data, without to {without:.4g}: {effect.value:+.0%} of the span "
            f"({effect.low:+.0%} to {effect.high:+.0%})."
        )


def _unmeasured(control: Arm, treated: Arm) -> str:
    """Why an effect could not be measured."""
    return control.why or treated.why or "There was no time for three seeds of each arm; allow more with --seconds."
