"""What strangers wrote, made fit to be looked at: it steers no terminal and begins no line of its own."""


def printable(text: str) -> str:
    """The text on one line, with ``?`` for every control and whatever turns text around."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def printable_lines(text: str) -> str:
    """The same for a text of several lines, whose own ends of lines stay."""
    return "\n".join(printable(line) for line in text.split("\n"))


def printable_json(text: str) -> str:
    """JSON that says the same, with every character that is not a printed one as an escape."""
    return "\n".join(
        line if line.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in line)
        for line in text.split("\n")
    )


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
