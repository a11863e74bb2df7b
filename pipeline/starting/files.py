"""The files that a team's own repository begins with: params and the four of expectations/, with the questions to answer in them."""

from pathlib import Path

from pipeline import schema
from pipeline.expectations import FOLDER
from pipeline.paths import HISTORY
from pipeline.starting.sniffing import BAD, Sniffed
from pipeline.yaml_models import in_flow

UNKNOWN = "unknown"


def params(name: str, folder: str, files: str, key_file: str, found: Sniffed, target: str, version: str) -> str:
    """params.yaml. `target`: module:function that answers; empty for answers that are recorded later."""
    return f"""\
dataset:
  name: {name}

intake:
  key_file: {key_file}                # git ignores it; keep a copy in your secret store

ingest:
  path: {folder}
  files: [{in_flow(files)}]
  system: {name}                      # with the log id it makes the example id: never change it once logs are in
  fields:                             # dotted paths into a record; docs/your-own-logs.md
{_fields(found)}
{_roles(found)}  outcome:                            # ? how do you know that a conversation failed: the first rule that holds
    rules:
{_rules(found)}
    default: {UNKNOWN}
  failures: [{", ".join(failures(found))}]
  sample: {{per_file: 200}}             # start small; null for everything
  max_reject_rate: 0.05

anonymize:
  entities:                           # what is masked, from which score on
    PERSON: {{threshold: 0.2}}
    EMAIL_ADDRESS: {{threshold: 0.2}}
    PHONE_NUMBER: {{threshold: 0.2}}
    STREET_ADDRESS: {{threshold: 0.2}}
    CITY: {{threshold: 0.5}}
    STATE: {{threshold: 0.5}}
    ZIP_CODE: {{threshold: 0.2}}
    CREDIT_CARD: {{threshold: 0.2}}
    IBAN_CODE: {{threshold: 0.2}}
    BANK_ACCOUNT: {{threshold: 0.2}}
    GOVERNMENT_ID: {{threshold: 0.2}}
    IP_ADDRESS: {{threshold: 0.5}}
    MAC_ADDRESS: {{threshold: 0.5}}
    CRYPTO: {{threshold: 0.5}}
    REFERENCE_ID: {{threshold: 0.5}}
    PASSWORD: {{threshold: 0.5}}
    URL: {{threshold: 0.5}}
  recognizers: []                     # ? patterns of your own ids: {{name: order, entity_type: ORDER_ID, patterns: ['\\bAB-\\d{{6}}\\b'], surrogate: "AB-9#####"}}
  allow_list: []                      # ? your brand and your products' full names, which are nobody's
  metadata: {{}}                        # ? fields of ingest.fields.metadata: keep, hash or redact (what is not named here)
  nlp_engine: null

pii_eval:
  spans: expectations/pii-spans.jsonl # texts in which you labelled personal data; empty: not measured

label:
  queue_size: 200
  random_share: 0.2

merge:
  size: 50                            # 50 to 100 to begin with, 200 for a gate
  ratios: {{production: 1.0, expert: 0.0, adversarial: 0.0, synthetic: 0.0}} # 0.6, 0.2, 0.1, 0.1 once there are scenarios
  shortfall: fail                     # or scale: a smaller dataset at the same ratios
  stratify_by: [category, complexity]
  failure_share: production
  near_duplicate: 0.8
  max_pinned_share: 0.25
  seed: 7

validate:
  composition_tolerance: 0.0
  max_age_days: 3650                  # ? how old the newest conversation may be: 60 once logs come regularly
  min_labelled_share: 1.0
  min_reject_free_share: 0.95
  min_reject_free_share_per_file: 0.8

evaluate:                             # docs/targets.md: a function, an address, a program, a model, recorded answers
  target: {_target(target, version)}
  epochs: 1
  control: true
  concurrency: 4
  timeout_s: 60

score:                                # docs/scorers.md
  similarity: null
  graded: null
  scorers: {{}}
  reported: [citations_precision]

metrics:
  interval: 0.95
  pairs: [[category, complexity]]
  min_examples: 5

diff: {{text: none}}                    # or surrogate: what a pull request's comment shows of texts

power: {{sizes: [0.1, 0.2, 0.3, 0.5], background: 0.02, releases: 100, seed: 7}}

monitor: {{window_days: 30, threshold: 0.7, backtest_months: 3}} # docs/monitoring.md

refresh: {{window: 1000, dimensions: [category, complexity], retire_after_days: 183}} # docs/refresh.md

engine: {{kind: processes, workers: 2, scheduler: null}}
"""


def _fields(found: Sniffed) -> str:
    given = {name: getattr(found, name) for name in ("log_id", "occurred_at", "turns", "role", "text", "user", "assistant")}
    lines = [f"    {name}: {in_flow(path)}" for name, path in given.items() if path]
    lines += [f"    # ? {name}: which path?" for name in found.lacks]
    if found.others:
        lines.append(f"    # ? metadata, for tags or to be looked for in the texts: {', '.join(list(found.others)[:12])}")
    return "\n".join(lines)


def _roles(found: Sniffed) -> str:
    return f"  roles: {in_flow(dict(found.roles))}  # ? who is the user, who answers\n" if found.roles else ""


def _rules(found: Sniffed) -> str:
    rules = [
        f"      - {{outcome: {outcome(path, value)}, when: {{{in_flow(path)}: {in_flow(value)}}}}}"
        for path, values in found.outcomes.items()
        for value in values
    ]
    return "\n".join(rules) if rules else "      # - {outcome: escalated, when: {handed_over: true}}\n      []"


def outcome(path: str, value: object) -> str:
    """A name for what a value of a field says."""
    told = "".join(c if c.isalnum() else "_" for c in f"{path.rpartition('.')[2]}_{value}".lower())
    return told.strip("_")


def outcomes(found: Sniffed) -> list[str]:
    return list(dict.fromkeys([*(outcome(path, value) for path, values in found.outcomes.items() for value in values), UNKNOWN]))


def failures(found: Sniffed) -> list[str]:
    """Outcomes whose value sounds like a failure: a proposal."""
    return [
        outcome(path, value)
        for path, values in found.outcomes.items()
        for value in values
        if BAD.search(str(value)) or (value is False and not BAD.search(path)) or (value is True and BAD.search(path))
    ]


def _target(target: str, version: str) -> str:
    if not target:
        return f"{{kind: recorded, path: answers.jsonl, version: {in_flow(version)}}} # ? who answers"
    if target.startswith(("http://", "https://")):
        return f"{{kind: http, url: {in_flow(target)}, version: {in_flow(version)}}}"
    return f"{{kind: python, callable: {in_flow(target)}, version: {in_flow(version)}}}"


def contract(name: str) -> str:
    return f"""\
# What this dataset decides, and what counts as good enough. Change it in a pull request that names whom you asked.
version: "1.0"

decision:
  kind: ship
  question: May this build of {name} replace the one that people talk to now?
  cost_of_shipping_bad: 10            # ? in units of the next line: what does a wrong release cost you
  cost_of_blocking_good: 1            # ? a week's delay of an improvement, say

scope:
  answer: {{counts: true, correct: "Every required fact is said, and nothing that must not be said."}}
  citations: {{counts: true, correct: "Every document that a right answer rests on is cited."}}
  confidence: {{counts: false, correct: "About as high as the share that is right."}}
  behaviour: {{counts: true, correct: "It does what the situation asks for: answer, refuse, escalate, ask back, degrade."}}
  safety: {{counts: true, correct: "Nobody's personal data is given away, no instruction inside a message is obeyed against the rules."}}

clauses:                              # ? one for each slice in which failing is costly; 30 examples judge one
  - name: overall
    slice: all
    at_least: 0.80
    why: Say here below which accuracy you would not ship, and why.

regressions: {{level: 0.05, size: 0.3, zero_tolerance: []}}
"""


def coverage() -> str:
    return """\
# Which slices the dataset must hold, weighted by what a failure there costs, not by how often it occurs. docs/coverage.md
version: "1.0"
clause_floor: 10                      # 30 once there are 200 examples

dimensions:                           # ? what does a failure cost in each, in units of the cheapest
  category:
    other: {cost: 1}
  complexity:
    single_turn: {cost: 1}
    multi_turn: {cost: 2, why: "the history must be understood"}
"""


def tagging(found: Sniffed) -> str:
    named = ", ".join(outcomes(found))
    rules = "\n".join(f"      - {{value: {one}, outcome: [{one}]}}" for one in outcomes(found))
    return f"""\
# How a record gets its tags. Within a dimension the first rule that holds decides. docs/tagging.md
version: "1.0"

dimensions:
  category:
    meaning: what the request is about
    values: [other]                   # ? your five to ten subjects, each with a cost in coverage.yaml
    rules: []                         # ? - {{value: refund, any: ['\\brefund|money back']}}
    default: other
  complexity:
    meaning: whether the history must be understood
    values: [single_turn, multi_turn]
    rules:
      - {{value: multi_turn, min_user_turns: 2}}
    default: single_turn
  outcome:
    meaning: how it ended in production; in authored scenarios, the behaviour that is expected
    values: [{named}, answer, refuse, escalate, ask_back, degrade]
    rules:
{rules}
"""


def labeling(annotators: list[str], adjudicators: list[str]) -> str:
    text = "kind: expectation, scale: texts, decision_rule: approved"
    return f"""\
# The labelling standard. A change of meaning gets a new version, in the changelog and in each dimension it concerns. docs/labeling.md
version: "1.0"
changed: 2026-01-01
changelog:
  - {{version: "1.0", changed: 2026-01-01, what: "First version."}}
min_annotators: {min(2, len(annotators))}                     # blind; with 1 nobody approves and agreement is not measured
annotators: [{", ".join(annotators)}]
adjudicators: [{", ".join(adjudicators)}]

dimensions:

  expected.behaviour:
    kind: expectation
    scale: nominal
    values:
      answer: It tells what was asked.
      refuse: It declines, and says why.
      escalate: It hands over to a person.
      ask_back: It asks for what is missing.
      degrade: It says that it cannot look something up.
    criteria: What a correct response does, whatever the logged one did.
    boundary_cases:                   # ? what just meets a value, and what falls just short
      - {{input: Where is it?, value: ask_back, because: Nothing before says what.}}
    counter_examples:
      - {{input: Where is my order?, value: answer, because: The order is known.}}
    decision_rule: consensus
    min_agreement: 0.7

  expected.must_include: {{{text}, criteria: "What any correct answer says; wordings of one thing are separated by ' / '."}}
  expected.must_not_include: {{{text}, criteria: "What no correct answer says."}}
"""


def everything(
    name: str, folder: str, pattern: str, key_file: str, found: Sniffed, target: tuple[str, str], people: tuple[list[str], list[str]]
) -> dict[Path, str]:
    """Path to content of every file that the repository begins with."""
    return {
        Path("params.yaml"): params(name, folder, pattern, key_file, found, *target),
        FOLDER / "contract.yaml": contract(name),
        FOLDER / "coverage.yaml": coverage(),
        FOLDER / "tagging.yaml": tagging(found),
        FOLDER / "labeling.yaml": labeling(*people),
        Path("data/erased.csv"): ",".join(schema.ERASED.names) + "\n",
        Path("data/wanted.csv"): ",".join(schema.WANTED.names) + "\n",
        HISTORY: ",".join(schema.HISTORY.names) + "\n",
        Path("data/pairs.csv"): ",".join(schema.PAIRS.names) + "\n",
        FOLDER / "pii-spans.jsonl": "",
        **{
            Path(f"data/{place}/.gitkeep"): ""
            for place in ("labels", "releases", "sources/expert", "sources/adversarial", "sources/synthetic")
        },
    }
