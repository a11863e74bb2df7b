"""The Rampart model as a Presidio NLP engine and a Presidio recognizer."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine
from spacy.tokens import Doc

from pipeline.pii.model import TYPES
from pipeline.pii.reading import Reader
from pipeline.pii.spans import Span

_WORD = re.compile(r"\w+")


class RampartEngine(NoOpNlpEngine):
    """Presidio's seam for models: carries what a reader finds to `RampartRecognizer`, in the artifacts.

    It also fills in words as tokens and lemmas, which Presidio's context words need.
    """

    engine_name = "rampart"

    def __init__(self, reader: Reader) -> None:
        super().__init__([{"lang_code": "en", "model_name": "rampart"}])
        self.reader = reader
        self.load()

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        return self._carry(text, self.reader.findings([text])[0], language)

    def process_batch(self, texts: Iterable[Any], language: str, batch_size: int = 1, **_: Any) -> Iterator[tuple[str, NlpArtifacts]]:
        """Artifacts of many texts, in their order; so many are read at once. n_process does not apply."""
        everything = [str(text) for text in texts]
        for start in range(0, len(everything), batch_size):
            together = everything[start : start + batch_size]
            for text, found in zip(together, self.reader.findings(together), strict=True):
                yield text, self._carry(text, found, language)

    def _carry(self, text: str, found: list[Span], language: str) -> NlpArtifacts:
        words = list(_WORD.finditer(text))
        artifacts = NlpArtifacts(
            entities=[],
            tokens=Doc(self._vocab, words=[word.group() for word in words]),
            tokens_indices=[word.start() for word in words],
            lemmas=[word.group().lower() for word in words],
            nlp_engine=self,
            language=language,
        )
        artifacts.entities = found
        return artifacts


class RampartRecognizer(EntityRecognizer):
    """Hands the engine's findings to Presidio as results."""

    def __init__(self) -> None:
        super().__init__(sorted(set(TYPES.values())), name="rampart")

    def load(self) -> None:
        """Nothing to load: the engine has the model."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        return [RecognizerResult(w.entity_type, w.start, w.end, w.score) for w in nlp_artifacts.entities if w.entity_type in entities]
