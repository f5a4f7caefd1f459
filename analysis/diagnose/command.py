"""The words of `python -m analysis.diagnose`, and what becomes of them."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from analysis.diagnose.refusal import Refusal, one_of, refuse

# The rest is imported late: --help and refused words should be answered before NumPy is there.
if TYPE_CHECKING:
    from analysis.diagnose.read import Given

SUFFIXES = (".npz", ".csv", ".parquet")
PICTURES = (".pdf", ".png", ".svg")
EXIT_CODES = """\
exit codes: 0 a verdict, whichever it is; 2 bad input, after one line that says what; 130 interrupted.

An .npz file holds the arrays targets and predictions, (n,) or (n, d), and may hold train_targets and train_predictions.
In the column of --split, train, training, fit and seen are training rows; test, testing, unseen, holdout, val,
valid, validation and dev are others, on which the verdict is; capitals do not matter."""


class Parser(argparse.ArgumentParser):
    """Refuses in one line, with the option that is nearest."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        if "required: FILE" in message:
            message = "FILE is missing; it comes before the options that take several words"
        raise Refusal(message)


def parser() -> Parser:
    """The options, and the help."""
    result = Parser(
        "python -m analysis.diagnose",
        description="Why does this regression predict (nearly) a constant? One verdict a coordinate.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = result.add_argument
    add("file", metavar="FILE", help="ends in .npz, .csv or .parquet; - is CSV on standard input")
    for option in ("target", "prediction"):
        add(f"--{option}", metavar="COLUMN", nargs="+", action="extend", help=f"a table's {option}s, in one order")
    add("--split", metavar="COLUMN", help="a table's column that tells training rows from others")
    add("--bayes-r2", metavar="R2", nargs="+", type=_r2, help="the best possible R2, one or one a coordinate")
    add("--json", action="store_true", help="print a list with a dictionary for each coordinate")
    add("--plot", metavar="PICTURE", help="draw predicted against true; ends in .pdf, .png or .svg")
    return result


def main(words: Sequence[str] | None = None) -> int:
    """Print the verdicts; returns the exit code."""
    try:
        _print(_answer(_read_words(sys.argv[1:] if words is None else words)))
    except BrokenPipeError:
        _silence()  # whoever read has enough
    except (Refusal, ValueError, MemoryError) as error:
        print("analysis.diagnose:", " ".join(str(error).split()) or "not enough memory", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("analysis.diagnose: interrupted", file=sys.stderr)
        return 130
    return 0


def _answer(arguments: argparse.Namespace) -> str:
    from analysis.collapse import conclude
    from analysis.diagnose import report
    from analysis.diagnose.read import read

    given: Given = read(arguments)
    verdicts = conclude(given.test, given.train, arguments.bayes_r2, given.predicted)
    if arguments.plot:
        from analysis.diagnose.picture import draw

        draw(Path(arguments.plot), given, verdicts)
    return (report.as_json if arguments.json else report.as_text)(given, verdicts)


def _print(text: str) -> None:
    # A column's name may be more than the terminal can show.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _silence()
        raise Refusal(f"standard output: cannot be written: {error.strerror}") from None


def _silence() -> None:
    """Python flushes once more while it ends, to where that cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _read_words(words: Sequence[str]) -> argparse.Namespace:
    known = parser()
    arguments, unknown = known.parse_known_args(words)
    if unknown:
        if not unknown[0].startswith("-"):
            refuse("FILE", f"a second one, {unknown[0]!r},", "one file")
        one_of("option", unknown[0].partition("=")[0], [*known._option_string_actions])
    if arguments.bayes_r2 is not None and len(arguments.bayes_r2) == 1:
        arguments.bayes_r2 = arguments.bayes_r2[0]
    if arguments.file != "-" and Path(arguments.file).suffix.lower() not in SUFFIXES:
        refuse(
            "FILE", repr(arguments.file), "a name that ends in .npz, .csv or .parquet, or - for CSV on standard input"
        )
    if arguments.plot:
        _check_picture(Path(arguments.plot))
    return arguments


def _r2(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not -math.inf < value <= 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not allowed; it must be a number of at most 1")
    return value


def _check_picture(path: Path) -> None:
    if path.suffix.lower() not in PICTURES:
        refuse("--plot", repr(str(path)), "a name that ends in .pdf, .png or .svg")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        refuse("--plot", repr(str(path)), "a file in a folder that exists and that can be written to")
