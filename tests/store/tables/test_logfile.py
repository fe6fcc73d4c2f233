"""A log from anywhere: what is understood without a word, what a mapping says, what is rejected and what refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tenure.core.errors import DataError
from tenure.core.logged import Logged
from tenure.store.tables.chunks import Rejection
from tenure.store.tables.logfile import LogFile, open_log

BANDIT = Path(__file__).parents[3] / "src" / "tenure" / "cases" / "recommender" / "data"


def csv(folder: Path, *lines: str, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def whole(log: LogFile) -> Logged:
    (batch,) = log.batches()
    return batch


def test_our_own_names_need_no_mapping(tmp_path: Path) -> None:
    log = open_log(
        csv(
            tmp_path,
            "decision_id,unit_id,episode_id,step,position,decided_at,action,propensity,reward,x,colour,open",
            "d1,u1,e1,0,2,2020-01-01T00:00:00Z,b,0.5,1.5,7,red,true",
            "d2,u1,e1,1,1,2020-01-01T02:00:00+02:00,a,,,8,blue,false",
        )
    )
    batch = whole(log)
    assert (log.labels, log.rows, log.rejected) == (("a", "b"), 2, ())
    assert batch.decision_id.tolist() == ["d1", "d2"]
    assert batch.unit[0] == batch.unit[1]
    assert batch.action.tolist() == [1, 0]
    np.testing.assert_array_equal(batch.propensity, [0.5, math.nan])
    np.testing.assert_array_equal(batch.reward, [1.5, math.nan])
    assert log.names == ("x", "colour=blue", "colour=red", "open")
    assert batch.features.tolist() == [[7, 0, 1, 1], [8, 1, 0, 0]]
    assert batch.step is not None
    assert batch.step.tolist() == [0, 1]
    assert batch.position is not None
    assert batch.position.tolist() == [2, 1]
    assert batch.at.astype(str).tolist() == ["2020-01-01T00:00:00.000000"] * 2
    assert "reward: reward (by its name)" in log.summary


@pytest.mark.parametrize(
    "header",
    [
        "EventId,pscore,ts,action,reward",
        "event_id,action_probability,timestamp,action_taken,rewards",
        "request_id,p,at,item_id,click",
    ],
)
def test_the_field_s_names_are_understood(tmp_path: Path, header: str) -> None:
    log = open_log(csv(tmp_path, header, "1,0.5,2020-01-01,a,0", "2,0.25,2020-01-02,b,1"))
    batch = whole(log)
    assert batch.propensity.tolist() == [0.5, 0.25]
    assert batch.reward.tolist() == [0, 1]
    assert batch.at.astype("datetime64[D]").astype(str).tolist() == ["2020-01-01", "2020-01-02"]
    assert log.labels == ("a", "b")


@pytest.mark.parametrize("name", ["bts", "random"])
def test_open_bandit_tables_are_understood_as_they_are_distributed(name: str) -> None:
    log = open_log(BANDIT / f"open_bandit_men_{name}.csv.gz")
    batch = whole(log)
    assert (log.rows, len(log.labels), log.labels[:3]) == (10_000, 34, ("0", "1", "2"))
    taken = {role: taken.columns for role, taken in log.mapping.roles.items()}
    assert taken == {
        "decided_at": ("timestamp",),
        "position": ("position",),
        "action": ("item_id",),
        "propensity": ("propensity_score",),
        "reward": ("click",),
    }
    table = pd.read_csv(BANDIT / f"open_bandit_men_{name}.csv.gz")
    np.testing.assert_array_equal(batch.action, table["item_id"])
    np.testing.assert_array_equal(batch.propensity, table["propensity_score"])
    assert batch.reward.sum() == table["click"].sum()
    column = batch.names.index("user-item_affinity_5")
    np.testing.assert_array_equal(batch.features[:, column], table["user-item_affinity_5"])
    red = table["user_feature_0"].mode()[0]
    np.testing.assert_array_equal(
        batch.features[:, batch.names.index(f"user_feature_0={red}")], table["user_feature_0"] == red
    )


def test_an_unnamed_first_column_is_a_row_number_and_no_feature(tmp_path: Path) -> None:
    log = open_log(csv(tmp_path, ",action,click,x", "0,a,1,5", "1,b,0,6"))
    assert log.names == ("x",)
    assert "left out:  (a row number)" in log.summary


def test_a_mapping_overrides_every_guess(tmp_path: Path) -> None:
    path = csv(tmp_path, "action,item,cost,reward,secret,x", "z,a,2,9,1,5", "z,b,-3,9,2,6")
    toml = tmp_path / "mapping.toml"
    toml.write_text('ignore = ["secret"]\n[columns]\naction = "item"\nreward = { column = "cost", sign = -1 }\n')
    log = open_log(path, toml)
    assert log.labels == ("a", "b")
    assert whole(log).reward.tolist() == [-2, 3]
    assert log.names == ("action=z", "reward", "x")
    assert {"reward: -cost (as the mapping says)", "left out: secret (as the mapping says)"} <= set(log.summary)


@pytest.mark.parametrize(
    "mapping",
    [
        {"columns": {"action": "nothing"}},
        {"columns": {"acton": "action"}},
        {"columns": {"reward": {"column": "reward", "sign": 2}}},
        {"columns": {"reward": 3}},
        {"colums": {}},
        {"ignore": ["nothing"]},
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(tmp_path: Path, mapping: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="mapping"):
        open_log(csv(tmp_path, "action,reward", "a,1"), mapping)


def test_a_mapping_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    for path in (csv(tmp_path, "columns", name="broken.toml"), tmp_path / "absent.toml"):
        with pytest.raises(DataError, match="mapping in TOML"):
            open_log(csv(tmp_path, "action,reward", "a,1"), path)


def test_rows_that_cannot_be_read_are_listed_with_line_and_reason_and_nothing_else_is_lost(tmp_path: Path) -> None:
    good = [f"d{i},a,0.5,1,2020-01-01,{i},1" for i in range(40)]
    bad = [
        "d40,,0.5,1,2020-01-01,3,1",
        "d41,a,half,1,2020-01-01,3,1",
        "d42,a,0.5,much,2020-01-01,3,1",
        "d43,a,0.5,1,yesterday,3,1",
        "d44,a,0.5,1,2020-01-01,wide,1",
        "d45,a,0.5,1,2020-01-01,3,1.5",
        "d3,b,0.5,1,2020-01-01,3,1",
        "d46,a,0.5,1,2020-01-01",
    ]
    log = open_log(csv(tmp_path, "decision_id,action,propensity,reward,decided_at,x,step", *good, *bad))
    assert [(r.line, r.reason) for r in log.rejected] == [
        (42, "no action"),
        (43, "'half' in column 'propensity' is no number"),
        (44, "'much' in column 'reward' is no number"),
        (45, "'yesterday' in column 'decided_at' is no time"),
        (46, "'wide' in column 'x' is no number"),
        (47, "'1.5' in column 'step' is no whole number from 0"),
        (48, "decision_id 'd3' came before, on line 5"),
        (49, "5 fields instead of 7"),
    ]
    assert log.rejected[1] == Rejection(43, log.rejected[1].reason, bad[1])
    assert log.rows == 40
    assert sum(len(batch) for batch in log.batches()) == 40


def test_the_same_id_in_other_positions_is_no_repeat(tmp_path: Path) -> None:
    log = open_log(csv(tmp_path, "decision_id,position,action,reward", "d,1,a,0", "d,2,b,0", "d,1,b,1", "e,1,a,0"))
    assert [r.line for r in log.rejected] == [4]
    assert whole(log).decision_id.tolist() == ["d", "d", "e"]


def test_repeats_are_taken_when_nobody_asks(tmp_path: Path) -> None:
    assert open_log(csv(tmp_path, "decision_id,action", "d,a", "d,b"), unique=False).rows == 2


def test_illegal_evidence_is_kept_for_the_estimators_to_refuse(tmp_path: Path) -> None:
    log = open_log(csv(tmp_path, "action,propensity,reward", "a,0,nan", "b,2,1", "a,nan,inf", "a,-1,1"))
    np.testing.assert_array_equal(whole(log).propensity, [0, 2, math.nan, -1])
    np.testing.assert_array_equal(whole(log).reward, [math.nan, 1, math.inf, 1])


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["action,reward"], "none; 0 rejected"),
        (["x,reward", "1,2"], "which action was taken"),
        (["action,reward", ",2", ",3"], "2 rejected; the first, line 2: no action"),
        (["action,reward", "a,b,c"], "1 rejected"),
    ],
)
def test_a_log_without_a_usable_row_is_an_error(tmp_path: Path, lines: list[str], found: str) -> None:
    with pytest.raises(DataError, match=found):
        open_log(csv(tmp_path, *lines))


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    for name in ("log.csv", "log.jsonl", "log.csv.gz"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(DataError):
            open_log(tmp_path / name)


def test_whole_number_labels_are_ordered_by_number_and_fractions_make_a_box(tmp_path: Path) -> None:
    assert open_log(csv(tmp_path, "action,reward", "10,1", "9,1", "9.0,1")).labels == ("9", "10")
    log = open_log(csv(tmp_path, "action,propensity,reward", "0.5,3.5,1", "1,0.1,2"))
    assert log.labels == ()
    assert whole(log).action.tolist() == [[0.5], [1.0]]
    assert "actions: 1 number(s), `propensity` is a density" in log.summary


def test_a_fraction_after_the_first_rows_makes_a_box_too(tmp_path: Path) -> None:
    log = open_log(csv(tmp_path, "action,reward", *["1,1"] * 300_000, "0.5,1", "many,1"))
    assert log.labels == ()
    assert log.rows == 300_001
    assert [r.reason for r in log.rejected] == ["'many' in column 'action' is no number"]


def test_several_columns_or_a_list_make_a_box_of_several_numbers(tmp_path: Path) -> None:
    table = {"action_0": [1.0, 2.0], "action_1": [3.0, 4.0], "reward": [0.0, 1.0]}
    assert whole(open_log(table)).action.tolist() == [[1, 3], [2, 4]]
    frame = pd.DataFrame({"action": [[1.0, 3.0], [2.0], [5.0, None], None, [2.0, 4.0]], "reward": [1.0] * 5})
    log = open_log(frame)
    assert whole(log).action.tolist() == [[1, 3], [2, 4]]
    assert [r.line for r in log.rejected] == [2, 3, 4]
    missing = open_log(csv(tmp_path, "action_0,action_1,reward", "1,,1", "1,2,1"))
    assert [r.reason for r in missing.rejected] == ["no action"]


def test_labels_given_beforehand_hold_and_others_are_rejected(tmp_path: Path) -> None:
    log = open_log(csv(tmp_path, "action,reward", "b,1", "c,1", "a,1"), actions=["b", "a", "never"])
    assert (log.labels, whole(log).action.tolist()) == (("b", "a", "never"), [0, 1])
    assert [r.reason for r in log.rejected] == ["the action 'c' is none of the problem's"]


@pytest.mark.parametrize(
    "form", ["101", '"[true, false, true]"', '"1,0,1"', "a|c", '"[""a"", ""c""]"', "True;False;True"]
)
def test_a_mask_says_what_could_have_been_done(tmp_path: Path, form: str) -> None:
    log = open_log(csv(tmp_path, "action,reward,mask", f"a,1,{form}", "b,1,", f"c,1,{form}"))
    batch = whole(log)
    assert batch.allowed is not None
    assert batch.allowed.tolist() == [[True, False, True], [True, True, True], [True, False, True]]


def test_a_mask_knows_numbered_actions_that_nobody_took() -> None:
    log = open_log({"action": [0, 2], "mask": [[True, True, True, False], [True, True, True, True]], "reward": [1, 2]})
    assert log.labels == ("0", "1", "2", "3")


def test_a_mask_longer_than_the_labels_is_an_error_and_one_that_is_none_a_rejection(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one boolean per action"):
        open_log(csv(tmp_path, "action,reward,mask", "a,1,111", "b,1,101"))
    log = open_log(csv(tmp_path, "action,reward,mask", "a,1,[1", "b,1,10", "a,1,11"))
    assert [r.reason for r in log.rejected] == ["'[1' in column 'mask' is no mask"]


def test_times_without_a_zone_are_utc_and_the_summary_says_so(tmp_path: Path) -> None:
    log = open_log(
        csv(tmp_path, "action,decided_at", "a,2020-01-01 10:00:00", "a,2020-01-01T10:00:00+02:00", "a,1577872800")
    )
    assert whole(log).at.astype("datetime64[h]").astype(str).tolist() == [
        "2020-01-01T10",
        "2020-01-01T08",
        "2020-01-01T10",
    ]
    assert "decided_at: some times have no zone and are taken as UTC" in log.summary
    zoned = open_log(csv(tmp_path, "action,at", "a,2020-01-01 10:00:00Z"))
    assert not any("have no zone" in line for line in zoned.summary)


def test_units_have_the_same_hash_in_every_form(tmp_path: Path) -> None:
    table = {"unit_id": [7, 8, 7], "action": ["a", "b", "a"], "reward": [1.0, 2.0, 3.0]}
    frame = pd.DataFrame(table)
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "log.parquet")
    names = [str(tmp_path / "log") + suffix for suffix in (".csv", ".jsonl", ".parquet")]
    units = [whole(open_log(source)).unit.tolist() for source in [*names, frame, table, pa.table(table)]]
    assert all(found == units[0] for found in units)
    assert units[0][0] == units[0][2] != units[0][1]
    assert units[0][0] == 639464881952108352  # pinned: estimates split by unit change with it


def test_rows_without_a_unit_are_units_of_their_own(tmp_path: Path) -> None:
    batch = whole(open_log(csv(tmp_path, "decision_id,unit_id,action", "d1,,a", "d2,,a", "d1x,d1,b")))
    assert batch.unit[0] == batch.unit[2] != batch.unit[1]
    plain = whole(open_log(csv(tmp_path, "action,reward", "a,1", "a,1")))
    assert plain.decision_id.tolist() == ["0", "1"]
    assert plain.unit[0] != plain.unit[1]
    some = whole(open_log(csv(tmp_path, "decision_id,action", "x,a", ",a")))
    assert some.decision_id.tolist() == ["x", "1"]


def test_categories_keep_the_most_frequent_values(tmp_path: Path) -> None:
    rows = [f"a,{name}" for k in range(40) for name in [f"v{k:02d}"] * (41 - k)]
    log = open_log(csv(tmp_path, "action,colour", *rows, "a,"))
    assert log.names == (*(f"colour=v{k:02d}" for k in range(32)), "colour=other")
    assert whole(log).features.sum(axis=0).tolist() == [41 - k for k in range(32)] + [sum(range(2, 10))]
    assert whole(log).features[-1].sum() == 0
    assert "colour: category of 32 values, the rest as `other`" in log.summary


def test_batches_are_equal_whatever_their_size(tmp_path: Path) -> None:
    path = csv(tmp_path, "decision_id,action,reward,colour", *[f"d{i},{'ab'[i % 2]},{i},c{i % 3}" for i in range(100)])
    one = whole(open_log(path))
    log = open_log(path, size=7)
    parts = list(log.batches())
    assert [len(part) for part in parts] == [7] * 14 + [2]
    assert {part.labels for part in parts} == {("a", "b")}
    for name in ("index", "decision_id", "unit", "action", "reward", "features"):
        np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(one, name))
    assert [part.index[0] for part in log.batches()] == [part.index[0] for part in parts]


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_episodes_are_counted_from_terminals_and_timeouts_across_batches(size: int) -> None:
    arrays = {
        "observations": np.arange(10.0).reshape(5, 2),
        "actions": np.array([0, 1, 0, 1, 1]),
        "rewards": np.ones(5),
        "terminals": np.array([0, 1, 0, 0, 0]),
        "timeouts": np.array([0, 0, 0, 1, 0]),
    }
    log = open_log(arrays, size=size)
    parts = list(log.batches())
    assert log.names == ("observations_0", "observations_1")
    assert np.concatenate([part.step for part in parts if part.step is not None]).tolist() == [0, 1, 0, 1, 0]
    episodes = np.concatenate([part.episode for part in parts if part.episode is not None])
    assert [len(set(episodes[rows])) for rows in ([0, 1], [2, 3], [0, 2, 4])] == [1, 1, 3]


def test_arrays_of_scope_rl_state_one_length_for_all_episodes(tmp_path: Path) -> None:
    path = tmp_path / "log.npz"
    np.savez(
        path, state=np.ones((6, 2)), action=[0, 1, 2, 0, 1, 2], reward=np.ones(6), pscore=np.full(6, 0.5),
        step_per_trajectory=3, done=np.zeros(6),
    )  # fmt: skip
    batch = whole(open_log(path))
    assert batch.step is not None
    assert batch.step.tolist() == [0, 1, 2, 0, 1, 2]
    assert batch.propensity.tolist() == [0.5] * 6


def test_steps_that_nobody_numbered_are_counted_within_their_episode(tmp_path: Path) -> None:
    path = csv(tmp_path, "episode_id,action,reward", "e,a,1", "f,a,1", "e,a,1", ",a,1", "f,a,1")
    parts = list(open_log(path, size=2).batches())
    assert np.concatenate([part.step for part in parts if part.step is not None]).tolist() == [0, 0, 1, 0, 1]


def test_a_column_of_episodes_with_nothing_in_it_makes_no_log_of_episodes(tmp_path: Path) -> None:
    batch = whole(open_log(csv(tmp_path, "episode_id,step,position,action", ",,,a", ",,,b")))
    assert (batch.episode, batch.step, batch.position) == (None, None, None)
    late = open_log(csv(tmp_path, "position,action,x", *[",a,"] * 300_000, "3,a,1"), size=10**6)
    assert "left out: x (nothing in the first rows)" in late.summary
    assert "left out: x (not in the first rows)" in late.summary
    assert np.concatenate([b.position for b in late.batches() if b.position is not None])[-1] == 3


def test_parquet_is_read_from_a_file_a_folder_and_a_glob(tmp_path: Path) -> None:
    for k in range(2):
        frame = pd.DataFrame({"decision_id": [f"d{k}", f"e{k}"], "action": ["a", "b"], "x": [k, k + 0.5]})
        frame.to_parquet(tmp_path / f"part{k}.parquet")
    for source in (tmp_path, str(tmp_path / "part*.parquet")):
        log = open_log(source)
        assert [i for b in log.batches() for i in b.index.tolist()] == [0, 1, 2, 3]
        assert [i for b in log.batches() for i in b.decision_id] == ["d0", "e0", "d1", "e1"]
    pd.DataFrame({"other": [1]}).to_parquet(tmp_path / "part2.parquet")
    with pytest.raises(DataError, match="the columns"):
        open_log(tmp_path)


def test_typed_tables_reject_too(tmp_path: Path) -> None:
    frame = pd.DataFrame({"decision_id": ["d", "d", "e", "f"], "action": ["a", "a", None, "b"], "when": pd.NaT})
    frame.to_parquet(tmp_path / "log.parquet")
    log = open_log(tmp_path / "log.parquet")
    assert [(r.line, r.text) for r in log.rejected] == [(2, "d,a"), (3, "e,")]
    assert log.rows == 2


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("log.parquet", b"PAR?", "a Parquet file"),
        ("log.npz", b"PK?", "plain arrays"),
        ("log.xls", b"x", "a file named"),
        ("log.sqlite", b"no database at all, but long enough", "a log"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_an_error(
    tmp_path: Path, name: str, content: bytes, found: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Exception, match=found):
        open_log(tmp_path / name)


def test_pickled_arrays_are_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "log.npz", action=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="plain arrays"):
        open_log(tmp_path / "log.npz")


@pytest.mark.parametrize("source", ["absent.csv", "no*.parquet", 7, ("a", "b", "c")])
def test_what_is_no_log_is_an_error(tmp_path: Path, source: Any) -> None:
    with pytest.raises(DataError):
        open_log(str(tmp_path / source) if isinstance(source, str) else source)


def test_arrays_of_several_lengths_are_an_error() -> None:
    with pytest.raises(DataError, match="one length"):
        open_log({"action": [1, 2], "reward": [1]})
    with pytest.raises(DataError, match="one length"):
        open_log({"action": 1})


def test_a_column_with_too_many_actions_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.store.tables.scanning.LABELS", 3)
    with pytest.raises(DataError, match="more than 3 different values"):
        open_log({"action": list("abcd"), "reward": [1] * 4})


def test_a_file_with_nothing_but_rejections_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.store.tables.scanning.REJECTIONS", 3)
    monkeypatch.setattr("tenure.store.tables.repeats.REJECTIONS", 3)
    with pytest.raises(DataError, match="more than 3 rejected rows"):
        open_log(csv(tmp_path, "action,reward", *["a,1,2"] * 5))
    with pytest.raises(DataError, match="an id per decision"):
        open_log({"decision_id": ["d"] * 9, "action": ["a"] * 9})


def test_an_empty_parquet_file_is_an_error(tmp_path: Path) -> None:
    pd.DataFrame({"action": pd.Series([], dtype=str)}).to_parquet(tmp_path / "log.parquet")
    with pytest.raises(DataError, match="found none"):
        open_log(tmp_path / "log.parquet")


def test_a_column_of_mixed_kinds_becomes_text() -> None:
    assert open_log(pd.DataFrame({"action": ["a", 1, None], "reward": [1, 2, 3]})).labels == ("1", "a")


def test_a_mapping_may_name_several_columns_for_a_vector() -> None:
    table = {"x": [0.5, 1.0], "y": [1.0, 2.0], "reward": [1, 2]}
    assert whole(open_log(table, {"columns": {"action": ["x", "y"]}})).action.tolist() == [[0.5, 1], [1, 2]]


def test_a_file_nobody_may_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = csv(tmp_path, "action,reward", "a,1")

    def denied(*_: Any) -> None:
        raise PermissionError("denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(DataError, match="denied"):
        open_log(path)


@pytest.mark.parametrize("step", ["-3", "1e300", "inf"])
def test_a_step_that_counts_nothing_is_rejected(tmp_path: Path, step: str) -> None:
    log = open_log(csv(tmp_path, "action,step", "a,0", f"a,{step}", "a,"))
    assert [r.reason for r in log.rejected] == [f"'{step}' in column 'step' is no whole number from 0"]
    (batch,) = log.batches()
    assert batch.step is not None
    assert batch.step.tolist() == [0, -1]


def test_a_time_no_clock_of_ours_reads_is_rejected(tmp_path: Path) -> None:
    log = open_log(csv(tmp_path, "action,decided_at", "a,8999-12-31T00:00:00Z", "a,9000-01-01T00:00:00Z"))
    assert [r.line for r in log.rejected] == [3]


def test_a_json_array_is_refused_with_what_would_be_read(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text('\n [{"action": 0, "propensity": 0.5, "reward": 1}]')
    with pytest.raises(DataError, match="found a JSON array"):
        open_log(path)


def test_a_number_called_tenure_is_a_feature_and_no_column_of_our_own_export(tmp_path: Path) -> None:
    rows = [f"{month},{month % 2},1.0" for month in range(10)]
    assert open_log(csv(tmp_path, "tenure,action,reward", *rows)).names == ("tenure",)


def test_a_flag_that_says_yes_and_no_is_an_ordinary_column_and_it_is_said(tmp_path: Path) -> None:
    log = open_log(csv(tmp_path, "flag,action,reward", "y,a,1", "n,b,2", "y,b,3"))
    assert len(whole(log)) == log.rows == 3
    assert log.mapping.features == ("flag",)
    assert "flag: an ordinary column, no flag; it says yes and no, not why a row does not count" in log.summary


def test_a_flag_with_reasons_or_one_that_a_mapping_names_keeps_rows_out(tmp_path: Path) -> None:
    log = open_log(csv(tmp_path, "flag,action,reward", "late,a,1", ",b,2"))
    assert (log.rows, "kept out: 1 rows flagged 'late'" in log.summary) == (1, True)
    told = {"columns": {"flag": "odd"}}
    assert open_log(csv(tmp_path, "odd,action,reward", "y,a,1", "n,b,2", ",a,3"), told).rows == 1


def test_where_every_row_is_flagged_the_column_is_named_and_a_mapping_goes_on(tmp_path: Path) -> None:
    path = csv(tmp_path, "Flag,action,reward", "old,a,1", "new,b,2")
    with pytest.raises(DataError, match="column 'Flag' flags every row, by 2: new, old") as error:
        list(open_log(path).batches())
    assert error.value.fix.endswith('--mapping FILE; its one line: ignore = ["Flag"]')
    assert open_log(path, {"ignore": ["Flag"]}).rows == 2


@pytest.mark.parametrize(
    ("name", "lines", "place"),
    [
        ("log.csv", ("note,action,reward", '"two\nlines",a,1', "x,b,2"), "log.csv:4"),
        ("log.jsonl", ('{"action": "a", "reward": 1}', '{"action": "b", "reward": 2}'), "log.jsonl:2"),
    ],
)
def test_a_row_of_a_text_file_is_placed_by_the_line_it_begins_on(
    tmp_path: Path, name: str, lines: tuple[str, ...], place: str
) -> None:
    assert open_log(csv(tmp_path, *lines, name=name)).place(1).endswith(place)


def test_a_row_of_a_table_without_lines_is_placed_by_its_number() -> None:
    log = open_log({"action": np.array(["a", "b"]), "reward": np.array([1.0, 2.0])})
    assert log.place(1) == "the arrays, row 2"
