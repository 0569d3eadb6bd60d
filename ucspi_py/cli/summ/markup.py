"""Elements of a page. Whatever is put into one is escaped; only what is an element itself is not."""

import html


class Markup(str):
    """Text that is HTML already. Made by element() and document() alone."""

    __slots__ = ()


def element(name: str, /, *inside: str, **attributes: str | int | float) -> Markup:
    """Make an element. inside: texts, and other elements. attributes: ``class_`` is class, and _ stands for -."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{said}>{joined(*inside)}</{name}>")


def empty(name: str, /, **attributes: str | int | float) -> Markup:
    """Make an element that has no end, as meta."""
    return Markup(element(name, **attributes).removesuffix(f"</{name}>"))


def joined(*parts: str) -> Markup:
    """Put texts and elements one behind the other."""
    return Markup("".join(one if isinstance(one, Markup) else html.escape(one) for one in parts))


def style(sheet: str) -> Markup:
    """Make the element of a style sheet of ours: what is in it cannot be escaped."""
    return Markup(f"<style>{sheet}</style>")


def document(head: Markup, body: Markup) -> str:
    """Make a whole page."""
    return f'<!DOCTYPE html>\n<html lang="en">{head}{body}</html>\n'
