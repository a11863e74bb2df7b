"""A text as a person leaves it in their editor."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from pipeline.errors import InputError


def edited(text: str, suffix: str = ".yaml") -> str:
    """`text` after $VISUAL or $EDITOR; the file is gone afterwards. Raises InputError where there is no editor, or it failed."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        path = Path(folder) / f"edit{suffix}"
        path.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([*shlex.split(editor), str(path)], check=False)
        except OSError:
            raise InputError(f"the editor '{editor}' cannot be started; set EDITOR") from None
        if done.returncode:
            raise InputError(f"the editor '{editor}' ended with {done.returncode}; nothing was changed")
        return path.read_text(encoding="utf-8")
