"""Tables as drawings: SVG with attributes alone, as the page's policy has no place for styles in elements."""

from ...core.summary.tables import Cell, Table
from .markup import Markup, element, joined

#: Of each part of a bar: mail and refusals, alone and together.
COLOURS = ("#2a78b5", "#e0913a")
_INK, _LINES = "#444", "#ddd"
#: Pixels: of a plot, of the space for its numbers and its names, and of a bar in a table.
_WIDTH, _HEIGHT, _LEFT, _BELOW = 960, 240, 70, 34
_BAR, _THICK = 180, 14
#: Names under a plot, and lines across it.
_NAMES, _STEPS = 8, 4
#: Pixels of half a name.
_HALF = 50


def columns(table: Table) -> Markup:
    """Draw the rows of a table as columns, each part upon the other."""
    parts = [_parts(table, row) for row in table.rows]
    top = _round(max((sum(one) for one in parts), default=0))
    room = (_WIDTH - _LEFT) / max(len(parts), 1)
    drawn = [_scale(top), *(_column(one, _LEFT + room * at, room, top) for at, one in enumerate(parts))]
    every = -(-len(parts) // _NAMES)
    named = [
        _text(str(table.rows[at][0]), _LEFT + room * (at + 0.5), _HEIGHT + 18, "middle")
        for at in range(0, len(parts), max(every, 1))
        if room * (at + 0.5) < _WIDTH - _LEFT - _HALF
    ]
    height = _HEIGHT + _BELOW
    return element(
        "svg", *drawn, *named, viewBox=f"0 0 {_WIDTH} {height}", role="img", aria_label=table.title, class_="plot"
    )


def bar(table: Table, row: tuple[Cell, ...], highest: float) -> Markup:
    """Draw one row. highest: of all rows."""
    drawn, at = [], 0.0
    for part, colour in zip(_parts(table, row), COLOURS, strict=False):
        width = _BAR * part / (highest or 1)
        drawn.append(element("rect", x=round(at, 1), y=1, width=round(width, 1), height=_THICK - 2, fill=colour))
        at += width
    return element("svg", *drawn, width=_BAR, height=_THICK, aria_hidden="true")


def highest(table: Table) -> float:
    """Tell how long the longest bar is."""
    return max((sum(_parts(table, row)) for row in table.rows), default=0.0)


def legend(table: Table) -> Markup:
    """Name the parts of the bars."""
    keys = []
    for column, colour in zip(table.bars, COLOURS, strict=False):
        square = element("svg", element("rect", width=10, height=10, fill=colour), width=10, height=10)
        keys.append(element("span", square, f" {table.headings[column]}", class_="key"))
    return joined(*keys)


def _column(parts: list[float], left: float, room: float, top: float) -> Markup:
    drawn, y = [], float(_HEIGHT)
    for part, colour in zip(parts, COLOURS, strict=False):
        height = (_HEIGHT - 20) * part / top
        y -= height
        x, width = round(left + room * 0.1, 1), round(room * 0.8, 1)
        drawn.append(element("rect", x=x, y=round(y, 1), width=width, height=round(height, 1), fill=colour))
    return joined(*drawn)


def _scale(top: float) -> Markup:
    """The lines across a plot, with their numbers."""
    drawn = []
    for step in range(_STEPS + 1):
        y = round(_HEIGHT - (_HEIGHT - 20) * step / _STEPS, 1)
        drawn.append(element("line", x1=_LEFT, x2=_WIDTH, y1=y, y2=y, stroke=_LINES))
        drawn.append(_text(f"{top * step / _STEPS:,.0f}", _LEFT - 8, y + 4, "end"))
    return joined(*drawn)


def _text(text: str, x: float, y: float, anchor: str) -> Markup:
    return element("text", text, x=round(x, 1), y=round(y, 1), text_anchor=anchor, font_size=12, fill=_INK)


def _parts(table: Table, row: tuple[Cell, ...]) -> list[float]:
    cells = (row[column] for column in table.bars)
    return [0.0 if isinstance(cell, str) else float(cell) for cell in cells]


def _round(number: float) -> float:
    """The next number that four lines divide evenly: 4, 8, 20, 40, 80, 200 and so on."""
    power = 4
    while True:
        for factor in (1, 2, 5):
            if number <= power * factor:
                return float(power * factor)
        power *= 10
