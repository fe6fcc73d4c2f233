"""The room opens without the training libraries."""

from __future__ import annotations

import subprocess
import sys


def test_the_room_imports_without_gymnasium_and_stable_baselines3() -> None:
    blocked = "import sys; sys.modules.update(dict.fromkeys(['gymnasium', 'stable_baselines3', 'torch']))"
    subprocess.run([sys.executable, "-c", f"{blocked}; import tenure.simulators"], check=True)
