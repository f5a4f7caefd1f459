"""The command line: what its table says, and how it refuses bad input."""

import re
import subprocess
import sys

import numpy as np
import pytest

from analysis import exact

NUMBER = re.compile(r"-?\d+\.\d+")


def rows(capsys, *arguments):
    """The numbers of each row: ramp, minimum norm, LMMSE, Bayes (and error), I (and error), H."""
    exact.main(arguments)
    lines = capsys.readouterr().out.splitlines()
    return {line[2]: [float(text) for text in NUMBER.findall(line)] for line in lines if line.startswith("│")}


@pytest.mark.parametrize("flag", ["--box-size", "--box_size"])
def test_the_readmes_example(capsys, flag):
    table = rows(capsys, "--height", "32", "--width", "32", flag, "5", "--noise", "white", "--noise-level", "1",
                 "--samples", "2000")  # fmt: skip
    # From dense solves and a separate Monte Carlo; 2,000 samples leave R2 a standard error of .003 and I one of .013.
    _, minimum_norm, lmmse, bayes, error, information, _, entropy = table["x"]
    assert minimum_norm == pytest.approx(-1.116, abs=1e-3)
    assert lmmse == pytest.approx(0.377, abs=5e-4)
    assert bayes == pytest.approx(0.967, abs=0.015)
    assert 0.001 < error < 0.01
    assert 5.8 < information < entropy == pytest.approx(2 * np.log(28), abs=1e-4)


def test_x_is_the_first_row_and_the_ramp_its_first_number(capsys):
    table = rows(capsys, "--height", "6", "--width", "9", "--box-size", "2", "--noise", "white", "--noise-level", "0.2",
                 "--samples", "50")  # fmt: skip
    for name, size, other in (("x", 9, 6), ("y", 6, 9)):
        coordinate = (2 * np.arange(size) + 1) / size - 1
        variance = (2 / size) ** 2 * ((size - 1) ** 2 - 1) / 12
        noise = 0.2**2 * other * np.sum(coordinate**2) / 2**4
        assert table[name][0] == pytest.approx(1 - noise / variance, abs=1e-4)


def test_without_noise_everything_is_perfect_and_nothing_is_sampled(capsys):
    table = rows(capsys, "--height", "5", "--width", "7", "--box-size", "2")
    entropy = pytest.approx(np.log(4 * 6), abs=1e-4)
    assert table == {"x": [1.0, 1.0, 1.0, 1.0, entropy, entropy], "y": [1.0, 1.0, 1.0, 1.0]}


def test_a_coordinate_with_one_position_is_called_constant(capsys):
    exact.main(["--height", "9", "--width", "4", "--box-size", "4"])
    x, y = (line for line in capsys.readouterr().out.splitlines() if line.startswith("│"))
    assert x.count("constant") == 4
    assert "constant" not in y


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--heigth", "3"], r"'--heigth' is not one; did you mean --height\?"),
        (["--margin-lift", "3"], r"did you mean --margin_left\?"),
        (["--sample", "3"], r"did you mean --samples\?"),
        (["--height", "x"], "--height: invalid literal .*'x'; expected --height INT"),
        (["--height"], "Missing value.*--height"),
        (["32"], "'32' is not one; --help names them all"),
        (["--box-size", "40"], "box_size: 40 is not allowed; it must be at most 16"),
        (["--noise", "pink"], "'pink'; allowed: none, white, salt_pepper"),
        (["--noise-level", "nan"], "noise_level: nan is not allowed"),
        (["--samples", "1"], "samples: 1 is not allowed; it must be at least 2"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, arguments, message):
    assert exact.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.search(message, err)


def test_help_names_every_option_and_loads_nothing_heavy():
    program = (
        "import sys, analysis.exact as exact\n"
        "try: exact.main(['--help'])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "assert not {'jax', 'scipy', 'sklearn', 'numpy'} & set(sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for option in ("--height", "--box_size", "--noise_level", "--margin_top", "--samples", "--seed"):
        assert option in result.stdout
