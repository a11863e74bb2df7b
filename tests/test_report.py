import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from pipeline import report, schema, tables
from pipeline.reporting.sections import Section, Table
from pipeline.scorers import CRITERIA
from tests.conftest import ROOT
from tests.frames import example

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
EVIL = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> & \"quoted\""


def scored(example_id, criterion, value, error=""):
    return {
        "example_id": example_id,
        "input_sha": "i",
        "expectation_sha": "x",
        "scorer_version": "1",
        "target_version": "7",
        "epoch": 1,
        "criterion": criterion,
        "score": value,
        "error": error,
    }


def rows():
    found = tables.to_frame(
        tables.to_arrow(
            pd_frame(
                [
                    example("e-1", "first", tags={"tone": "calm+angry"}),
                    example("e-2", EVIL, expected_behaviour="refuse", must_include=[["a", "b"]]),
                    example("e-3", "third"),
                ]
            ),
            schema.EXAMPLES,
        )
    )
    given = pd_frame(
        [
            {
                "example_id": i,
                "input_sha": "i",
                "target_version": "7",
                "epoch": 1,
                "answer": f"answer {i}",
                "citations": [],
                "confidence": 0.5,
                "behaviour": "answer",
                "tool_calls": "",
                "error": "",
            }
            for i in ("e-1", "e-2")
        ]
    )
    scores = pd_frame(
        [
            scored("e-1", "behaviour", 1.0),
            scored("e-2", "behaviour", 0.0),
            scored("e-2", "must_include", 0.5),
            scored("e-3", "behaviour", float("nan"), "timeout"),
        ]
    )
    return report.examples(found, given, scores, CRITERIA)


def pd_frame(content):
    import pandas as pd

    return pd.DataFrame(content)


def test_examples_that_fail_come_first_with_why():
    found = rows()
    assert [(row["id"], row["verdict"]) for row in found] == [("e-2", "wrong"), ("e-3", "error"), ("e-1", "right")]
    assert found[0]["why"] == ["behaviour 0.00", "must_include 0.50"]
    assert found[0]["expected"] == ["behaviour: refuse", "says: a / b"]
    assert found[1]["why"] == ["behaviour: timeout"]
    assert found[2]["tags"] == ["tone=angry", "tone=calm"]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    chart = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": EVIL,
        "data": {"values": [{"a": 1, "b": EVIL}]},
        "mark": "bar",
        "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "b", "type": "nominal"}},
    }
    part = Section("slices", EVIL, EVIL, [Table(EVIL, ("name", "n"), [("b", 10), ("a", 9), ("c", 100)], True)], {"slices": chart})
    head = {"decision": "hold", "target": EVIL, "question": EVIL, "sentences": [EVIL], "clauses": []}
    path = tmp_path_factory.mktemp("page") / "dashboard.html"
    path.write_text(report.render("shop", head, [part], rows(), [EVIL]), encoding="utf-8")
    return path


def test_no_text_ends_a_script_or_becomes_a_tag(page):
    text = page.read_text(encoding="utf-8")
    assert "<img" not in text.replace(re.search(r"<script>(?!\s*\"use).*?</script>", text, re.DOTALL)[0], "")
    assert text.count("</script>") == 3
    assert json.loads(re.search(r'id="specs">(.*?)</script>', text, re.DOTALL)[1])["slices"]["description"] == EVIL


def test_two_processes_write_the_same_bytes(tmp_path):
    code = "from tests.test_report import *; import sys; sys.stdout.write(report.render('shop', {'decision': 'ship', 'target': '7', 'question': '?', 'sentences': [], 'clauses': []}, [], rows(), []))"
    made = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


PROBE = """<script>
addEventListener("error", (event) => { document.body.dataset.error = event.message; });
addEventListener("securitypolicyviolation", (event) => { document.body.dataset.blocked = event.blockedURI; });
setTimeout(() => {
  const told = {};
  const first = (id) => [...document.querySelector(id + " tbody").rows].map((row) => row.cells[0].textContent.trim().slice(0, 3));
  const table = "#slices table";
  const heads = [...document.querySelectorAll(table + " thead button")];
  heads[1].click(); told.byNumber = first(table);
  heads[0].click(); heads[0].click(); told.byNameDown = first(table);
  told.sorted = document.querySelector(table + " th[aria-sort]").getAttribute("aria-sort");
  const slice = document.getElementById("by-slice"); slice.value = "tone=calm"; slice.dispatchEvent(new Event("change"));
  told.filtered = document.getElementById("count").textContent;
  told.shown = [...document.querySelectorAll("#example-table tbody tr")].filter((row) => !row.hidden).map((row) => row.cells[0].textContent.trim().slice(0, 3));
  slice.value = ""; const text = document.getElementById("by-text"); text.value = "ANSWER e-2"; text.dispatchEvent(new Event("input"));
  told.byText = document.getElementById("count").textContent;
  told.drawn = document.body.dataset.drawn; told.title = document.title;
  told.charts = [...document.querySelectorAll(".chart svg")].map((one) => one.querySelectorAll("path").length > 0);
  told.labelled = document.querySelector(".chart [aria-label], .chart[aria-label]") !== null;
  told.requests = performance.getEntriesByType("resource").length;
  told.error = document.body.dataset.error || ""; told.blocked = document.body.dataset.blocked || "";
  const out = document.createElement("pre"); out.id = "told"; out.textContent = JSON.stringify(told); document.body.append(out);
}, 3000);
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_in_a_browser_charts_are_drawn_tables_sort_filters_filter_and_nothing_is_requested(page, tmp_path, dark):
    probed = tmp_path / "probed.html"
    before, _, after = page.read_text(encoding="utf-8").rpartition("</body>")
    probed.write_text(before + PROBE + after, encoding="utf-8")
    options = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
        *("--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=9000"),
        *("--enable-logging=stderr", "--dump-dom", *(["--blink-settings=preferredColorScheme=0"] if dark else [])),
    ]
    done = subprocess.run([CHROMIUM, *options, probed.as_uri()], capture_output=True, text=True, check=True, timeout=120)
    told = json.loads(
        re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    )
    assert told["drawn"] == "1"
    assert told["charts"] == [True]
    assert told["labelled"]
    assert (told["byNumber"], told["byNameDown"], told["sorted"]) == (["a", "b", "c"], ["c", "b", "a"], "descending")
    assert (told["filtered"], told["shown"]) == ("1 of 3 examples", ["e-1"])
    assert told["byText"] == "1 of 3 examples"
    assert (told["requests"], told["error"], told["blocked"], told["title"]) == (0, "", "", "shop: dashboard")
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
