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
from tenure.diagnosis.thresholds import FEWEST_SEEDS, HEADROOM, MORE_EXCESS, MOST_ARMS, WORTH
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
        """The look, settled by trainings: with each fix on three seeds, with the best one on all there is time for.

        To stop where three seeds promise nothing can only lower the chance of a false alarm; that the best of several
        arms goes on is paid for by their share of the error.
        """
        pairs = [(fix, changed(self.settings, fix)) for fix in fixes[: MOST_ARMS - 1]]
        treated = [(fix, settings) for fix, settings in pairs if settings is not None]
        if not treated:
            return Look(f"{look.said} {NO_FIX.words}".strip(), (), "inconclusive")
        first = [
            (fix, settings, self._arms(name, fix, settings, FEWEST_SEEDS, until, watch)) for fix, settings in treated
        ]
        fix, settings, (control, other) = max(first, key=lambda one: self._gain(*one[2]))
        if self._gain(control, other) >= WORTH / 2:
            seeds = self._affordable(control, other, until)
            control, other = self._arms(name, fix, settings, seeds, until, watch)
        effect = self._effect(control, other, len(treated))
        if effect is None:
            return Look(f"{look.said} {_unmeasured(control, other)}".strip(), (fix,), "inconclusive")
        verdict = verdict_of(effect) if other.excess <= control.excess + MORE_EXCESS else "inconclusive"
        return Look(f"{look.said} {self._said(fix, control, other, effect)}".strip(), (fix,), verdict, effect)

    def _arms(
        self,
        name: str,
        fix: Fix,
        settings: Settings,
        seeds: int,
        until: float,
        watch: Callable[[str, float], None],
    ) -> tuple[Arm, Arm]:
        """Control and one treated arm."""

        def seen(words: str, arm: int) -> Callable[[int], None]:
            return lambda done: watch(f"{name}: {words}", (arm + done / seeds) / 2)

        control = self.arms.run(self.settings, seeds, until, seen("as it was", 0))
        return control, self.arms.run(settings, seeds, until, seen(fix.words, 1))

    def _gain(self, control: Arm, treated: Arm) -> float:
        """How much better the treated arm is so far, in spans; minus infinity where nothing was measured."""
        gains = self.facts.sign * (treated.scores - control.scores) / self.facts.span
        return float(np.nanmean(gains)) if np.isfinite(gains).any() else -np.inf

    def _affordable(self, control: Arm, treated: Arm, until: float) -> int:
        """Seeds of both arms there is time for."""
        left, pair = until - self.clock.monotonic(), control.seconds + treated.seconds
        more = int(self.arms.processes * left * HEADROOM / max(pair, 1e-3))
        return min(max(FEWEST_SEEDS + more, FEWEST_SEEDS), len(self.arms.seeds))

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
