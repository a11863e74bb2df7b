"""Where everything lies, relative to the repository's root."""

from pathlib import Path

RECORDS = Path("data/interim/records")
POOL = Path("data/pool")
POOL_CSV = Path("data/pool.csv")
ERASED = Path("data/erased.csv")
KEYS = Path("data/keys.csv")
SOURCES = Path("data/sources")
RETIRED = SOURCES / "retired"
"""Examples that production does not show any more; they can come back."""
WANTED = Path("data/wanted.csv")
"""Conversations that a refresh wants labelled before others: ids alone."""
GRAMMARS = Path("data/grammars")
LABELS = Path("data/labels")
TAGGED = Path("data/interim/tagged")
CANDIDATES = TAGGED / "candidates.parquet"
TAGS = TAGGED / "tags.parquet"
TAGS_BY_RULE = TAGGED / "tags_by_rule.parquet"
"""Before labels and classifier: what the backtest begins with."""
EXPECTATIONS = Path("data/interim/expectations.parquet")
LABEL_QUEUE = Path("data/interim/label_queue.csv")
LAST_SEEN = Path("data/interim/last_seen.csv")
PAIRS = Path("data/pairs.csv")
"""Pairs of conversations that people judged: whether both ask for the same."""
GOLDEN = Path("data/golden")
EXAMPLES = GOLDEN / "examples.parquet"
EXAMPLES_JSONL = GOLDEN / "examples.jsonl"
CONTROL = GOLDEN / "control.parquet"
MEMBERS = GOLDEN / "members.csv"
RELEASED = Path("data/releases/members.csv")
RESPONSES = Path("data/responses")
CONTROL_RESPONSES = RESPONSES / "control"
"""Apart from the examples' own, so that no target's version can have the name of one of its files."""
METRICS = Path("metrics")
SCORES = METRICS / "scores.csv"
COVERAGE = METRICS / "coverage.json"
GRADER = METRICS / "grader.json"
MONITOR = METRICS / "monitor.json"
FEEDBACK = METRICS / "feedback.json"
PLOTS = METRICS / "plots"
HISTORY = METRICS / "history.csv"
CARD = Path("data/releases/README.md")
CHANGELOG = Path("CHANGELOG.md")
REPORTS = Path("reports")
