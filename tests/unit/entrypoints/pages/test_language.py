import pytest

from entrypoints.http.pages.language import preferred


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "id"),
        ("id", "id"),
        ("id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7", "id"),
        ("in", "id"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("en-US,en;q=0.9,id;q=0.8", "en"),
        ("en;q=0.5, id;q=0.6", "id"),
        ("en;q=0.6,id;q=0.5", "en"),
        ("en;q=0.5,id;q=0.5", "en"),
        ("id;q=0.5,en;q=0.5", "id"),
        ("de-DE,de;q=0.9,en;q=0.8", "en"),
        ("ja", "id"),
        ("*", "id"),
        ("en;q=0", "id"),
        ("en;q=0.000,id;q=0.1", "id"),
        (" en ; q=0.9 , de", "en"),
        ("en;q=nonsense", "id"),
        ("en;q=9", "id"),
        ("en;q=-1", "id"),
        ("en;q=nan", "id"),
        ("en;q=inf", "id"),
        ("en;level=1", "id"),
        (";;;,,,==", "id"),
        ("english", "id"),
        ("en_US", "id"),
        ("e" * 100_000, "id"),
        ("en," * 20_000, "en"),
    ],
)
def test_the_language_is_the_one_of_ours_that_is_liked_best(accept: str, language: str) -> None:
    assert preferred(accept) == language
