"""Stage accept: fails the build where a critical expectation failed.

In: `metrics/validation.json`. Out: nothing but the exit code, so that DVC asks again in every build until it passes. It comes
last: the figures and pages of a build that is not accepted exist by then. Whether the *system* ships is the gate's business.
"""

from typing import Any

from pipeline import paths, stage, tables
from pipeline.errors import InputError

METRICS = paths.METRICS / "validation.json"
PAGE = paths.REPORTS / "validation.html"


def work() -> str:
    return accept(tables.read_json(METRICS))


def accept(validation: dict[str, Any]) -> str:
    """The line that says what holds. Raises InputError with every critical failure and what was observed."""
    checks = {f"{suite}.{name}": check for suite, found in validation["checks"].items() for name, check in found.items()}
    if not checks:
        raise InputError(f"{METRICS}: nothing was checked; run 'dvc repro validate'")
    failed = {name: check for name, check in checks.items() if not check["success"]}
    critical = [f"{name} ({observed(check)})" for name, check in failed.items() if check["severity"] == "critical"]
    if critical:
        raise InputError(
            f"{len(critical)} critical {'check' if len(critical) == 1 else 'checks'} failed: {'; '.join(critical)}; see {PAGE}"
        )
    warnings = f"; to look at: {', '.join(failed)} in {PAGE}" if failed else ""
    return f"no critical check failed, {len(checks) - len(failed)} of {len(checks)} hold{warnings}"


def observed(check: dict[str, Any]) -> str:
    """What a failed check found, in a few words."""
    if "error" in check:
        return f"not judged: {check['error']}"
    if "missing" in check:
        return f"missing: {check['missing']}"
    if not check["checked"]:
        return "nothing there to check"
    if "of" in check:
        return f"{check['observed']} of {check['of']} do not meet it"
    return f"found {check['observed']}" if "observed" in check else "see the page"


if __name__ == "__main__":
    stage.run("accept", work)
