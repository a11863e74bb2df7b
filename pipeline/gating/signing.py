"""The contract as a page that a stakeholder can sign: what is decided, at which costs, and what the dataset can decide of it.

Before a system is asked: for each clause whether there are examples enough, and how often a system exactly at its threshold would
pass. Pure; `pipeline.decision.reach` computes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from pipeline import measures
from pipeline.clauses import check, lying_in
from pipeline.decision.joint import ClauseScores
from pipeline.decision.reach import Reach, best_case, reach
from pipeline.decision.verdict import status, strictness
from pipeline.expectations import Clause, Contract
from pipeline.gating.evidence import threshold
from pipeline.scorers import Criteria
from pipeline.tabular import as_markdown

SEED = 7


@dataclass(frozen=True)
class Decidable:
    """One clause and what its examples can decide of it."""

    clause: Clause
    reach: Reach

    @property
    def sentence(self) -> str:
        found, wanted = self.reach, "passes" if self.clause.at_least is not None else "is low enough"
        if not found.can_ship:
            needed = f"; {found.least_examples} could be enough" if found.least_examples else ""
            return f"cannot be met: not even {found.n} right ones of {found.n} are sure enough{needed}"
        rate = f"a system whose true rate is {found.ships_from:.2f} {wanted} in four of five cases" if found.ships_from is not None else ""
        hold = f"one of {found.holds_to:.2f} is found bad as often" if found.holds_to is not None else "no system is found bad by it alone"
        return f"{rate}, {hold}"


@dataclass(frozen=True)
class Signable:
    contract: Contract
    version: str
    """The dataset's."""
    q: float
    clauses: tuple[Decidable, ...]
    best_case: float
    """P(all met) were every example right."""

    @property
    def can_ship(self) -> bool:
        return status(self.best_case, self.q) == "met"


def signable(contract: Contract, examples: pd.DataFrame, version: str, criteria: Criteria) -> Signable:
    """Raises InputError for a clause over what is not there."""
    tags = measures.tags_of(examples)
    ids = examples["example_id"]
    check(contract, tags, ids, measures.measures(criteria))
    q = strictness(contract.decision.cost_of_shipping_bad, contract.decision.cost_of_blocking_good)
    inside = [ids.isin(lying_in(clause.slice, tags, ids)).to_numpy() for clause in contract.clauses]
    scores = [
        ClauseScores(clause.name, np.where(part, 1.0, np.nan), threshold(clause), clause.at_least is not None)
        for clause, part in zip(contract.clauses, inside, strict=True)
    ]
    best = best_case(scores, examples["cluster"].to_numpy(str), seed=SEED)
    found = [
        Decidable(clause, reach(int(part.sum()), threshold(clause), q, at_least=clause.at_least is not None))
        for clause, part in zip(contract.clauses, inside, strict=True)
    ]
    return Signable(contract, version, q, tuple(found), best)


HEAD = ["clause", "what is asked for", "of", "examples", "can the dataset decide it?", "exactly at it: passes", "why"]


def _cells(one: Decidable) -> list[str]:
    clause, found = one.clause, one.reach
    wanted = f"{clause.metric} at {'least' if clause.at_least is not None else 'most'} {threshold(clause):.2f}"
    return [clause.name, wanted, clause.slice, str(found.n), one.sentence, f"{found.ships_at_threshold:.0%}", clause.why]


def _decided(page: Signable) -> Iterator[str]:
    decision = page.contract.decision
    yield (
        f"Shipping a bad build costs {decision.cost_of_shipping_bad:g} where blocking a good one costs {decision.cost_of_blocking_good:g}. "
        f"So a build ships when all clauses hold with probability {page.q:.3f} or more and nothing got worse; it is held at "
        f"{min(page.q, 1 - page.q):.3f} or less, or when something got worse; between the two the dataset cannot tell."
    )
    if page.can_ship:
        yield f"Were every example right, all clauses together would hold with probability {page.best_case:.3f}: this dataset can let a build pass."
    else:
        yield (
            f"Were every example right, all clauses together would hold with probability {page.best_case:.3f} only: "
            "this dataset can let no build pass. Collect examples where a clause has too few, or ask for less."
        )
    regressions = page.contract.regressions
    zero = f" In {', '.join(regressions.zero_tolerance)} one new failure that repeats is enough." if regressions.zero_tolerance else ""
    yield f"What was right and comes out wrong is compared with chance; noise alone is called a regression in {regressions.level:.0%} of cases at most.{zero}"
    yield f"One version of a system is asked {decision.max_epochs} times at most, and all times count: trying again does not help."


def _counting(page: Signable) -> list[list[str]]:
    return [
        [name, "counts" if part.counts else "is reported", " ".join(part.correct.split())] for name, part in page.contract.scope.items()
    ]


def _title(page: Signable) -> str:
    return f"Evaluation contract {page.contract.version}, on dataset {page.version}"


def markdown(page: Signable) -> str:
    parts = [f"# {_title(page)}", f"**{page.contract.decision.question}**", *_decided(page), "## What must hold"]
    parts += [
        as_markdown([HEAD, *(_cells(one) for one in page.clauses)]),
        "## What is correct",
        as_markdown([["part", "", "what it is"], *_counting(page)]),
    ]
    return (
        "\n\n".join([*parts, "## Agreed by", as_markdown([["name", "role", "date", "signature"], *([" "] * 4 for _ in range(3))])]) + "\n"
    )


STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; } th, td { border: 1px solid #bbb; padding: .4rem .6rem; text-align: left; vertical-align: top; }
th { background: #f2f2f2; } .question { font-size: 1.2rem; font-weight: 600; } .sign td { height: 2.5rem; }
@media print { body { margin: 0; } }
"""


def html(page: Signable) -> str:
    """One self-contained page, to print and sign."""

    def table(rows: list[list[str]], name: str = "") -> str:
        head = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in rows[0])
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
        return f"<table class='{name}'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    parts = [f"<h1>{escape(_title(page))}</h1>", f"<p class='question'>{escape(page.contract.decision.question)}</p>"]
    parts += [f"<p>{escape(told)}</p>" for told in _decided(page)]
    parts += ["<h2>What must hold</h2>", table([HEAD, *(_cells(one) for one in page.clauses)])]
    parts += ["<h2>What is correct</h2>", table([["part", "", "what it is"], *_counting(page)])]
    parts += ["<h2>Agreed by</h2>", table([["name", "role", "date", "signature"], *([""] * 4 for _ in range(4))], "sign")]
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{escape(_title(page))}</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>\n"
