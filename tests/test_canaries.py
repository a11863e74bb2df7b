"""Raw personal data goes nowhere, and what is erased is gone: after `dvc repro` and `dvc push`, and again after `golden erase`,
a search of everything that was written, decoded."""

import gzip
import json
import re
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import anonymize, ingest, schema, tables
from pipeline.identity import example_id, load_key
from pipeline.pii.shapes import luhn
from tests.conftest import ROOT
from tests.project import Project, copy_repository, short_week

NAMES = (
    "Thandiwe Mkhabela", "Sadhbh Gallachóir", "Quỳnh Trâm Đặng", "Morenikeji Fagbamigbe", "Zbigniew Wrzesniewski", "Ingibjörg Þorláksdóttir",
    "Tanvir Chakladar", "Kawehi Kealoha", "Nurlan Dzhaksybekov", "Xiomara Quiñonez", "Marama Ngatai", "Fatoumata Diarrassouba", "Chukwuemeka Nwachukwu",
    "Lakshmipriya Venkataraghavan", "Yevheniia Kovalchuk", "Mertcan Karaosmanoglu", "Tuulikki Hämäläinen", "Nkiruka Okonjo", "Rashida Tajuddin",
    "Gwenllian Llewelyn-Pryce", "Kwabena Asamoah", "Dzhamilya Sultanbekova", "Hotaru Tsukishima", "Seo-yeon Hwangbo", "Gwenaëlle Kerbrat",
    "Anahit Ter-Petrosyan", "Ifeoluwa Bamgbose", "Parvaneh Golshiri", "Burkhard Obergruber", "Garbiñe Zumalakarregi",
)  # fmt: skip
MAILS = tuple(f"{name}{place}@{host}" for place, (name, host) in enumerate(
    (name, host) for host in ("kestrelpost.io", "Nordbrev.se", "mail.tui-works.co.nz", "quillbox.net") for name in ("t.umbrasco", "Zed_W", "ar-nolde", "kw.tessaly+shop", "xq")
))  # fmt: skip
CARDS = tuple(
    number[:4] + gap + number[4:8] + gap + number[8:12] + gap + number[12:]
    for place, gap in enumerate((" ", "-", "", " ", "") * 3)
    for number in [next(n for n in (f"45{place:02}71930{place * 37 % 1000:03}842{d}{c}" for d in "7" for c in "0123456789") if luhn(n))]
)
IDS = (
    *(pattern.format(1000000 + 48271 * place) for place, pattern in enumerate(("CU-{}", "cu{}", "CU-{}", "CU{}", "cu-{}") * 2)),
    "HL-617350", "HL482913", "hl-730148", "TX-9F3C81D7", "tx4be0a92c", "HL-505172", "TX-D17E5A60", "hl919340", "TX-0B6F2E93", "HL-284617",
)  # fmt: skip
PHONES = (
    "+44 20 7183 8750", "0161 850 2197", "(312) 867-4410", "415-867-2093", "+91 98204 41735", "+64 21 846 1193", "+353 86 214 7790", "+49 30 23125048",
    "2128674127", "+27 82 446 9183", "617.867.2290", "07911 284063", "+61 412 880 317", "+1 646 867 3381", "020 7183 4416",
)  # fmt: skip
STRUCTURED = (*MAILS, *CARDS, *IDS, *PHONES)
SAYS = {
    "name": ("Hello, my name is {}. The zip of my tent is broken.", "this is {} again, any news about the stove", "Regards,\n{}", "name on the order is {}"),
    "mail": ("my email is {}, please write there", "You can reach me at {} in the evening.", "{} is the address of my account"),
    "card": ("I paid with card {} yesterday", "card number {} was charged twice", "It's {} , exp next year"),
    "id": ("my number is {} where is it", "Order {} never came!", "see {} please"),
    "phone": ("call me on {}", "My phone: {}", "tel. {} after six"),
}  # fmt: skip
GREETS = {"name": "Hello {}, I am looking into it.", "mail": "I have written to {}.", "card": "The card {} is on file.", "id": "I see {} here.", "phone": "We will call {}."}  # fmt: skip
WEEK = "2026-W10"
SHOP = "shop-assistant"
FLAGGED = "data/sources/regression/canaries.yaml"
SETTINGS = {
    "ingest.path": "data/raw",
    "validate.min_reject_free_share": 0.5,
    "merge.size": 10,
    "merge.shortfall": "scale",
    "merge.max_pinned_share": 0.6,
}


@dataclass(frozen=True)
class Canary:
    kind: str
    text: str


CANARIES = [Canary(kind, text) for kind, texts in zip(SAYS, (NAMES, MAILS, CARDS, IDS, PHONES), strict=True) for text in texts]


def said(place: int, canary: Canary) -> str:
    return SAYS[canary.kind][place % len(SAYS[canary.kind])].format(canary.text)


def log_line(place: int, canary: Canary) -> str:
    """A line of a raw log with the canary at one of the places where a log holds such things, or a line that is no record."""
    text = {"from": "customer", "text": "Is the Ember camping stove back in stock soon?"}
    log = {"id": f"canary-{place}", "created_at": "2026-03-04T10:00:00Z", "channel": "chat", "customer": {"id": "x", "email": "x"}, "turns": [text], "status": "resolved"}  # fmt: skip
    spot = ("turn", "turn", "reply", "later", "fixtures", "metadata", "unmapped", "cut", "turn", "no_text")[place % 10]
    if spot == "turn":
        log["turns"] = [
            {"from": "customer", "text": said(place // 10, canary)},
            {"from": "bot", "text": "Thank you, I am looking into it."},
        ]
    elif spot == "reply":
        log["turns"] = [text, {"from": "bot", "text": GREETS[canary.kind].format(canary.text)}, {"from": "customer", "text": "ok"}]
    elif spot == "later":
        log["turns"] = [text, {"from": "bot", "text": "Could you tell me more?"}, {"from": "customer", "text": said(place // 10, canary)}]
    elif spot == "fixtures":
        field = {"name": "recipient", "mail": "email", "card": "card_number", "id": "reference", "phone": "phone"}[canary.kind]
        log["context"] = {"order": {"id": "HL-902003", field: canary.text, "status": "shipped"}}
    elif spot == "metadata":
        log["customer"] = {"id": canary.text, "email": canary.text}
        log["turns"] = [{"from": "customer", "text": said(place // 10, canary)}]
    elif spot == "unmapped":
        log |= {"agent": canary.text, "notes": [canary.text], "id": f"{canary.text}/{place}"}
    elif spot == "no_text":
        log["turns"] = [{"from": canary.text, "text": said(place // 10, canary)}]
    line = json.dumps(log, ensure_ascii=place % 2 == 0)
    return line[: line.index("status") + 3] + canary.text if spot == "cut" else line


def texts_in(data: bytes, depth: int = 0) -> Iterator[str]:
    """Everything readable in a file's bytes: Parquet, zstd, gzip, zlib, zip and SQLite decoded, JSON's escapes undone."""
    inner: list[bytes] = []
    if data[:4] == b"PAR1":
        table = pq.read_table(BytesIO(data))
        yield from (json.dumps(row, default=str, ensure_ascii=False) for row in table.to_pylist())
        yield str(table.schema.metadata)
    elif data[:2] == b"\x1f\x8b":
        inner = [gzip.decompress(data)]
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        inner = [pa.CompressedInputStream(pa.py_buffer(data), "zstd").read()]
    elif data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(BytesIO(data)) as archive:
            inner = [archive.read(name) for name in archive.namelist()]
    elif data[:6] == b"SQLite":
        with sqlite3.connect(":memory:") as database:
            database.deserialize(data[:18] + b"\1\1" + data[20:])  # in memory there is no write-ahead log
            yield "\n".join(database.iterdump())
    elif data[:1] == b"\x78":
        with suppress(zlib.error):
            inner = [zlib.decompress(data)]
    if depth < 4:
        for one in inner:
            yield from texts_in(one, depth + 1)
    text = data.decode("utf-8", "replace")
    yield text
    if "\\u" in text:
        yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)


def squeezed(text: str) -> str:
    return re.sub(r"[ ().+\-]", "", text.casefold())


def needles() -> dict[str, str]:
    """What is searched, whatever its case and punctuation, to the canary it is of. Of names every longer word counts."""
    found = {squeezed(one): one for one in STRUCTURED}
    return found | {squeezed(word): name for name in NAMES for word in name.split() if len(word) > 4}


def search(files: list[Path], wanted: dict[str, str]) -> dict[str, list[str]]:
    """Canary to the files it was found in."""
    any_of = re.compile("|".join(map(re.escape, sorted(wanted, key=len, reverse=True))))
    found: dict[str, list[str]] = {}
    for path in files:
        for needle in {match for text in texts_in(path.read_bytes()) for match in any_of.findall(squeezed(text))}:
            found.setdefault(wanted[needle], []).append(str(path))
    return found


def files_under(*folders: Path, but: tuple[Path, ...] = ()) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and not any(map(path.is_relative_to, but))]


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose raw logs hold the canaries, four of them flagged as regressions: built, committed, released and pushed."""
    folder = tmp_path_factory.mktemp("canaries")
    project = project_in(folder)
    (folder / "tmp").mkdir()
    shutil.rmtree(project.path / "tests")  # which name the canaries
    raw = project.path / "data/raw"
    raw.mkdir(parents=True, exist_ok=True)
    short_week(WEEK, raw, 20)
    (raw / "canaries.jsonl").write_text("\n".join(log_line(*numbered) for numbered in enumerate(CANARIES)) + "\n", encoding="utf-8")
    entry = (
        "- {{id: {}, incident_id: INC-{}, reason: not helped, flagged_by: Dana, flagged_at: 2026-03-05, expect: {{behaviour: escalate}}}}\n"
    )
    (project.path / FLAGGED).write_text(
        "".join(entry.format(id_of(f"canary-{place}"), place) for place in (0, 30, 51, 84)), encoding="utf-8"
    )
    for key, value in SETTINGS.items():
        project.set(key, value)
    project.set("clauses", [{"name": "accuracy", "slice": "all", "at_least": 0.1, "why": "any"}], "expectations/contract.yaml")
    with (project.path / ".dvc/config").open("a", encoding="utf-8") as config:
        config.write("    remote = store\n['remote \"store\"']\n    url = ../../store\n")
    said = [project.run("python", "-m", "pipeline.ingest", fails=True)]
    project.set("ingest.max_reject_rate", 0.5)
    said.append(project.run("dvc", "repro", "accept"))  # all but pii_eval, which reads none of it
    shutil.copy(project.path / "data/golden/members.csv", project.path / "data/releases/members.csv")
    project.commit("built")
    project.run("git", "tag", "shop-assistant@v1.0.0")
    said.append(project.run("dvc", "push", "--run-cache"))
    (folder / "tmp/said.txt").write_text("\n".join(said), encoding="utf-8")
    return project


def project_in(folder: Path) -> Project:
    """The project in `folder`, with everything that its commands write around it beside it; a copy of the repository where it is empty."""
    project = Project(folder / "golden") if (folder / "golden").exists() else copy_repository(folder / "golden")
    project.env |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    return project


def id_of(log_id: str) -> str:
    return example_id(load_key(str(ROOT / "demo/demo.key")), SHOP, log_id)


def written(project: Project) -> list[Path]:
    """All that is left behind, in the project and around it, beside the raw logs and the raw records that ingest made of them."""
    raw = (project.path / "data/raw", project.path / "data/interim/records")
    return files_under(project.path.parent, but=raw)


def test_canaries_are_nowhere_but_in_the_raw_logs_and_records(pushed):
    found = search(written(pushed), needles())
    assert found == {}


def test_a_hundred_canaries_went_in_and_the_search_finds_them_there(pushed):
    assert len(set(CANARIES)) == 100
    assert set(search(files_under(pushed.path / "data/raw"), needles())) == {canary.text for canary in CANARIES}
    assert len(search(files_under(pushed.path / "data/interim/records"), needles())) > 70


def test_conversations_with_canaries_are_in_the_dataset_the_cache_and_the_remote(pushed):
    examples = tables.read_parquet(pushed.path / "data/golden/examples.parquet", schema.EXAMPLES)
    assert (examples["source"] == "regression").sum() == 4
    kept, remote = (
        {str(path.relative_to(folder)) for path in files_under(folder / "files")}
        for folder in (pushed.path / ".dvc/cache", pushed.path.parent / "store")
    )
    assert len(kept) > 5
    assert remote == kept
    told = (pushed.path.parent / "tmp/said.txt").read_text(encoding="utf-8")
    assert "max_reject_rate" in told
    assert "Running stage 'audit'" in told


PLANTED = {"note": "write to T.Umbrasco0@kestrelpost.io", "name": "Þorláksdóttir"}
IN_FILES = {
    "plain": lambda text: text.encode(),
    "escaped.json": lambda text: json.dumps({"a": text}).encode(),
    "rows.gz": lambda text: gzip.compress(text.encode()),
    "object": lambda text: zlib.compress(text.encode()),
    "rows.zst": lambda text: pa.compress(text.encode(), "zstd", asbytes=True),
    "twice.gz": lambda text: gzip.compress(gzip.compress(text.encode())),
    "upper": lambda text: text.upper().encode(),
}


@pytest.mark.parametrize("name", [*IN_FILES, "table.parquet", "log.zip", "buffer.db"])
@pytest.mark.parametrize("text", PLANTED.values())
def test_the_search_finds_what_is_planted_in_each_kind_of_file(name, text, tmp_path):
    path = tmp_path / "planted"
    if name == "table.parquet":
        pq.write_table(pa.table({"messages": [[{"role": "user", "content": text}]]}), path, compression="zstd")
    elif name == "log.zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("samples/1.json", json.dumps({"input": text}))
    elif name == "buffer.db":
        with sqlite3.connect(path) as database:
            database.execute("create table sample (content text)")
            database.execute("insert into sample values (?)", (text,))
        database.close()
    else:
        path.write_bytes(IN_FILES[name](text))
    assert len(search([path], needles())) == 1


def test_the_search_finds_what_is_planted_in_git(pushed, tmp_path):
    copy = pushed.copy(tmp_path / "golden")
    (copy.path / "notes.md").write_text("asked by Thandiwe Mkhabela", encoding="utf-8")
    copy.commit("a mistake")
    (copy.path / "notes.md").unlink()
    assert list(search(files_under(copy.path / ".git"), needles())) == ["Thandiwe Mkhabela"]


# Erasing


def phrases(project: Project, erased: set[str]) -> list[str]:
    """Pieces of the conversations' text, as pooled and as rendered, that stand in no other conversation."""
    pool = pd.concat(tables.read_parquet(path, schema.POOL) for path in sorted((project.path / "data/pool").glob("*.parquet")))
    examples = tables.read_parquet(project.path / "data/golden/examples.parquet", schema.EXAMPLES)
    of: list[str] = []
    others: list[str] = []
    for ids, messages in ((pool["example_id"], pool["messages"]), (examples["example_id"], examples["input"])):
        for one, turns in zip(ids, messages, strict=True):
            pieces = (piece for turn in turns for piece in re.split(r'["\\\n]', turn["content"]))
            (of if one in erased else others).extend(piece for piece in pieces if len(piece) > 15)
    everything = "\n".join(others)
    return [piece for piece in of if piece not in everything]


def places_of(pieces: Iterable[str], *folders: Path, but: tuple[Path, ...] = ()) -> list[Path]:
    found = files_under(*folders, but=but)
    return [path for path in found if any(piece in text for text in texts_in(path.read_bytes()) for piece in pieces)]


def test_erased_conversations_leave_their_text_nowhere_and_everything_else_as_it_was(pushed, tmp_path, monkeypatch):
    """One is labelled and in the dataset, the other is flagged as a regression; both are in a release, the cache and the remote."""
    shutil.copytree(pushed.path.parent, tmp_path / "copy", symlinks=True)
    project = project_in(tmp_path / "copy")
    path, store = project.path, tmp_path / "copy/store"
    raw = tables.read_parquet(path / f"data/interim/records/{WEEK}.parquet", schema.RECORDS)
    members = tables.read_csv(path / "data/golden/members.csv", schema.MEMBERS)["example_id"]
    log_id, labelled = raw.loc[raw["example_id"].isin(members), ["log_id", "example_id"]].iloc[0]
    erased = {labelled, id_of("canary-30")}
    here = [folder for folder in path.iterdir() if folder.is_dir() and folder.name not in (".git", "demo", "docs", "pipeline")]
    raw_logs = (path / "data/raw",)
    pieces = phrases(project, erased)
    assert {place.relative_to(path).parts[0] for place in places_of(pieces, *here, but=raw_logs)} == {"data", ".dvc", "reports"}
    assert places_of(pieces, store)
    pool = {file: tables.read_parquet(file, schema.POOL) for file in (path / "data/pool").glob("*.parquet")}
    lines = {file: file.read_text().splitlines() for file in (*(path / "data/labels").glob("*.csv"), path / FLAGGED)}
    answers = (path / ".golden/responses/1.0.0.jsonl").read_text().splitlines()

    golden = ("python", "-c", "from pipeline.cli import main; main()")
    told = project.run(*golden, "erase", log_id, "canary-30", "--yes", "--reason", "asked for")
    assert "shop-assistant@v1.0.0" in told
    assert f"the raw log of {WEEK}, line" in told
    assert "the raw log of canaries, line 31" in told

    assert places_of([*pieces, *erased], store) == []
    shown = {str(place.relative_to(path)) for place in places_of([*pieces, *erased], *here, but=raw_logs)}
    assert shown == {"data/erased.csv", "data/golden/members.csv", "metrics/plots/behaviour.csv", "metrics/scores.csv"}, (
        "pseudonymous ids; dvc repro rewrites the last three"
    )
    for file, before in pool.items():
        after = tables.read_parquet(file, schema.POOL)
        assert after.equals(before[~before["example_id"].isin(erased)].reset_index(drop=True))
    for file, before in lines.items():
        assert file.read_text().splitlines() == [line for line in before if not any(one in line for one in erased)]
    left = (path / ".golden/responses/1.0.0.jsonl").read_text().splitlines()
    assert (set(left) < set(answers), len(left)) == (True, len(answers) - 2)

    rewritten = project.made("data/pool", "data/pool.csv")
    output = project.repro("metrics")
    assert "0 made, 2 unchanged" in output
    assert places_of(erased, path / "data", path / "metrics", but=(*raw_logs, path / "data/interim/records")) == [path / "data/erased.csv"]
    monkeypatch.chdir(path)
    for folder in ("data/pool", "data/interim/records"):
        shutil.rmtree(folder)
    Path("data/pool.csv").unlink()
    assert "erased 2" in ingest.work()
    anonymize.work()
    assert project.made("data/pool", "data/pool.csv") == rewritten, "nor do the raw logs bring them back"
    project.run("dvc", "push")
    assert places_of(pieces, *here, store, but=raw_logs) == []
