"""Hugging Face: data/test.parquet and a README.md whose front matter tells `datasets.load_dataset(FOLDER)` what lies where.

Maps are no type of `datasets`; tags are a list of pairs, and the metadata as a whole is JSON text.
"""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import schema
from pipeline.exports.rows import Rows, json_text

PAIRS = pa.list_(pa.struct([("dimension", schema.TEXT), ("value", schema.TEXT)]))
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))


def files(rows: Rows) -> dict[str, bytes]:
    return {"data/test.parquet": _parquet(rows), "README.md": _card(rows).encode()}


def _parquet(rows: Rows) -> bytes:
    expectation = [(name, kind) for name, kind, _ in schema.EXPECTATION]
    names = [("id", schema.TEXT), ("version", schema.TEXT), ("source", schema.TEXT), ("input", schema.MESSAGES), ("tags", PAIRS)]
    columns = pa.schema([*names, *expectation, ("metadata", schema.TEXT)])
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([_row(row) for row in rows.examples], schema=columns), out)
    return out.getvalue()


def _row(row: dict[str, Any]) -> dict[str, Any]:
    known = row["metadata"]
    tags = [{"dimension": name, "value": value} for name, value in sorted(known["tags"].items())]
    own = {"id": row["id"], "version": known["version"], "source": known["source"], "input": row["messages"], "tags": tags}
    empty: dict[str, Any] = {
        name: "" if kind == schema.TEXT else 0.0 if kind == pa.float64() else [] for name, kind, _ in schema.EXPECTATION
    }
    return own | empty | row["expectation"] | {"metadata": json_text(known)}


def _card(rows: Rows) -> str:
    count = len(rows.examples)
    size = next((name for most, name in SIZES if count < most), "100K<n<1M")
    return (
        "---\npretty_name: Golden dataset\nsize_categories:\n- " + size + "\ntags:\n- evaluation\n"
        "configs:\n- config_name: default\n  data_files:\n  - split: test\n    path: data/test.parquet\n---\n\n"
        f"# Golden dataset, version {rows.version}\n\n{count} examples. `metadata` is JSON text; everything else is a column.\n"
    )
