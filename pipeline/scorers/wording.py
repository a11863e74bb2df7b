"""Whether a text says a phrase: regardless of case, blanks, typographic signs and emphasis, and as whole words."""

import re
import unicodedata
from functools import lru_cache

SAME = str.maketrans(
    dict.fromkeys("‘’‚‛′`´", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", "")
)
LETTER = r"[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
"""A letter or digit of a script that parts words by blanks, or whose words do not grow into each other."""
NO_LONGER_NUMBER = r"(?!,\d)(?!\.(?!0{1,2}(?!\d))\d)"
"""$49 is not in $49.99 nor in $49,000, and is in $49.00."""

PARTING = re.compile(r"(?!(?<=\d)[.,](?=\d))(?!(?<![\w-])-(?=[$€£]?\d))[^\w\s%$€£°+=<>]|_")
"""Signs that carry no meaning. 4.95 stays apart from 495, -5 from 5, and 5% from 5."""


def normalised(text: str) -> str:
    """`text` in one case, one kind of quotes, dashes and blanks, without Markdown's emphasis."""
    plain = unicodedata.normalize("NFKC", text).translate(SAME).casefold()
    return " ".join(plain.replace("**", "").replace("__", "").split())


def without_punctuation(text: str) -> str:
    """`text` normalised, and without the signs that only part or close: a decimal's, a sign before a number and `%` stay."""
    return " ".join(PARTING.sub(" ", normalised(text)).split())


def says(text: str, phrase: str) -> bool:
    """Whether the normalised `text` holds `phrase` as whole words. Raises ValueError for a phrase of nothing."""
    return _pattern(phrase).search(text) is not None


@lru_cache(maxsize=20_000)
def _pattern(phrase: str) -> re.Pattern[str]:
    wanted = normalised(phrase).strip()
    if not wanted:
        raise ValueError("a phrase is empty")
    before = after = ""
    if re.match(LETTER, wanted[0]):
        before = rf"(?<!{LETTER})" + (r"(?<!\d[.,])" if wanted[0].isdigit() else "")
    if re.match(LETTER, wanted[-1]):
        after = rf"(?!{LETTER})" + (NO_LONGER_NUMBER if wanted[-1].isdigit() else "")
    return re.compile(before + re.escape(wanted) + after)
