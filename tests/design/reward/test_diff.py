"""What a change of the reward does to rankings of behaviours and of logged decisions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.design.reward.worlds import picker
from tests.store.rows import NOON, WAIT, decision

from tenure.core.clock import SystemClock
from tenure.core.decision import Outcome
from tenure.core.errors import DataError, ProblemError
from tenure.design.reward.diff import flipped_share, logged_change, needed_signals, reward_diff
from tenure.design.reward.ranking import kendall_tau, reweighted
from tenure.design.reward.scored import SignalLog, open_signals
from tenure.store import SqliteStore
from tenure.store.tables.exporting import export_log


class Ticking(SystemClock):
    """A clock that moves a second whenever it is read."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        self._seconds += 1.0
        return self._seconds


def test_the_ranking_of_known_behaviours_is_told_under_both(tmp_path: Path) -> None:
    before, after = picker(tmp_path / "a"), picker(tmp_path / "b", draft="pays-picks")
    found = reward_diff(before, after, None, Ticking())
    simulated = next(each for each in found.rankings if each.kind == "simulated")
    assert simulated.before == ("incumbent", "waits", "juggles")
    assert simulated.after == ("juggles", "incumbent", "waits")
    assert simulated.tau == pytest.approx(-1 / 3)  # of three pairs two turn round
    assert set(simulated.flips) == {("incumbent", "juggles"), ("waits", "juggles")}
    assert "delivered: left out, was 20 points/parcel" in found.terms
    assert "picked: new, 20 points/parcel" in found.terms
    assert found.speed is not None
    assert found.speed.bare == found.speed.paid == 1024 * 20
    told = "\n".join(found.lines())
    assert "'waits' is no longer above 'juggles'" in told


def test_the_new_reward_is_judged_on_every_known_order_and_behaviour(tmp_path: Path) -> None:
    before, after = picker(tmp_path / "a"), picker(tmp_path / "b", draft="pays-picks")
    found, same = reward_diff(before, after, None, Ticking()), reward_diff(before, before, None, Ticking())
    assert {finding.gate for finding in found.findings} == {"order", "known_exploits"}
    assert (found.verdict.word, same.verdict.word) == ("fail", "pass")
    assert [exploit.conduct.name for exploit in found.exploits] == ["juggles"]
    assert not same.exploits
    fields = found.as_dict()
    assert (fields["verdict"], fields["exploits"][0]["behaviour"]) == ("fail", "juggles")
    assert {each["verdict"] for each in fields["findings"]} >= {"fail"}
    assert any(line.startswith("  known_exploits, fail: 'juggles' is paid") for line in found.lines())


def test_the_fields_of_a_diff_are_json(tmp_path: Path) -> None:
    before, after = picker(tmp_path / "a"), picker(tmp_path / "b", draft="pays-picks")
    found = reward_diff(before, after, None, Ticking())
    assert json.dumps(found.as_dict())


def test_the_same_reward_changes_nothing(tmp_path: Path) -> None:
    before, after = picker(tmp_path / "a"), picker(tmp_path / "b")
    found = reward_diff(before, after, None, Ticking())
    assert found.terms == ("nothing changed",)
    assert all(not each.flips and each.before == each.after for each in found.rankings)


def test_a_signal_that_is_not_measured_is_refused_with_its_line(tmp_path: Path) -> None:
    unmeasured = ("problem.py", '        Signal("picked", "parcels", 0, 1, "parcels taken up"),\n', "")
    before = picker(tmp_path / "a", unmeasured, ("problem.py", 'Term("picked"', 'Term("metres"'))
    after = picker(tmp_path / "b", draft="pays-picks")
    with pytest.raises(ProblemError, match="'picked'") as raised:
        reward_diff(before, after, None, Ticking())
    assert "problem.py:" in raised.value.where


LOG = SignalLog(
    np.array(["a", "a", "b"], dtype=object),
    {"delivered": np.array([1.0, 0, 0]), "metres": np.array([30.0, 1, 2]), "picked": np.array([0.0, 0, 1])},
    left_out=2,
)


def test_logged_decisions_are_scored_under_both(tmp_path: Path) -> None:
    before, after = picker(tmp_path / "a"), picker(tmp_path / "b", draft="pays-picks")
    found = logged_change(before.problem.reward, after.problem.reward, LOG)
    # Before: -10, -1, -2. After: -30, -1, 18. Of three pairs the last two decisions turn round.
    assert found.flipped == pytest.approx(1 / 3)
    assert (found.pairs, found.decisions, found.left_out) == (3, 3, 2)
    assert [(each.action, each.decisions, each.before, each.after) for each in found.actions] == [
        ("b", 1, -2.0, 18.0),
        ("a", 2, -5.5, -15.5),
    ]


def test_the_share_of_drawn_pairs_is_near_that_of_all() -> None:
    rng = np.random.default_rng(1)
    before, after = rng.normal(size=(2, 3000))
    share, pairs = flipped_share(before, after)
    assert pairs == 200_000
    assert share == pytest.approx(0.5, abs=0.02)  # two independent orders disagree on half of all pairs
    assert np.isnan(flipped_share(before[:1], after[:1])[0])


def test_a_tie_is_no_flip() -> None:
    assert flipped_share(np.array([1.0, 1.0]), np.array([1.0, 2.0])) == (0.0, 1)


def test_kendall_s_tau_of_a_ranking_and_its_reverse_is_minus_one() -> None:
    assert kendall_tau("abcd", "dcba") == -1
    assert kendall_tau("abcd", "abcd") == 1
    assert np.isnan(kendall_tau("a", "a"))


def test_a_weight_is_changed_for_its_signal_alone(tmp_path: Path) -> None:
    changed = reweighted(picker(tmp_path).problem.reward, "metres", 4.0)
    assert [term.weight for term in changed.terms] == [20.0, -4.0]


NAMES = {"delivered", "metres"}


def test_a_table_with_a_column_per_signal_is_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("decision_id,action,delivered,metres\na,pick,0,1\nb,deliver,1,5\nc,wait,,0\n")
    found = open_signals(str(path), picker(tmp_path).problem, NAMES)
    assert found.action.tolist() == ["pick", "deliver"]
    assert found.signals["metres"].tolist() == [1.0, 5.0]
    assert found.left_out == 1


def test_an_export_with_its_signals_as_json_is_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    cells = ['{""delivered"": 1, ""metres"": 5}', '{""delivered"": 0}', ""]
    rows = "".join(f'd{number},pick,"{cell}"\n' for number, cell in enumerate(cells))
    path.write_text(f"decision_id,action,signals\n{rows}")
    found = open_signals(str(path), picker(tmp_path).problem, NAMES)
    assert found.signals["delivered"].tolist() == [1.0]
    assert found.left_out == 2


def test_a_log_without_these_signals_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("decision_id,action,metres\na,pick,1\n")
    with pytest.raises(DataError, match="no column 'delivered'"):
        open_signals(str(path), picker(tmp_path).problem, NAMES)


def test_a_signal_is_found_but_for_case_and_punctuation_or_where_a_mapping_says(tmp_path: Path) -> None:
    path, problem = tmp_path / "log.csv", picker(tmp_path).problem
    path.write_text("decision_id;offer shown;Delivered;way (m)\na;pick;0;1,5\nb;wait;1;5,25\n")
    with pytest.raises(DataError) as caught:
        open_signals(str(path), problem, NAMES)
    assert caught.value.fix.splitlines()[-2:] == ["[signals]", 'metres = "COLUMN"']
    found = open_signals(str(path), problem, NAMES, {"signals": {"metres": "way (m)"}})
    assert found.signals["metres"].tolist() == [1.5, 5.25]
    assert found.taken == (
        "action: offer shown (its name says 'offer', and it has 2 different values)",
        "signal delivered: Delivered",
        "signal metres: way (m)",
        "numbers with decimal commas: way (m) (such as '1,5' in line 2, read as 1.5)",
    )


def test_rows_that_cannot_be_read_are_told_and_a_signal_of_words_is_refused_with_its_line(tmp_path: Path) -> None:
    path, problem = tmp_path / "log.csv", picker(tmp_path).problem
    rows = "".join(f"{'pick' if k % 2 else 'wait'},{k % 2},{k}\n" for k in range(20))
    path.write_text(f"action,delivered,metres\n{rows}pick,1,far\n")
    found = open_signals(str(path), problem, NAMES)
    assert (len(found), found.taken[-1]) == (
        20,
        "rejected: 1 rows; the first, line 22: 'far' in column 'metres' is no number",
    )
    path.write_text("action,delivered,metres\npick,1,\nwait,0,far\n")
    with pytest.raises(DataError) as caught:
        open_signals(str(path), problem, NAMES)
    assert (caught.value.found, caught.value.where) == ("'far'", f"{path}:3")


def test_both_rewards_signals_are_needed(tmp_path: Path) -> None:
    before, after = picker(tmp_path / "a"), picker(tmp_path / "b", draft="pays-picks")
    assert needed_signals(before, after) == {"delivered", "metres", "picked"}


@pytest.mark.parametrize("name", ["log.sqlite", "out.csv", "out.jsonl", "out.parquet"])
def test_tenure_s_own_log_and_its_exports_are_scored_alike(tmp_path: Path, name: str) -> None:
    problem = picker(tmp_path).problem
    store = SqliteStore(tmp_path / "log.sqlite")
    store.open_problem("picker", "salt")
    rows = [decision(each, problem="picker", action=action) for each, action in (("a", 1), ("b", 3), ("c", 0))]
    store.append_decisions(rows)
    signals = {"picked": 0.0, "delivered": 1.0, "metres": 4.0, "thrown": 0.0}
    unknown = Outcome.observed("p", "c", {**signals, "smell": 1.0}, NOON)
    told = [Outcome.observed("o", "b", signals, NOON), unknown]
    store.append_outcomes("picker", told, received_at=NOON, wait=WAIT, signals=problem.signal_names)
    if name != "log.sqlite":
        export_log(store, problem, tmp_path / name)
    store.close()
    found = open_signals(str(tmp_path / name), problem, NAMES)
    assert (found.action.tolist(), found.left_out) == (["deliver"], 2)  # one without an outcome, one in quarantine
    assert {signal: values.tolist() for signal, values in found.signals.items()} == {
        "delivered": [1.0],
        "metres": [4.0],
    }
