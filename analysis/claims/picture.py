"""A claim's comparisons as a strip of dots and intervals, in few lines of SVG: a page holds dozens of them.

Nothing rests on colour: a filled dot says true, a hollow one false, a cross undecided, and the word stands beside it.
Colours and widths of lines are the page's own, in page.css.
"""

import math
import textwrap
from collections.abc import Sequence

from markupsafe import Markup

from analysis.claims.claim import Direction
from analysis.claims.statistics import STATISTICS
from analysis.claims.telling import ANSWERS
from analysis.claims.verdicts import Outcome, by_setting

WIDTH = 320
"""Of the drawing, in its own units: on the smallest phones one is about a pixel."""
MIDDLE, HALF = WIDTH / 2, 140
LINE, STRIP, GAP, AXIS = 13, 20, 7, 16
"""Heights: of a line of text, of what is drawn below a label, after a setting's name, of the numbers at the bottom."""
LETTERS, WIDE = 40, 48
"""On a line of a label, which leaves room for the answer, and of a setting's name: even in a wide font they fit."""
MOST = 2.0
"""No two R2 differ by more, since everything below -1 counts as -1."""


def strip(outcomes: Sequence[Outcome], words: str) -> Markup:
    """The comparisons of a claim, one below the other, setting by setting; nothing where none has been run.

    Args:
        words: what a screen reader says in its place.
    """
    if all(each.found is None for each in outcomes):
        return Markup("")
    end, parts, top = limit(outcomes), [], 0.0
    for title, own in by_setting(outcomes):
        lines = textwrap.wrap(title, WIDE)
        parts += [_text("setting", 0, top + LINE * place, line) for place, line in enumerate(lines, 1)]
        top += LINE * len(lines) + GAP
        for each in own:
            part, height = _row(each, end, top)
            parts.append(part)
            top += height
    share = STATISTICS[outcomes[0].placed.statistic].rate
    for value in (-end, 0.0, end):
        said = f"{100 * value:g}%" if share else f"{value:g}"
        parts.append(_text("axis", position(value, end), top + LINE, said, "middle"))
    head = Markup('<svg class="strip" viewBox="0 0 {} {:g}" role="img" aria-label="{}">')
    return head.format(WIDTH, top + AXIS, words) + Markup("\n").join(parts) + Markup("</svg>")


def limit(outcomes: Sequence[Outcome]) -> float:
    """The difference at both ends of the scale: 1 of shares, that figures can be compared; else what is needed."""
    if all(STATISTICS[each.placed.statistic].rate for each in outcomes):
        return 1.0
    numbers = [abs(float(value)) for each in outcomes for value in each.found or ()]
    needed = max([value for value in numbers if math.isfinite(value)] + [2 * each.placed.margin for each in outcomes])
    power = 10.0 ** math.floor(math.log10(needed))
    return min(MOST, next(step * power for step in (1, 2, 5, 10) if step * power >= needed * (1 - 1e-9)))


def position(value: float, end: float) -> float:
    """Where a difference is drawn; what lies beyond an end of the scale, there."""
    return MIDDLE + HALF * min(max(value / end, -1.0), 1.0)


def matters_not(direction: Direction, margin: float) -> tuple[float, float]:
    """The differences of which either answer is right; of "equal", those that are too small to matter."""
    return {"more": (0.0, margin), "less": (-margin, 0.0), "equal": (-margin, margin)}[direction]


def _row(outcome: Outcome, end: float, top: float) -> tuple[Markup, float]:
    comparison = outcome.placed.comparison
    label = f"its reason: {comparison.condition}" if outcome.placed.reason else comparison.condition
    lines = textwrap.wrap(label, LETTERS) or [""]
    parts = [_text("label", 0, top + LINE * place - 2, line) for place, line in enumerate(lines, 1)]
    said = "not run" if outcome.found is None else ANSWERS[outcome.answer]
    parts.append(_text("answer", WIDTH, top + LINE - 2, said, "end"))
    height = LINE * len(lines) + STRIP
    middle = top + height - STRIP / 2 - 1
    left, right = (position(value, end) for value in matters_not(comparison.direction, outcome.placed.margin))
    parts.append(_made("rect", "margin", x=left, y=middle - 7, width=right - left, height=14))
    parts.append(_made("line", "scale", x1=MIDDLE - HALF, x2=MIDDLE + HALF, y1=middle, y2=middle))
    parts.append(_made("line", "zero", x1=MIDDLE, x2=MIDDLE, y1=middle - 8, y2=middle + 8))
    if outcome.found is not None:
        value, low, high = (float(each) for each in outcome.found)
        parts.append(
            _made("line", "interval", x1=position(low, end), x2=position(high, end), y1=middle, y2=middle),
        )
        parts += [_end(edge, sign, end, middle) for edge, sign in ((low, -1), (high, 1))]
        parts.append(_mark(outcome.answer, position(value, end), middle))
    inside = Markup("").join(parts)
    return Markup('<g class="row" data-answer="{}">{}</g>').format(said, inside), height


def _end(edge: float, sign: int, end: float, middle: float) -> Markup:
    """Of an interval: a stop, or a tip where it goes on beyond the scale."""
    x = position(edge, end)
    if abs(edge) <= end:
        return _made("line", "interval", x1=x, x2=x, y1=middle - 3, y2=middle + 3)
    return Markup('<path class="beyond" d="M{:g} {:g}l{:g} 4l{:g} 4z"/>').format(x, middle - 4, 6 * sign, -6 * sign)


def _mark(answer: str, x: float, y: float) -> Markup:
    if answer:
        return _made("circle", answer, cx=x, cy=y, r=4.5)
    return Markup('<path class="undecided" d="M{} {:g}l9 9m0 -9l-9 9"/>').format(_short(x - 4.5), y - 4.5)


def _made(tag: str, kind: str, **numbers: float) -> Markup:
    said = Markup(" ").join(Markup('{}="{}"').format(name, _short(value)) for name, value in numbers.items())
    return Markup('<{} class="{}" {}/>').format(tag, kind, said)


def _short(value: float) -> str:
    """To a hundredth of a unit, which nobody sees."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _text(kind: str, x: float, y: float, words: str, anchor: str = "start") -> Markup:
    made = Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>')
    return made.format(kind, _short(x), _short(y), anchor, words)
