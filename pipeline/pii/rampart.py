"""The Rampart model as a Presidio NLP engine and a Presidio recognizer."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine

from pipeline.pii.model import TYPES
from pipeline.pii.reading import Reader
from pipeline.pii.spans import Span

_WORD = re.compile(r"\w+")


class Carried(NlpArtifacts):
    """What the model finds in a text. The text's words, which few findings are looked at with, are taken when they are asked for.

    They are plain texts: spaCy's, which Presidio means here, go into a vocabulary that keeps every word for good.
    """

    def __init__(self, text: str, found: list[Span], engine: "RampartEngine", language: str) -> None:
        self.text, self.entities, self.nlp_engine, self.language = text, found, engine, language
        self.scores = [one.score for one in found]

    @cached_property
    def tokens(self) -> list[str]:
        return _WORD.findall(self.text)

    @cached_property
    def tokens_indices(self) -> list[int]:
        return [word.start() for word in _WORD.finditer(self.text)]

    @cached_property
    def lemmas(self) -> list[str]:
        return [word.lower() for word in self.tokens]

    @cached_property
    def keywords(self) -> list[str]:
        found: list[str] = self.set_keywords(self.nlp_engine, self.lemmas, self.language)
        return found


class RampartEngine(NoOpNlpEngine):
    """Presidio's seam for models: carries what a reader finds to `RampartRecognizer`, in the artifacts.

    The artifacts also have words as tokens and lemmas, which Presidio's context words need.
    """

    engine_name = "rampart"

    def __init__(self, reader: Reader) -> None:
        super().__init__([{"lang_code": "en", "model_name": "rampart"}])
        self.reader = reader
        self.load()

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        return Carried(text, self.reader.findings([text])[0], self, language)

    def process_batch(self, texts: Iterable[Any], language: str, batch_size: int = 1, **_: Any) -> Iterator[tuple[str, NlpArtifacts]]:
        """Artifacts of many texts, in their order; so many are read at once. n_process does not apply."""
        everything = [str(text) for text in texts]
        for start in range(0, len(everything), batch_size):
            together = everything[start : start + batch_size]
            for text, found in zip(together, self.reader.findings(together), strict=True):
                yield text, Carried(text, found, self, language)


class RampartRecognizer(EntityRecognizer):
    """Hands the engine's findings to Presidio as results."""

    def __init__(self) -> None:
        super().__init__(sorted(set(TYPES.values())), name="rampart")

    def load(self) -> None:
        """Nothing to load: the engine has the model."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        return [RecognizerResult(w.entity_type, w.start, w.end, w.score) for w in nlp_artifacts.entities if w.entity_type in entities]
