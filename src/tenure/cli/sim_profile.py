"""What `tenure sim profile` runs: how fast a simulator is, where its time goes, and what a plain loop gives."""

from __future__ import annotations

from tenure.cli.output import Output, percent
from tenure.cli.sim_check import subject, tell_incidents
from tenure.core.clock import Clock, SystemClock


def run_sim_profile(output: Output, project: str | None, env: str | None, clock: Clock | None = None) -> int:
    """Measure, tell, and give the exit code, which is 0."""
    from tenure.simulators.check_parts import blamed
    from tenure.simulators.profile import profile

    problem, simulator = subject(project, env)
    with blamed(problem, simulator, f"the simulator of {problem.name}"):
        found = profile(problem, simulator, clock or SystemClock())
    fields = found.as_dict()
    output.say(f"Simulator {found.version} of {problem.name}, one process, random actions, level normal.")
    output.table(("worlds", "steps/s", ""), [(str(r.worlds), f"{r.steps_per_s:,.0f}", "") for r in found.rates])
    if found.most_worlds is not None:
        output.say(f"It can hold {found.most_worlds} worlds at once; more were not tried.")
    output.heading(f"Of a step of {found.at} worlds")
    output.table(("part", "share", ""), [(part, percent(share), "") for part, share in found.shares.items()])
    output.say(f"\nMemory per world: state {found.state_bytes:,.0f} B, in passing {found.working_bytes:,.0f} B more.")
    times = found.steps_per_s / found.gymnasium_steps_per_s
    output.say(
        f"{found.at} worlds: {found.steps_per_s:,.0f} steps/s; the same world in a plain Gymnasium loop: "
        f"{found.gymnasium_steps_per_s:,.0f} steps/s, so the batch is {times:,.0f} times as fast."
    )
    for hint in found.hints:
        output.say(f"Hint: {hint}.")
    incidents = tell_incidents(output, simulator)
    output.result({**fields, "problem": problem.name, "times_gymnasium": times, "incidents": incidents})
    return 0
