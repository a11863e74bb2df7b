"""What git tracks: raw logs must not be among it, since history cannot forget."""

import os
import subprocess
from pathlib import Path

from pipeline.errors import InputError

RAW = Path("data/raw")


def tracked_raw_files(folder: Path = RAW) -> list[str]:
    """The raw logs that git tracks (staged ones too), sorted; none where there is no repository.

    `.gitignore`, `.gitkeep` and README files hold no logs. InputError where git is there and cannot say.
    """
    command = ["git", "ls-files", "-z", "--", str(folder)]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, errors="replace", env=os.environ | {"LC_ALL": "C"}, check=False)
    except FileNotFoundError:
        return []
    if asked.returncode:
        if "not a git repository" in asked.stderr:
            return []
        raise InputError(
            f"git cannot say whether it tracks raw logs ({(asked.stderr.splitlines() or ['no message'])[0]}); repair the repository"
        )
    return sorted(name for name in asked.stdout.split("\0") if name and not _holds_no_logs(Path(name).name))


def _holds_no_logs(name: str) -> bool:
    return name in (".gitignore", ".gitkeep") or name.startswith("README")
