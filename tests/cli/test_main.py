"""The command line as its users meet it: JSON alone on standard output, exit codes, errors that say what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tenure.core.project import CASES

COMMANDS = (
    "demo", "train", "diagnose", "evaluate", "serve", "kill", "restore", "monitor", "retrain", "versions", "doctor",
)  # fmt: skip


def tenure(*words: str, home: Path) -> tuple[int, str, str]:
    """Run a command in a process of its own; gives exit code, standard output, standard error."""
    environment = os.environ | {"TENURE_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "tenure.cli", *words], capture_output=True, text=True, env=environment, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


def as_json(*words: str, home: Path) -> tuple[int, dict[str, Any]]:
    """Run a command with --json; standard output must be one ASCII object and nothing else."""
    code, out, _ = tenure(*words, "--json", home=home)
    assert out.isascii()
    assert out.count("\n") == 1
    found: dict[str, Any] = json.loads(out)
    return code, found


def test_help_lists_every_command(tmp_path: Path) -> None:
    code, out, _ = tenure("--help", home=tmp_path)
    assert code == 0
    assert all(f"  {command} " in out for command in COMMANDS)


def test_help_loads_neither_numpy_nor_rich() -> None:
    script = (
        "import sys, tenure.cli.main; print(sorted({'numpy', 'rich', 'apsw', 'torch', 'altair'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["train", "evaluate", "serve", "versions"])
def test_an_unknown_project_is_a_clear_error_and_exit_2(command: str, tmp_path: Path) -> None:
    code, found = as_json(command, "nowhere", home=tmp_path)
    assert code == 2
    assert found["error"] == "ProjectError"
    assert "bikes" in found["expected"]


def test_a_folder_without_problem_py_is_a_clear_error(tmp_path: Path) -> None:
    code, found = as_json("evaluate", str(tmp_path), home=tmp_path)
    assert (code, found["found"]) == (2, "no problem.py")


def test_a_missing_option_is_exit_2(tmp_path: Path) -> None:
    assert tenure("kill", "bikes", home=tmp_path)[0] == 2


def test_evaluating_without_a_run_says_to_train_first(tmp_path: Path) -> None:
    code, found = as_json("evaluate", "bikes", home=tmp_path)
    assert code == 2
    assert "tenure train" in found["fix"]


def test_the_incumbent_against_itself_gains_nothing_and_is_not_called_better(tmp_path: Path) -> None:
    code, found = as_json("evaluate", "bikes", "--policy", "incumbent", home=tmp_path)
    assert code == 0
    assert found["gain"]["value"] == 0
    assert found["headroom"]["share"] == 0
    assert found["reads"] is None


def test_every_reading_of_the_held_out_data_is_counted_and_no_other(tmp_path: Path) -> None:
    words = ("evaluate", "bikes", "--policy", "two-sided")
    readings = (words, (*words, "--held-out"), words, (*words, "--held-out"))
    assert [as_json(*reading, home=tmp_path)[1]["reads"] for reading in readings] == [None, 1, None, 2]


def test_kill_and_restore_move_the_epoch_and_are_in_the_history(tmp_path: Path) -> None:
    as_json("versions", "bikes", home=tmp_path)
    code, killed = as_json("kill", "bikes", "--reason", "test", "--actor", "ann", home=tmp_path)
    assert (code, killed["epoch"], killed["learned_after"]) == (0, 1, 0)
    assert as_json("versions", "bikes", home=tmp_path)[1]["killed"] is True
    assert as_json("restore", "bikes", "--reason", "test over", "--actor", "bob", home=tmp_path)[1]["epoch"] == 2
    history = as_json("versions", "bikes", home=tmp_path)[1]["history"]
    assert [(row["kind"], row["actor"], row["reason"]) for row in history] == [
        ("kill", "ann", "test"),
        ("restore", "bob", "test over"),
    ]


def test_a_public_address_is_refused(tmp_path: Path) -> None:
    code, found = as_json("serve", "bikes", "--host", "0.0.0.0", home=tmp_path)
    assert (code, found["found"]) == (2, "0.0.0.0")


def test_an_unknown_reward_term_cannot_be_left_out(tmp_path: Path) -> None:
    as_json("reward", "check", "bikes", home=tmp_path)
    code, found = as_json("train", "bikes", "--without", "joy", home=tmp_path)
    assert code == 2
    assert "lost_rentals" in found["expected"]


def test_doctor_passes_on_a_fresh_home(tmp_path: Path) -> None:
    code, found = as_json("doctor", home=tmp_path)
    assert code == 0
    assert {check["gate"] for check in found["checks"]} >= {"python", "problem", "settings", "log", "bundles"}


def test_doctor_finds_a_damaged_bundle(tmp_path: Path) -> None:
    (tmp_path / "bikes" / "bundles" / "0123456789ab").mkdir(parents=True)
    code, found = as_json("doctor", home=tmp_path)
    assert code == 4
    assert [check["verdict"] for check in found["checks"] if check["gate"] == "bundles"] == ["fail"]


def test_doctor_finds_an_edited_log(tmp_path: Path) -> None:
    import apsw

    as_json("versions", "bikes", home=tmp_path)
    as_json("kill", "bikes", "--reason", "real", home=tmp_path)
    connection = apsw.Connection(str(tmp_path / "bikes" / "log.sqlite"))
    connection.execute("UPDATE event SET reason = 'forged'")
    connection.close()
    code, found = as_json("doctor", home=tmp_path)
    assert code == 4
    assert [check["verdict"] for check in found["checks"] if check["gate"] == "log"] == ["fail"]


def test_errors_for_people_say_expected_found_where_and_what_to_do(tmp_path: Path) -> None:
    _, out, _ = tenure("evaluate", "nowhere", home=tmp_path)
    assert all(word in out for word in ("expected:", "found:", "where:", "to do:"))


def test_zero_steps_are_refused_and_not_taken_for_the_default(tmp_path: Path) -> None:
    as_json("reward", "check", "bikes", home=tmp_path)
    code, found = as_json("train", "bikes", "--steps", "0", home=tmp_path)
    assert (code, found["error"]) == (2, "SettingsError")


def test_a_second_demo_in_the_same_home_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    import fcntl

    home = tmp_path / "demo"
    (home / "bikes").mkdir(parents=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, found = as_json("demo", "--home", str(tmp_path), home=tmp_path)
    assert (code, found["found"]) == (2, "another demo at work there")
    assert (home / "bikes").is_dir()


def test_a_home_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    code, found = as_json("versions", "bikes", home=tmp_path / "file")
    assert code == 5
    assert "--home" in found["fix"]


@pytest.mark.parametrize("command", ["kill", "restore"])
def test_where_no_log_is_nothing_is_said_to_be_stopped_and_none_is_made(command: str, tmp_path: Path) -> None:
    code, found = as_json(command, "bikes", "--reason", "emergency", home=tmp_path)
    assert (code, found["found"]) == (2, "no log")
    assert "nothing was stopped" in found["fix"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("file", "text"), [("tenure.toml", "stages = oops"), ("problem.py", "def broken(:")])
def test_a_half_edited_project_can_still_be_killed(file: str, text: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    as_json("versions", "bikes", home=home)
    project = tmp_path / "bikes"
    shutil.copytree(CASES / "bikes", project)
    (project / file).write_text(text)
    code, found = as_json("kill", str(project), "--reason", "emergency", home=home)
    assert (code, found["epoch"]) == (0, 1)


def test_restoring_what_is_not_killed_is_refused(tmp_path: Path) -> None:
    as_json("versions", "bikes", home=tmp_path)
    code, found = as_json("restore", "bikes", "--reason", "typo", home=tmp_path)
    assert (code, found["error"]) == (2, "MoveError")


def test_a_kill_undone_by_hand_is_found_by_doctor_and_not_served(tmp_path: Path) -> None:
    import apsw

    as_json("versions", "bikes", home=tmp_path)
    as_json("kill", "bikes", "--reason", "real", home=tmp_path)
    connection = apsw.Connection(str(tmp_path / "bikes" / "log.sqlite"))
    connection.execute("UPDATE head SET killed = 0")
    connection.close()
    code, found = as_json("doctor", home=tmp_path)
    assert code == 4
    assert "killed" in next(check["reason"] for check in found["checks"] if check["gate"] == "log")
    assert as_json("serve", "bikes", "--port", "0", home=tmp_path)[0] == 5


def test_a_kill_needs_a_reason_in_words(tmp_path: Path) -> None:
    as_json("versions", "bikes", home=tmp_path)
    assert as_json("kill", "bikes", "--reason", " ", home=tmp_path)[0] == 2


def test_a_kill_waits_for_no_statistics(tmp_path: Path) -> None:
    as_json("versions", "bikes", home=tmp_path)
    script = (
        "import sys; from tenure.cli.main import app; "
        f"app(['kill', 'bikes', '--reason', 'x', '--home', {str(tmp_path)!r}], standalone_mode=False)"
    )
    probe = f"import atexit, sys; atexit.register(lambda: print('scipy' in sys.modules, file=sys.stderr)); {script}"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert "Killed" in done.stdout
    assert done.stderr.splitlines()[-1] == "False"
