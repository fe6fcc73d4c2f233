"""A column that gives the outcome away is found, however it does; one that merely helps to foresee it is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tests.design.starting.tables import written

from tenure.core.arrays import Floats
from tenure.design.starting.dependence import explained, separates
from tenure.design.starting.leaks import Leak, find_leaks
from tenure.design.starting.roles import Told, guess_roles
from tenure.design.starting.table import read_table

N = 400


def leaks(path: Path, told: Told | None = None, **columns: object) -> Mapping[str, Leak]:
    rng = np.random.default_rng(3)
    every = {"time": [f"2026-02-01T{i % 24:02d}:00:00Z" for i in range(N)], "action": rng.integers(0, 2, N), **columns}
    rows = list(zip(*(np.asarray(values).tolist() for values in every.values()), strict=True))
    table = read_table(written(path / "log.csv", tuple(every), rows))
    return {leak.column: leak for leak in find_leaks(table, guess_roles(table, told or Told()))}


@pytest.fixture
def reward() -> Floats:
    return np.random.default_rng(1).normal(10, 3, N).round(6)


def test_a_copy_and_any_function_of_the_outcome_are_leaks(tmp_path: Path, reward: Floats) -> None:
    found = leaks(tmp_path, reward=reward, again=reward, squared=(reward - 10) ** 2, grade=np.digitize(reward, [8, 12]))
    assert found["again"].kind == "copy"
    assert "squared" not in found, "two outcomes have one square: it does not give the outcome away"
    assert "grade" not in found, "three grades explain most, not all"
    found = leaks(tmp_path, reward=reward, cents=reward * 100, curved=np.exp(reward / 5))
    assert {found["cents"].kind, found["curved"].kind} == {"function"}


def test_two_parts_that_add_up_to_the_outcome_are_leaks_and_a_third_column_is_not(
    tmp_path: Path, reward: Floats
) -> None:
    part = np.random.default_rng(2).normal(0, 3, N).round(6)
    found = leaks(tmp_path, reward=reward, cash=part, card=reward - part, other=part[::-1])
    assert set(found) == {"cash", "card"}
    assert found["cash"].why == "cash plus card is the outcome"


def test_a_rare_outcome_is_given_away_by_what_separates_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    click = (rng.random(N) < 0.03).astype(int)
    found = leaks(tmp_path, click=click, dwell=click * 5 + rng.random(N), noise=rng.random(N))
    assert set(found) == {"dwell"}
    assert "AUC 1.000" in found["dwell"].why


def test_a_moment_after_the_decision_is_a_leak_and_one_before_it_is_not(tmp_path: Path, reward: Floats) -> None:
    found = leaks(tmp_path, reward=reward, ended=["2026-02-03"] * (N - 1) + ["2026-02-04"], ordered=["2026-01-03"] * N)
    assert found["ended"].kind == "later"
    assert "ordered" not in found


def test_a_name_that_says_afterwards_is_a_leak(tmp_path: Path, reward: Floats) -> None:
    noise = np.random.default_rng(6).random(N)
    assert leaks(tmp_path, reward=reward, stock_after=noise, after_hours=noise[::-1])["stock_after"].kind == "name"


def test_a_good_predictor_is_no_leak(tmp_path: Path, reward: Floats) -> None:
    noisy = reward + np.random.default_rng(7).normal(0, 1, N)
    assert not leaks(tmp_path, reward=reward, noisy=noisy.round(6))


def test_what_a_person_says_was_known_before_is_no_leak(tmp_path: Path, reward: Floats) -> None:
    assert not leaks(tmp_path, Told(features=("again",)), reward=reward, again=reward)


def test_few_rows_show_no_dependence() -> None:
    assert explained(np.arange(10.0), np.arange(10.0)) == 0.0
    assert separates(np.arange(8.0), np.repeat([0.0, 1.0], 4)) == 0.5


def test_the_correlation_ratio_is_the_share_of_variance_between_groups() -> None:
    # Worked by hand: groups {0, 2} and {4, 6}, 20 of each value: means 1 and 5, within 80 * 1, total 80 * 5.
    x, y = np.repeat([0.0, 0.0, 1.0, 1.0], 20), np.repeat([0.0, 2.0, 4.0, 6.0], 20)
    assert explained(x, y) == pytest.approx(1 - (80 / 78) / (400 / 79))


def test_the_area_counts_pairs_in_order_and_ties_half() -> None:
    # 20 zeros at 1, 2 and 20 ones at 2, 3: of 400 pairs 300 are in order, 100 tied.
    x, y = np.repeat([1.0, 2.0, 2.0, 3.0], 10), np.repeat([0.0, 0.0, 1.0, 1.0], 10)
    assert separates(x, y) == pytest.approx((300 + 50) / 400)
    assert separates(-x, y) == pytest.approx((300 + 50) / 400)


def test_a_column_that_is_filled_in_for_one_outcome_only_is_a_leak(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    converted = rng.random(N) < 0.3
    size = [str(round(x, 3)) if yes else "" for x, yes in zip(rng.random(N), converted, strict=True)]
    box = [f"kind {i % 9}" if yes else "" for i, yes in enumerate(converted)]
    sent = [f"2026-01-{1 + i % 9:02d}" if yes else "" for i, yes in enumerate(converted)]
    at_random = [str(i % 5) if rng.random() < 0.5 else "" for i in range(N)]
    found = leaks(tmp_path, converted=converted.astype(int), size=size, box=box, sent=sent, at_random=at_random)
    assert set(found) == {"size", "box", "sent"}
    assert found["size"].why == "whether it is filled in tells where the outcome is 0 (AUC 1.000)"


def test_a_column_that_is_filled_in_only_where_money_came_is_a_leak(tmp_path: Path, reward: Floats) -> None:
    paid = np.where(np.arange(N) % 3 == 0, reward, 0.0)
    weight = [str(i % 7) if value else "" for i, value in enumerate(paid)]
    assert set(leaks(tmp_path, revenue=paid, weight=weight)) == {"weight"}
    assert not leaks(tmp_path, Told(features=("weight",)), revenue=paid, weight=weight)


def test_a_running_sum_with_the_present_outcome_is_a_leak_and_one_without_it_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    user, bought = rng.integers(0, 9, N), (rng.random(N) < 0.3).astype(int)
    total = np.array([bought[: i + 1][user[: i + 1] == user[i]].sum() for i in range(N)])
    when = [f"2026-02-{1 + i // 24:02d}T{i % 24:02d}:00:00Z" for i in range(N)]
    found = leaks(tmp_path, bought=bought, time=when, user_id=user, total=total, before=total - bought)
    assert set(found) == {"total"}
    assert "grows by the outcome" in found["total"].why


def test_a_running_sum_over_the_whole_file_is_a_leak_where_no_column_names_a_unit(tmp_path: Path) -> None:
    bought = (np.random.default_rng(9).random(N) < 0.3).astype(int)
    found = leaks(tmp_path, bought=bought, total=bought.cumsum(), before=bought.cumsum() - bought)
    assert set(found) == {"total"}


def test_one_word_filled_in_only_where_the_outcome_happened_is_a_leak(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    bought = (rng.random(N) < 0.3).astype(int)
    found = leaks(
        tmp_path,
        bought=bought,
        box=["box" if yes else "" for yes in bought],
        size=["7" if yes else "" for yes in bought],
        vip=["vip" if yes else "" for yes in rng.random(N) < 0.3],
        same=["box"] * N,
    )
    assert set(found) == {"box", "size"}
    assert "filled in" in found["box"].why


def test_a_flag_that_repeats_the_outcome_in_words_is_a_leak(tmp_path: Path) -> None:
    bought = (np.random.default_rng(11).random(N) < 0.3).astype(int)
    assert set(leaks(tmp_path, bought=bought, flag=["ny"[yes] for yes in bought])) == {"flag"}
