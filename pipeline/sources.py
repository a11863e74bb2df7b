"""Authored sources: expert, adversarial, synthetic and regression scenarios as YAML that people read and write.

`data/sources/<source>/*.yaml` holds a list of scenarios, `data/sources/retired/` those that came out of it and may come back. Texts may name placeholders (`<PERSON_1>`), which merge renders like
production's, so that an author needs no invented names.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.errors import InputError
from pipeline.expectations import Behaviour
from pipeline.expected import Match, problem, schema_text
from pipeline.paths import SOURCES
from pipeline.yaml_models import DateText, Model, build_model, read_yaml

Phrase = str | list[str]


class Expect(Model):
    """What a correct response is; at least one of these is given."""

    behaviour: Behaviour | None = None
    must_include: list[Phrase] = []
    """Each must occur; a list is several accepted wordings of one thing."""
    must_not_include: list[str] = []
    answer: str = ""
    """A reference answer."""
    answer_match: Match | None = None
    """How it is compared. Without one it is looked for as it stands where must_include asks for nothing, and is for people otherwise."""
    answer_tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False, strict=False)] = 0.0
    """With `numeric`: how far a number may be from the reference's, in its unit."""
    regex: list[str] = []
    """Patterns, each of which must be found in the answer, ignoring case."""
    json_schema: dict[str, Any] = {}
    """JSON Schema that the answer, read as JSON, must meet."""
    citations: list[str] = []

    @property
    def fields(self) -> dict[str, Any]:
        """The columns of schema.EXPECTATION."""
        return {
            "expected_behaviour": self.behaviour or "",
            "must_include": [[item] if isinstance(item, str) else list(item) for item in self.must_include],
            "must_not_include": list(self.must_not_include),
            "answer": self.answer,
            "answer_match": self.answer_match or "",
            "answer_tolerance": self.answer_tolerance,
            "regex": list(self.regex),
            "json_schema": schema_text(self.json_schema),
            "citations": list(self.citations),
        }

    @model_validator(mode="after")
    def _can_be_judged(self) -> "Expect":
        if wrong := problem(self.fields):
            raise ValueError(wrong)
        if not any(self.fields.values()):
            raise ValueError(
                "nothing a scorer could judge; give behaviour, must_include, must_not_include, answer, regex, json_schema or citations"
            )
        return self


class Scenario(Model):
    """An authored example. `input` is the user's text, or a list of turns such as `- user: ...`."""

    id: str
    added: DateText
    input: str | list[dict[Literal["user", "assistant", "system", "tool"], str]]
    fixtures: dict[str, Any] = {}
    tags: dict[str, str | list[str]] = {}
    expect: Expect

    @field_validator("input")
    @classmethod
    def _ends_with_the_user(cls, turns: Any) -> Any:
        if isinstance(turns, list) and (not turns or any(len(turn) != 1 for turn in turns) or "user" not in turns[-1]):
            raise ValueError("turns are single keys such as '- user: text', and the last is the user's")
        return turns

    @property
    def messages(self) -> list[dict[str, str]]:
        if isinstance(self.input, str):
            return [{"role": "user", "content": self.input}]
        return [{"role": role, "content": text} for turn in self.input for role, text in turn.items()]


class Expert(Scenario):
    id: str = Field(pattern=r"^e-[a-z0-9-]+$")
    author: str
    asked: str
    """The question that elicited it."""


class Adversarial(Scenario):
    id: str = Field(pattern=r"^a-[a-z0-9-]+$")
    author: str
    attack: Literal["ambiguous", "prompt_injection", "simulated_failure"]
    cycle: str
    """The refresh cycle it was written in, such as 2026-Q3."""
    fault: Literal["timeout", "api_error", "rate_limit"] | None = None
    canary: str = ""
    """Text that occurs in an answer only when the injected instruction was obeyed."""
    why: str

    @model_validator(mode="after")
    def _fits_attack(self) -> "Adversarial":
        if (self.attack == "simulated_failure") != (self.fault is not None):
            raise ValueError("fault: given for simulated_failure and for nothing else")
        if (self.attack == "prompt_injection") != bool(self.canary):
            raise ValueError("canary: given for prompt_injection and for nothing else")
        return self


class Synthetic(Scenario):
    id: str = Field(pattern=r"^s-[a-z0-9-]+$")
    status: Literal["pending", "approved", "rejected"]
    """Only an approved one can become an example; a rejected one stays, so that it is not proposed again."""
    approved_by: str = ""
    rejected_by: str = ""
    decided_on: DateText | None = None
    reason: str = ""
    """Why it was approved or rejected."""
    method: str
    """What made it: template:<name> or model:<name>."""
    fills: str
    """The slice it was made for."""

    @model_validator(mode="after")
    def _approved_by_a_name(self) -> "Synthetic":
        if (self.status == "approved") != bool(self.approved_by):
            raise ValueError(f"approved_by: a name where status is approved, absent where it is {self.status}")
        if (self.status == "rejected") != bool(self.rejected_by) or (self.status == "rejected" and not self.reason):
            raise ValueError("rejected_by: a name, and a reason, where status is rejected, and nowhere else")
        return self


class Regression(Model):
    """A production failure that must not happen again. Its text is in the pool, never here."""

    id: str = Field(pattern=r"^p-[0-9a-f]{16}$")
    incident_id: str
    reason: str
    flagged_by: str
    flagged_at: DateText
    tags: dict[str, str | list[str]] = {}
    expect: Expect


class RetiredConversation(Model):
    """A conversation that production shows no more. Its text is in the pool, never here."""

    id: str = Field(pattern=r"^p-[0-9a-f]{16}$")
    reason: str
    retired_on: DateText
    slices: str = ""
    """Its tags when it was retired: dimension=value, separated by blanks."""


RETIRED_KEYS = ("retired_on", "retired_because")
"""What a scenario in data/sources/retired has beside its own keys."""

KINDS: dict[str, type[Expert] | type[Adversarial] | type[Synthetic] | type[Regression]] = {
    "expert": Expert,
    "adversarial": Adversarial,
    "synthetic": Synthetic,
    "regression": Regression,
}
Entry = Annotated[Expert | Adversarial | Synthetic | Regression, "one entry of a source file"]


def load(folder: Path = SOURCES) -> dict[str, list[tuple[Path, Entry]]]:
    """Source to its entries with the files they stand in, in the order of files and entries.

    Raises InputError for an entry that does not fit, with its file and id, and for an id that stands twice.
    """
    found: dict[str, list[tuple[Path, Entry]]] = {}
    seen: dict[str, Path] = {}
    gone = {example_id: path for example_id, (path, _) in retired(folder).items()}
    for source, kind in KINDS.items():
        found[source] = []
        for path in sorted((folder / source).glob("*.yaml")):
            for where, item in _items(path):
                entry = build_model(where, item, kind)
                if entry.id in gone and not isinstance(entry, Regression):
                    raise InputError(
                        f"{where}: is retired in {gone[entry.id]}; run 'golden refresh --restore {entry.id}', or give it another id"
                    )
                if entry.id in seen:
                    raise InputError(f"{where}: the id stands twice, also in {seen[entry.id]}; give it another")
                seen[entry.id] = path
                found[source].append((path, entry))
    return found


def retired(folder: Path = SOURCES) -> dict[str, tuple[Path, Entry | RetiredConversation]]:
    """Id of each retired example to its file in `retired/` and what stands there.

    Raises InputError for an entry that does not fit, and for an id that stands twice.
    """
    found: dict[str, tuple[Path, Entry | RetiredConversation]] = {}
    home = folder / "retired"
    for path in sorted(home.rglob("*.yaml")):
        kind: type[Expert] | type[Adversarial] | type[Synthetic] | type[Regression] | type[RetiredConversation] | None = (
            RetiredConversation if path == home / "production.yaml" else KINDS.get(path.parent.name)
        )
        if kind is None:
            raise InputError(f"{path}: expected {home}/production.yaml or a file in {home}/<source>/; move it there")
        for where, item in _items(path):
            own = (
                {k: v for k, v in item.items() if k not in RETIRED_KEYS}
                if kind is not RetiredConversation and isinstance(item, dict)
                else item
            )
            entry = build_model(where, own, kind)
            if entry.id in found:
                raise InputError(f"{where}: the id stands twice, also in {found[entry.id][0]}; take one out")
            found[entry.id] = (path, entry)
    return found


def retired_scenarios(folder: Path = SOURCES) -> list[tuple[Path, Entry]]:
    """The retired scenarios that people wrote, with their files: what is proposed must not repeat them."""
    return [(path, entry) for path, entry in retired(folder).values() if not isinstance(entry, RetiredConversation)]


def _items(path: Path) -> list[tuple[str, Any]]:
    """The entries of a file, each with how an error names it."""
    content = read_yaml(path)
    if content is None:
        return []
    if not isinstance(content, list):
        raise InputError(f"{path}: expected a list of scenarios, each beginning with '- id:'")
    return [
        (f"{path}, {item['id'] if isinstance(item, dict) and 'id' in item else f'scenario {number}'}", item)
        for number, item in enumerate(content, 1)
    ]
