"""Write the invented chats: `python -m benchmarks.chats fresh reports/fresh.jsonl`, then `golden pii-eval reports/fresh.jsonl`."""

import argparse
from pathlib import Path

import orjson

from benchmarks.chats.made import SEEDS, conversations
from benchmarks.thresholds import TURNS

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=SEEDS)
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    given.file.write_bytes(b"".join(orjson.dumps(turn) + b"\n" for turn in conversations(given.part, TURNS)))
