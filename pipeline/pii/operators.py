"""The Presidio operator that puts placeholders into a text. Apart from what numbers them, since importing Presidio takes seconds."""

from typing import Any

from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.operators import Operator, OperatorType


class Placeholder(Operator):
    """Replaces a finding by the placeholder that `params["names"]` holds for its type and text."""

    def operate(self, text: str, params: dict[str, Any]) -> str:
        return str(params["names"][params["entity_type"], text])

    def validate(self, params: dict[str, Any] | None = None) -> None:
        """Everything in `params` is the pipeline's own."""

    def operator_name(self) -> str:
        return "placeholder"

    def operator_type(self) -> OperatorType:
        return OperatorType.Anonymize


anonymizer = AnonymizerEngine()
anonymizer.add_anonymizer(Placeholder)
