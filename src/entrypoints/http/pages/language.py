"""Which of the two languages a browser asks for."""

from enum import StrEnum


class Language(StrEnum):
    INDONESIAN = "id"
    ENGLISH = "en"


def preferred(accept: str) -> Language:
    """The language of ours that an ``Accept-Language`` header likes best; Indonesian if it names none."""
    best, quality = Language.INDONESIAN, 0.0
    for wish in accept.split(","):
        tag, _, weight = wish.partition(";")
        language = _LANGUAGES.get(tag.strip().lower().partition("-")[0])
        # Of two that are liked as much, the one that is named first.
        if language is not None and _quality(weight) > quality:
            best, quality = language, _quality(weight)
    return best


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip().lower() == "q" and 0 <= float(value) <= 1 else 0.0
    except ValueError:
        return 0.0


_LANGUAGES = {
    "id": Language.INDONESIAN,
    # What it was called before 1989, and still is by old Java.
    "in": Language.INDONESIAN,
    "en": Language.ENGLISH,
}
