import rich_click as click

_LONGEST = 500


class Note(click.ParamType[str]):
    """What a person leaves for the next one: a line that any database and terminal can take."""

    name = "note"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not (1 <= len(value) <= _LONGEST and value.isprintable()):
            self.fail(f"it must be 1 to {_LONGEST} printable characters", param, ctx)
        return value
