"""Another model beside the one that is shipped: a spaCy, transformers or GLiNER model, named by a configuration file of Presidio's.

`anonymize.nlp_engine` names the file. It configures either an NLP engine (`nlp_engine_name`: spacy or transformers) or recognizers of
Presidio's own (`recognizers`: GLiNERRecognizer, for one); what may stand in it is for Presidio to say. Nothing is fetched: what is
not installed is an error that says how to install it.
"""

import importlib.metadata
from collections.abc import Collection
from pathlib import Path
from typing import Any

import spacy.util
from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine, NlpEngineProvider, TransformersNlpEngine
from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import InputError
from pipeline.identity import content_sha, file_sha

ENGINES = ("spacy", "transformers")
"""Presidio's other engines fetch what they lack, or find nothing."""
LANGUAGE = "en"


class EngineRecognizer(EntityRecognizer):
    """Hands on what an NLP engine finds. Text by text, so that a text's findings do not depend on what stands beside it.

    Presidio's SpacyRecognizer, which does it for the engine that an analyzer runs on, cannot be in one that runs on another engine.
    """

    def __init__(self, engine: NlpEngine) -> None:
        super().__init__(sorted(engine.get_supported_entities()), name=engine.engine_name)
        self.engine = engine

    def load(self) -> None:
        """Nothing to load: the engine has the model."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:
        found = self.engine.process_text(text, LANGUAGE)
        return [
            RecognizerResult(one.label_, one.start_char, one.end_char, score)
            for one, score in zip(found.entities, found.scores, strict=True)
            if one.label_ in entities
        ]


def recognizers(conf_file: str | None, entities: Collection[str]) -> list[EntityRecognizer]:
    """The recognizers that `conf_file` configures; none where it is None.

    Raises InputError where it is not there or not Presidio's, where a package or model is not installed, or where none of `entities`
    is among what they find.
    """
    if conf_file is None:
        return []
    conf = _read(conf_file)
    try:
        found = _of_engine(conf_file, conf) if "nlp_engine_name" in conf else _of_registry(conf_file)
    except ImportError as error:
        extra = "gliner" if "gliner" in str(error).lower() else "transformers"
        raise InputError(f"{conf_file}: {error}; {_install(extra)}") from None
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise InputError(f"{conf_file}: {(str(error).splitlines() or [type(error).__name__])[0]}; see Presidio's documentation") from None
    kinds = {kind for recognizer in found for kind in recognizer.supported_entities}
    if not kinds & set(entities):
        raise InputError(
            f"{conf_file}: finds {', '.join(sorted(kinds)) or 'nothing'}, and anonymize.entities names none of it; map its labels to"
            " types that are there (model_to_presidio_entity_mapping, or entity_mapping)"
        )
    return found


def _read(conf_file: str) -> dict[str, Any]:
    try:
        conf = YAML(typ="safe").load(Path(conf_file))
    except OSError as error:
        raise InputError(f"params.yaml: anonymize.nlp_engine: {conf_file}: cannot be read ({error.strerror})") from None
    except YAMLError:
        raise InputError(f"{conf_file}: not YAML") from None
    if not isinstance(conf, dict) or not {"nlp_engine_name", "recognizers"} & conf.keys():
        raise InputError(f"{conf_file}: expected a configuration of Presidio's, with nlp_engine_name and models, or with recognizers")
    return conf


def _of_engine(conf_file: str, conf: dict[str, Any]) -> list[EntityRecognizer]:
    name = conf["nlp_engine_name"]
    if name not in ENGINES:
        raise InputError(f"{conf_file}: nlp_engine_name: {name}: expected {' or '.join(ENGINES)}")
    if name == "transformers" and not TransformersNlpEngine.is_available:
        raise InputError(f"{conf_file}: transformers is not installed; {_install('transformers')}")
    for model in _spacy_models(conf):
        if not _is_here(model):
            raise InputError(f"{conf_file}: the spaCy model {model} is not installed; run 'python -m spacy download {model}'")
    engine = NlpEngineProvider(conf_file=conf_file).create_engine()
    if LANGUAGE not in engine.get_supported_languages():
        raise InputError(f"{conf_file}: models: none with lang_code: {LANGUAGE}")
    return [EngineRecognizer(engine)]


def _of_registry(conf_file: str) -> list[EntityRecognizer]:
    return list(RecognizerRegistryProvider(conf_file=conf_file).create_recognizer_registry().recognizers)


def _spacy_models(conf: dict[str, Any]) -> list[str]:
    """The spaCy models of an engine's configuration. Presidio would fetch one that is not there."""
    named = [model.get("model_name") for model in conf.get("models") or () if isinstance(model, dict)]
    return [str(name.get("spacy") if isinstance(name, dict) else name) for name in named]


def _is_here(model: str) -> bool:
    return spacy.util.is_package(model) or Path(model).exists()


def _install(extra: str) -> str:
    return f"run 'python -m pip install \"presidio-analyzer[{extra}]\"', and add it to pyproject.toml"


def fingerprint(conf_file: str | None) -> str:
    """Changes with the file and with the models that it names, as far as their versions tell; empty for None."""
    if conf_file is None:
        return ""
    models = [_version(model) for model in _spacy_models(_read(conf_file)) if _is_here(model)]
    return content_sha([file_sha(Path(conf_file)), models])


def _version(model: str) -> str:
    if spacy.util.is_package(model):
        return importlib.metadata.version(model)
    return content_sha([file_sha(path) for path in sorted(Path(model).rglob("*")) if path.is_file()])
