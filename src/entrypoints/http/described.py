from msgspec import UNSET, Meta


def described(description: str, example: object = UNSET, **more: object) -> Meta:
    """What the API document says of a field; ``more`` is documented only, not checked by the decoder."""
    examples = None if example is UNSET else [example]
    return Meta(description=description, examples=examples, extra_json_schema=more or None)
