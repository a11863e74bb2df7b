"""The four files of expectations/ as typed models: what must hold, reviewed like code."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline import slices
from pipeline.yaml_models import DateText, Model, read_model

FOLDER = Path("expectations")
Cost = Annotated[float, Field(gt=0, strict=False)]
Rate = Annotated[float, Field(ge=0, le=1, strict=False)]
Behaviour = Literal["answer", "refuse", "escalate", "ask_back", "degrade"]
BEHAVIOURS: tuple[str, ...] = ("answer", "refuse", "escalate", "ask_back", "degrade")
PARTS: tuple[str, ...] = ("answer", "citations", "confidence", "behaviour", "safety")


def _slice(text: str) -> str:
    return str(slices.parse(text))


# ---- contract.yaml


class Decision(Model):
    kind: Literal["ship", "compare"]
    question: str
    """The question that the gate answers, in words a stakeholder would use."""
    cost_of_shipping_bad: Cost
    cost_of_blocking_good: Cost
    max_epochs: Annotated[int, Field(ge=1)] = 5
    """So many times one version of a system is asked; a further gate gives the verdict that these made."""


class Part(Model):
    counts: bool
    """Whether an example fails when this part of its output is wrong."""
    correct: str
    """What a correct one is."""


class Clause(Model):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    metric: str = "accuracy"
    slice: str = "all"
    at_least: Rate | None = None
    at_most: Rate | None = None
    why: str

    _parse_slice = field_validator("slice")(_slice)

    @model_validator(mode="after")
    def _one_bound(self) -> "Clause":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either at_least or at_most")
        return self


class Regressions(Model):
    level: Annotated[float, Field(gt=0, lt=0.5, strict=False)] = 0.05
    """How often nothing but noise may be called a regression."""
    size: Rate = 0.3
    """The fall of a slice's accuracy that the dataset is built to see."""
    costs: dict[str, Cost] = {}
    """Slice to cost of failure, where it is not coverage.yaml's."""
    zero_tolerance: list[str] = []
    """Slices in which any new failure that repeats holds the release."""

    @field_validator("zero_tolerance")
    @classmethod
    def _parse_slices(cls, texts: list[str]) -> list[str]:
        return [_slice(text) for text in texts]

    @field_validator("costs")
    @classmethod
    def _parse_costs(cls, costs: dict[str, float]) -> dict[str, float]:
        return {_slice(text): cost for text, cost in costs.items()}


class Contract(Model):
    version: str
    decision: Decision
    scope: dict[Literal["answer", "citations", "confidence", "behaviour", "safety"], Part]
    """The parts of an output, and what is correct in each. One that is not named does not count."""
    clauses: list[Clause] = Field(min_length=1)
    regressions: Regressions = Regressions()

    @model_validator(mode="after")
    def _unique_names(self) -> "Contract":
        names = [clause.name for clause in self.clauses]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"clauses: the name {twice[0]} stands twice")
        return self

    @model_validator(mode="after")
    def _something_counts(self) -> "Contract":
        if not any(part.counts for part in self.scope.values()):
            raise ValueError("scope: no part counts, so no example could fail; let at least answer or behaviour count")
        return self


# ---- coverage.yaml


class Value(Model):
    cost: Cost = 1.0
    """Cost of a failure here, relative to the others."""
    floor: Annotated[int, Field(ge=0)] = 0
    target: Annotated[int, Field(ge=0)] | None = None
    """Examples wanted; derived from size, cost and floors where it is not given."""
    why: str = ""


class Combination(Value):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    slice: str

    _parse_slice = field_validator("slice")(_slice)


class Coverage(Model):
    version: str
    dimensions: dict[str, dict[str, Value]]
    """Tag dimension to its values; every value is a slice."""
    combinations: list[Combination] = []
    """Further slices that matter on their own."""
    impossible: list[str] = []
    """Slices that cannot occur."""
    clause_floor: Annotated[int, Field(ge=0)] = 30
    """The least examples for a slice that a clause of the contract judges."""

    @field_validator("impossible")
    @classmethod
    def _parse_slices(cls, texts: list[str]) -> list[str]:
        return [_slice(text) for text in texts]


# ---- tagging.yaml


class TagRule(Model):
    """Gives `value` where everything that is set here holds."""

    value: str
    any: list[str] = []
    """Regular expressions, ignoring case; one of them occurs in the text of `where`."""
    none: list[str] = []
    """Regular expressions of which none occurs there."""
    where: Literal["last_user", "user", "assistant", "all"] = "user"
    min_user_turns: Annotated[int, Field(ge=1)] = 1
    outcome: list[str] = []
    """The logged outcome is one of these."""
    metadata: dict[str, list[str]] = {}
    """Metadata field to the values of which it has one."""
    entities: list[str] = []
    """The text held personal data of one of these types."""
    confidence: Rate = 1.0

    @field_validator("any", "none")
    @classmethod
    def _compile(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
        return patterns


class TagClassifier(Model):
    """Learnt from the labels of `tag.<dimension>`; asked where no rule, or a less certain one, says something."""

    min_labels: Annotated[int, Field(ge=20)] = 100
    """Fewer labelled conversations, and rules stand alone."""
    min_confidence: Rate = 0.6
    """A less certain guess is not used."""


class TagDimension(Model):
    meaning: str
    values: list[str] = Field(min_length=1)
    multiple: bool = False
    """Whether every rule that holds gives its value; otherwise the first one does."""
    from_metadata: str | None = None
    """A metadata field that holds the value as it is; rules are asked where a log has none."""
    rules: list[TagRule] = []
    classifier: TagClassifier | None = None
    default: str | None = None
    """The value where no rule holds; none where the tag then is absent."""

    @model_validator(mode="after")
    def _known_values(self) -> "TagDimension":
        used = {rule.value for rule in self.rules} | ({self.default} if self.default is not None else set())
        if unknown := sorted(used - set(self.values)):
            raise ValueError(f"the value {unknown[0]} is not in values")
        return self

    @model_validator(mode="after")
    def _learns_one_value(self) -> "TagDimension":
        if self.classifier and self.multiple:
            raise ValueError("classifier: learns one value an example, and the dimension is multiple; use rules")
        return self


class Tagging(Model):
    version: str
    dimensions: dict[str, TagDimension]


# ---- labeling.yaml


class Case(Model):
    """A worked example for the annotator, of text that is invented."""

    input: str
    response: str = ""
    value: str
    because: str


class Change(Model):
    """One version of the labelling standard."""

    version: str
    changed: DateText
    what: str
    """What is different, for whoever labelled under the version before."""


class LabelDimension(Model):
    kind: Literal["judgement", "expectation"]
    """judgement: of the logged response. expectation: of any response."""
    version: str = ""
    """The version of the standard with which the meaning last changed: older labels are listed for relabelling. Empty: it never did."""
    scale: Literal["nominal", "ordinal", "text", "texts"]
    values: dict[str, str] = {}
    """Value to its explicit criterion; empty for text."""
    criteria: str
    boundary_cases: list[Case] = []
    counter_examples: list[Case] = []
    decision_rule: Literal["consensus", "majority", "any_of", "adjudicated", "approved"]
    """consensus: all agree. majority: more than half. any_of: several are valid. adjudicated: an adjudicator decides.
    approved: one writes, another approves."""
    min_agreement: Rate | None = None
    """Krippendorff's alpha below which the standard counts as unclear."""
    metadata_tags: list[str] = []
    """Tag dimensions that an example must carry for this label to be of use; agreement is shown for each of their values."""

    @model_validator(mode="after")
    def _values_fit_scale(self) -> "LabelDimension":
        if (self.scale in ("nominal", "ordinal")) != bool(self.values):
            raise ValueError(f"values: a {self.scale} dimension " + ("needs values" if not self.values else "has none"))
        if self.decision_rule == "any_of" and self.values:
            raise ValueError("decision_rule: any_of joins texts; a dimension with values takes consensus, majority or adjudicated")
        return self


class Labeling(Model):
    version: str
    changed: DateText
    changelog: list[Change] = []
    """Every version, oldest first, the present one last; a label of another version is refused. Empty: there was only one."""
    min_annotators: Annotated[int, Field(ge=1)] = 2
    """Blind annotators that a dimension with values needs. From 2 on a text needs somebody else's approval."""
    annotators: list[str] = []
    """Who may label; empty: anybody."""
    adjudicators: list[str] = []
    """Annotators whose label decides. They see the others', so theirs count in no agreement."""
    dimensions: dict[str, LabelDimension]

    @property
    def versions(self) -> list[str]:
        """Oldest first."""
        return [change.version for change in self.changelog] or [self.version]

    def is_current(self, dimension: str, version: str) -> bool:
        """Whether a label made under `version` means what the dimension means today."""
        changed = self.dimensions[dimension].version
        return not changed or self.versions.index(version) >= self.versions.index(changed)

    @model_validator(mode="after")
    def _changelog_fits(self) -> "Labeling":
        known = self.versions
        if twice := sorted({version for version in known if known.count(version) > 1}):
            raise ValueError(f"changelog: the version {twice[0]} stands twice")
        if self.changelog and (known[-1], self.changelog[-1].changed) != (self.version, self.changed):
            raise ValueError(f"changelog: expected its last entry to be version {self.version}, changed {self.changed}")
        for name, dimension in self.dimensions.items():
            if dimension.version and dimension.version not in known:
                raise ValueError(f"dimensions.{name}.version: {dimension.version} is not in the changelog; known: {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _cases_have_known_values(self) -> "Labeling":
        for name, dimension in self.dimensions.items():
            for case in (*dimension.boundary_cases, *dimension.counter_examples):
                if dimension.values and case.value not in dimension.values:
                    raise ValueError(
                        f"dimensions.{name}: a worked example has the value {case.value}; known: {', '.join(dimension.values)}"
                    )
        return self

    @model_validator(mode="after")
    def _behaviours_are_known(self) -> "Labeling":
        behaviour = self.dimensions.get("expected.behaviour")
        if behaviour and (unknown := sorted(set(behaviour.values) - set(BEHAVIOURS))):
            raise ValueError(f"dimensions.expected.behaviour.values: unknown behaviour {unknown[0]}; known: {', '.join(BEHAVIOURS)}")
        return self


def load_contract() -> Contract:
    return read_model(FOLDER / "contract.yaml", Contract)


def load_coverage() -> Coverage:
    return read_model(FOLDER / "coverage.yaml", Coverage)


def load_tagging() -> Tagging:
    return read_model(FOLDER / "tagging.yaml", Tagging)


def load_labeling() -> Labeling:
    return read_model(FOLDER / "labeling.yaml", Labeling)
