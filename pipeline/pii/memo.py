"""What was worked out for the latest texts, in bounded memory: chats and templated answers repeat themselves.

What is forgotten is worked out again, so the size of a memo changes how long something takes and never what comes out.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Generic, TypeVar

V = TypeVar("V")


class Memo(Generic[V]):
    """The `size` entries that were asked for last, and whatever came since the last `trim`: a batch does not lose what it is
    working on."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: OrderedDict[str, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, text: str) -> bool:
        return text in self._kept

    def __getitem__(self, text: str) -> V:
        """Raises KeyError for a text that is not kept."""
        self._kept.move_to_end(text)
        return self._kept[text]

    def update(self, worked_out: Iterable[tuple[str, V]]) -> None:
        self._kept.update(worked_out)

    def trim(self) -> None:
        while len(self._kept) > self.size:
            self._kept.popitem(last=False)
