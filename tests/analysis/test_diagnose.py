"""The command that diagnoses anyone's predictions: every way in gives what `diagnose` says, every refusal is one line."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.collapse import KINDS, diagnose
from analysis.diagnose import archive, command, read, report, tables

ROOT = Path(__file__).parents[2]
KEYS = ["coordinate", "kind", "constant_at", "r2", "variance_ratio", "correlation", "bias", "information", "advice"]
COLUMNS = "--target x y --prediction x_hat y_hat".split()
N = 300
RANDOM = np.random.default_rng(0)
TARGETS = RANDOM.uniform(0, 32, (N, 2))
PREDICTIONS = np.stack([np.full(N, 15.5), TARGETS[:, 1] + RANDOM.standard_normal(N)], 1)
SPLIT = RANDOM.choice(["train", "Test ", "VAL"], N)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(np.hstack([TARGETS, PREDICTIONS]), columns=["x", "y", "x_hat", "y_hat"])
    frame.insert(0, "name", [f"image, {number}" for number in range(N)])
    frame["split"] = SPLIT
    frame.to_csv("table.csv", index=False)
    frame.to_parquet("table.parquet")
    np.savez("arrays.npz", targets=TARGETS, predictions=PREDICTIONS)
    return tmp_path


def answer(capsys, *words, code=0):
    assert command.main([str(word) for word in words]) == code
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return printed.err if code else printed.out


def parsed(capsys, *words):
    return json.loads(answer(capsys, *words, "--json"))


def equal(found, expected):
    assert [list(one) for one in found] == [KEYS] * len(expected)
    for one, verdict in zip(found, expected, strict=True):
        for key in KEYS[1:]:
            value = getattr(verdict, key)
            # A CSV file has all digits of a float64, but the moments of other blocks round otherwise.
            assert one[key] == (pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value)


def test_every_way_in_says_what_diagnose_says(folder, capsys, monkeypatch):
    expected = diagnose(TARGETS, PREDICTIONS)
    equal(parsed(capsys, "arrays.npz"), expected)
    for name in ("table.csv", "table.parquet"):
        found = parsed(capsys, name, *COLUMNS)
        equal(found, expected)
        assert [one["coordinate"] for one in found] == ["x", "y"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((folder / "table.csv").read_bytes())))
    equal(parsed(capsys, "-", *COLUMNS), expected)
    # Another order of the columns, and each by itself.
    swapped = parsed(capsys, "table.csv", *"--target y --target x --prediction y_hat x_hat".split())
    assert [one["kind"] for one in swapped] == [one.kind for one in expected[::-1]]
    assert [one["coordinate"] for one in parsed(capsys, "arrays.npz")] == [0, 1]


def test_the_split_tells_training_rows_from_others(folder, capsys):
    train = SPLIT == "train"
    expected = diagnose(TARGETS[~train], PREDICTIONS[~train], TARGETS[train], PREDICTIONS[train])
    for name in ("table.csv", "table.parquet"):
        equal(parsed(capsys, name, *COLUMNS, "--split", "split"), expected)
    arrays = {"targets": TARGETS[~train], "predictions": PREDICTIONS[~train], "train_targets": TARGETS[train]}
    np.savez("both.npz", train_predictions=PREDICTIONS[train], **arrays)
    equal(parsed(capsys, "both.npz"), expected)
    np.savez("targets.npz", **arrays)
    equal(parsed(capsys, "targets.npz"), diagnose(TARGETS[~train], PREDICTIONS[~train], TARGETS[train]))
    assert "beside 91 training targets" in answer(capsys, "targets.npz").replace(str(train.sum()), "91")
    assert not read.TRAIN & read.TEST


def test_blocks_and_orders_do_not_matter(folder, capsys, monkeypatch):
    expected = diagnose(TARGETS, PREDICTIONS)
    for module in (archive, tables):
        monkeypatch.setattr(module, "NUMBERS", 40)
    for order in "CF":
        for save in (np.savez, np.savez_compressed):
            save("order.npz", targets=np.asarray(TARGETS, order=order), predictions=np.asarray(PREDICTIONS, order="C"))
            equal(parsed(capsys, "order.npz"), expected)
    for name in ("table.csv", "table.parquet"):
        equal(parsed(capsys, name, *COLUMNS), expected)


@pytest.mark.parametrize("kind", ["f2", "f4", ">f8", "i1", "u8", "?"])
def test_types_of_arrays(kind, folder, capsys):
    targets, predictions = (10 * RANDOM.random((2, 50))).astype(kind)
    if kind == "?":
        targets, predictions = RANDOM.random((2, 50)) < 0.5
    np.savez("typed.npz", targets=targets, predictions=predictions[:, None])
    equal(parsed(capsys, "typed.npz"), diagnose(targets, predictions))


def test_bayes_r2(folder, capsys):
    assert [one["kind"] for one in parsed(capsys, "arrays.npz", "--bayes-r2", "0.01", "0.9")] == ["noise-limited"] * 2
    assert [one["kind"] for one in parsed(capsys, "arrays.npz", "--bayes-r2", "1")] == ["dead", "none"]


def test_the_text_has_everything_and_fits_a_terminal(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    text = answer(capsys, "table.csv", *COLUMNS)
    first, second = diagnose(TARGETS, PREDICTIONS)
    flat = " ".join(text.split())
    assert flat.startswith("table.csv: 300 pairs x: dead, constant 15.5 at the targets' mean One constant")
    assert f"y: {second.kind}" in flat
    assert f"R2 {second.r2:.4g}" in flat
    assert first.advice in flat
    assert second.advice in flat
    assert max(map(len, text.splitlines())) <= 60
    assert text.isascii()
    assert set(report.PLACES) >= {"mean", "median", "zero", "minimum", "maximum", "elsewhere"}


def test_names_beyond_ascii(folder, capsys):
    pd.DataFrame({"größe": TARGETS[:, 0], "ŷ": PREDICTIONS[:, 1]}).to_csv(
        "names.csv", index=False, encoding="utf-8-sig"
    )
    assert parsed(capsys, "names.csv", "--target", "größe", "--prediction", "ŷ")[0]["coordinate"] == "größe"
    done = run("names.csv", "--target", "größe", "--prediction", "ŷ", environment={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "gr\\xf6\\xdfe: jitter" in done.stdout


BAD = {
    "": "FILE is missing",
    "nothing.npz": "FILE: there is no 'nothing.npz'",
    "nothing.csv --target x --prediction y": "FILE: there is no 'nothing.csv'",
    "notes.txt": "FILE: 'notes.txt' is not allowed; it must be a name that ends in .npz, .csv or .parquet, or -",
    "arrays.npz more.npz": "FILE: a second one, 'more.npz', is not allowed; it must be one file",
    "arrays.npz --jsno": "option: there is no '--jsno'; did you mean '--json'?",
    "arrays.npz --js": "option: there is no '--js'; did you mean",
    "arrays.npz --bayes-r2 a": "argument --bayes-r2: 'a' is not allowed; it must be a number of at most 1",
    "arrays.npz --bayes-r2 1.1": "argument --bayes-r2: '1.1' is not allowed",
    "arrays.npz --bayes-r2 nan": "argument --bayes-r2: 'nan' is not allowed",
    "arrays.npz --bayes-r2 0 0 0": "bayes_r2 has shape (3,); it must be one number or 2",
    "arrays.npz --target x --prediction y": "--target: ['x'] is not allowed; it must be left out for .npz files",
    "arrays.npz --split x": "--split: x is not allowed; it must be left out",
    "arrays.npz --plot picture.jpg": "--plot: 'picture.jpg' is not allowed; it must be a name that ends in .pdf",
    "arrays.npz --plot no/folder.png": "--plot: 'no/folder.png' is not allowed; it must be a file in a folder",
    "arrays.npz --plot folder.png": "--plot: 'folder.png' is not allowed; it must be a file",
    "table.csv": "columns: 0 of --target and 0 of --prediction is not allowed; it must be one prediction for each",
    "table.csv --target x y --prediction x_hat": "columns: 2 of --target and 1 of --prediction is not allowed",
    "table.csv --target x --prediction": "argument --prediction: expected at least one argument",
    "table.csv --target x --prediction x_hta": "column: there is no 'x_hta'; did you mean 'x_hat'?",
    "table.parquet --target x --prediction x_hta": "column: there is no 'x_hta'; did you mean 'x_hat'?",
    "table.csv --target x --prediction quite": "column: there is no 'quite'; there are 'name', 'x', 'y', 'x_hat'",
    "table.csv --target x --prediction split": "column 'split': '",
    "table.parquet --target x --prediction name": "column 'name': 'image, 0' in row 1 is not allowed; it must be a finite",
    "table.csv --target x --prediction x_hat --split name": "--split name: 'image, 0' is not allowed; it must be one of",
    "table.csv --target x --prediction x_hat --split splat": "column: there is no 'splat'; did you mean 'split'?",
    "--target x --prediction x_hat table.csv": "FILE is missing; it comes before",
    "folder.csv --target x --prediction y": "FILE: 'folder.csv' cannot be read: Is a directory",
}


@pytest.mark.parametrize("words", BAD)
def test_bad_words_are_refused_in_one_line(words, folder, capsys):
    for name in ("folder.csv", "folder.png"):
        Path(name).mkdir()
    one_line(answer(capsys, *words.split(), code=2), BAD[words])


def one_line(error, start):
    assert error.startswith(f"analysis.diagnose: {start}"), error
    assert error.count("\n") == 1
    assert error.endswith("\n")


TEXTS = {
    "": "FILE: empty; it must have a line",
    "x,p\n": "targets has 0 rows; it must have at least 2",
    "x,p\n1,2\n": "targets has 1 row; it must have at least 2",
    "x,p\n1,2\n1,3\n": "targets is 1 in every row of coordinate 0; it must vary",
    "x,p\n1,2\n2,\n": "column 'p': nothing in row 2 is not allowed; it must be a finite number in every row",
    "x,p\n1,2\n2,nan\n": "column 'p': nothing in row 2",
    "x,p\n1,2\n2,inf\n": "column 'p': 'inf' in row 2",
    "x,p\n1,2\n2,1e200\n": "column 'p': '1e+200' in row 2",
    "x,p\n1,2\n2,three\n": "column 'p': 'three' in row 2",
    "x,p\n1,2\n2,1j\n": "column 'p': '1j' in row 2",
    "x,p\n1,2\n2,3,4\n": "FILE: no table: Error tokenizing data. C error: Expected 2 fields in line 2, saw 3",
    "x,p\n1,2,3\n2,3,4\n": "FILE: a first row of 3 fields is not allowed; it must be 2, as in the line of names",
    "x,p,x\n1,2,3\n2,3,4\n": "column: 'x' is not allowed; it must be the name of one column, not of 2",
    'x,p\n1,"2\n': "FILE: no table",
}


@pytest.mark.parametrize("text", TEXTS)
def test_bad_tables_are_refused_in_one_line(text, tmp_path, capsys, monkeypatch):
    words = ["--target", "x", "--prediction", "p"]
    (tmp_path / "table.csv").write_text(text)
    one_line(answer(capsys, tmp_path / "table.csv", *words, code=2), TEXTS[text])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    one_line(answer(capsys, "-", *words, code=2), TEXTS[text])


def test_files_that_are_not_what_they_say(folder, capsys):
    words = ["--target", "x", "--prediction", "y"]
    for name in ("arrays.npz", "table.parquet"):
        whole = Path(name).read_bytes()
        for part in (0, 10, len(whole) // 2, len(whole) - 1):
            Path(f"part-{name}").write_bytes(whole[:part])
            error = answer(capsys, f"part-{name}", *(words if "table" in name else []), code=2)
            one_line(error, "FILE: 'part-")
    for rows in (0, 100_000):  # in the first bytes that are read, and far behind them
        Path("bytes.csv").write_bytes(b"x,y\n" + b"1,2\n" * rows + b"\xff\xfe,1\n")
        one_line(answer(capsys, "bytes.csv", *words, code=2), "FILE: 'bytes.csv' cannot be read: 'utf-8' codec")
    for targets, data in ((TARGETS, TARGETS.tobytes()), (np.asfortranarray(TARGETS), TARGETS.T.tobytes())):
        np.savez("flipped.npz", targets=targets, predictions=PREDICTIONS)
        flipped = bytearray(Path("flipped.npz").read_bytes())
        flipped[flipped.index(data)] ^= 1
        Path("flipped.npz").write_bytes(flipped)
        one_line(answer(capsys, "flipped.npz", code=2), "FILE: 'flipped.npz' cannot be read: Bad CRC-32")


ARRAYS = {
    "array: there is no 'targets'; did you mean 'target'?": {"target": [1, 2], "predictions": [1, 2]},
    "array: there is no 'predictions'; there are 'targets'": {"targets": [1, 2]},
    "predictions: 3 rows; it must have those of targets, 2": {"targets": [1, 2], "predictions": [1, 2, 3]},
    "predictions has shape (2, 2); it must be": {"targets": [1, 2], "predictions": np.ones((2, 2))},
    "predictions is nan in row 1 (from 0), coordinate 0": {"targets": [1, 2], "predictions": [1, np.nan]},
    "targets: type object is not allowed; it must be real numbers; objects and pickles are never loaded": {
        "targets": np.array([1, None]),
        "predictions": [1, 2],
    },
    "targets: type complex128": {"targets": [1j, 2], "predictions": [1, 2]},
    "targets: type <U1": {"targets": ["a", "b"], "predictions": [1, 2]},
    "targets: shape () is not allowed; it must be (n,) or (n, d)": {"targets": 1, "predictions": [1]},
    "targets: shape (1, 1, 2)": {"targets": [[[1, 2]]], "predictions": [[[1, 2]]]},
    "targets: shape (2, 0)": {"targets": np.ones((2, 0)), "predictions": np.ones((2, 0))},
    "targets has 0 rows": {"targets": [], "predictions": []},
    "targets has 1 row": {"targets": [1], "predictions": [1]},
    "targets is 1 in every row of coordinate 0; it must vary": {"targets": [1, 1], "predictions": [1, 2]},
    "train_targets: the file has train_predictions alone": {
        "targets": [1, 2],
        "predictions": [1, 2],
        "train_predictions": [1, 2],
    },
    "train_targets has 2 columns; it must have 1": {
        "targets": [1, 2],
        "predictions": [1, 2],
        "train_targets": [[1, 2], [2, 3]],
    },
}


@pytest.mark.parametrize("message", ARRAYS)
def test_bad_arrays_are_refused_in_one_line(message, tmp_path, capsys):
    np.savez(tmp_path / "bad.npz", **{name: np.asarray(array) for name, array in ARRAYS[message].items()})
    one_line(answer(capsys, tmp_path / "bad.npz", code=2), message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", "targets: not an array of NumPy's format"),
        (b"\x93NUMPY\x09\x00v\x00" + b" " * 200, "targets: not an array of NumPy's format"),
        (b"\x93NUMPY\x01\x00\x50\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (10,), }".ljust(79) + b"\n" + b"0" * 79,
         "targets: the file ends before its shape, (10,), is filled"),
        (b"\x93NUMPY\x01\x00\x50\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (10,), }".ljust(79) + b"\n" + b"0" * 81,
         "targets: more bytes than its shape"),
        (b"\x93NUMPY\x01\x00\x50\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (-10,), }".ljust(79) + b"\n",
         "targets: shape (-10,)"),
    ],
)  # fmt: skip
def test_archives_made_by_hand(content, message, tmp_path, capsys):
    np.save(tmp_path / "good.npy", np.arange(10.0))
    with zipfile.ZipFile(tmp_path / "made.npz", "w") as file:
        file.writestr("targets.npy", content)
        file.writestr("predictions.npy", (tmp_path / "good.npy").read_bytes())
    one_line(answer(capsys, tmp_path / "made.npz", code=2), message)


def test_without_pyarrow_parquet_is_refused_and_the_extra_named(folder, capsys, monkeypatch):
    find = tables.importlib.util.find_spec
    monkeypatch.setattr(tables.importlib.util, "find_spec", lambda name: None if name == "pyarrow" else find(name))
    error = answer(capsys, "table.parquet", *COLUMNS, code=2)
    one_line(error, "FILE: .parquet needs pyarrow, the extra `parquet`: pip install 'jaxbox[parquet]'")


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_pictures(suffix, folder, capsys):
    path = Path(f"picture{suffix}")
    path.write_text("old")
    text = answer(capsys, "table.csv", *COLUMNS, "--plot", path)
    assert text == answer(capsys, "table.csv", *COLUMNS)
    start = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[suffix]
    assert path.read_bytes().startswith(start)
    if suffix == ".svg":
        written = path.read_text()
        for words in ("x: dead at mean, R2 -0", "predicted", "true", "300 pairs", "dashed: predicted = true"):
            assert words in written
    assert sorted(entry.name for entry in folder.iterdir()) == sorted(
        ["arrays.npz", "table.csv", "table.parquet", path.name]
    )


def test_pictures_of_many_coordinates_and_odd_names(folder, capsys):
    np.savez("many.npz", targets=RANDOM.random((20, 30)), predictions=RANDOM.random((20, 30)))
    answer(capsys, "many.npz", "--plot", "many.svg")
    assert "12 of 30 coordinates" in Path("many.svg").read_text()
    pd.DataFrame({"$x_1^$": TARGETS[:, 0], "y" * 60: TARGETS[:, 1]}).to_csv("odd.csv", index=False)
    answer(capsys, "odd.csv", *f"--target $x_1^$ {'y' * 60} --prediction $x_1^$ $x_1^$ --plot odd.svg".split())
    assert "$x_1^$: none" in Path("odd.svg").read_text()


def run(*words, environment=None, **options):
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    program = [sys.executable, "-m", "analysis.diagnose", *map(str, words)]
    return subprocess.run(program, capture_output=True, text=True, env=variables, timeout=60, **options)


BLOCKED = """\
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"jax", "jaxlib", "flax", "jaxtyping", "sklearn", "tyro", "rich", "xarray", "matplotlib", "jaxbox"}:
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
from analysis.diagnose.command import main
sys.exit(max(main([*words]) for words in WORDS))
"""


def test_numpy_scipy_and_pandas_are_all_it_needs(folder):
    words = [["arrays.npz"], ["table.csv", *COLUMNS], ["table.parquet", *COLUMNS, "--split", "split", "--json"]]
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED.replace("WORDS", repr(words))],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("dead") >= 3
    picture = [["arrays.npz", "--plot", "picture.png"]]
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED.replace("WORDS", repr(picture))],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    one_line(done.stderr, "--plot: matplotlib is missing")


def test_help_comes_before_numpy_is_there():
    program = "import sys\nfrom analysis.diagnose.command import main\ntry:\n    main(['--help'])\nexcept SystemExit as stop:\n    assert not stop.code\nprint({'numpy', 'pandas', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.stdout.endswith("set()\n"), done
    for word in ("--target", "--bayes-r2", "train_targets", "exit codes", "holdout"):
        assert word in done.stdout
    assert all(name in done.stdout for name in read.TRAIN | read.TEST)


def test_from_a_shell(folder):
    done = run("arrays.npz")
    assert (done.returncode, done.stderr) == (0, "")
    assert "coordinate 0: dead, constant 15.5" in done.stdout
    done = run("arrays.npz", "--plot")
    assert (done.returncode, done.stdout) == (2, "")
    one_line(done.stderr, "argument --plot: expected one argument")
    if Path("/dev/full").exists():
        shell = f"{sys.executable} -m analysis.diagnose arrays.npz > /dev/full"
        done = subprocess.run(
            shell, shell=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
        )
        assert done.returncode == 2
        one_line(done.stderr, "standard output: cannot be written: No space left on device")


def test_a_broken_pipe_is_silent(folder):
    reader, writer = os.pipe()
    os.close(reader)
    program = [sys.executable, "-m", "analysis.diagnose", "arrays.npz"]
    done = subprocess.run(program, stdout=writer, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60)  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_ctrl_c_is_one_line(folder):
    program = [sys.executable, "-m", "analysis.diagnose", "-", *COLUMNS]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:  # fmt: skip
        process.stdin.write("x,y,x_hat,y_hat\n" + "1,2,3,4\n" * 20_000)
        process.stdin.flush()  # a pipe holds less: it is being read
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (130, "analysis.diagnose: interrupted\n")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="where Linux says how much memory was used at most")
def test_ten_million_rows_in_bounded_memory(tmp_path):
    targets = RANDOM.standard_normal(10_000_000).astype(np.float32)
    np.savez(tmp_path / "large.npz", targets=targets, predictions=targets + np.float32(0.1))
    rows = "\n".join(f"{one:.5f},{one + 0.1:.5f}" for one in targets[:100_000]) + "\n"
    with open(tmp_path / "large.csv", "w") as file:
        file.write("x,p\n")
        for _ in range(100):
            file.write(rows)
    for words in (["large.npz"], ["large.csv", "--target", "x", "--prediction", "p"]):
        program = "import sys\nfrom analysis.diagnose.command import main\ncode = main(sys.argv[1:])\nprint(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\nsys.exit(code)"
        done = subprocess.run([sys.executable, "-c", program, *words], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120)  # fmt: skip
        assert done.returncode == 0, done.stderr
        megabytes = int(done.stdout.split()[-1]) / 1024
        print(f"{words[0]}: {megabytes:.0f} MB")
        assert megabytes < 500


def test_readme_has_the_table_of_kinds_and_a_true_transcript(tmp_path):
    text = (ROOT / "README.md").read_text()
    (source,) = (
        block for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) if "predictions.npz" in block
    )
    subprocess.run(
        [sys.executable, "-c", source], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True
    )
    done = run("predictions.npz", cwd=tmp_path, environment={"COLUMNS": "100"})
    assert f"```text\n$ python -m analysis.diagnose predictions.npz\n{done.stdout}```" in text
    for kind, meaning in KINDS.items():
        assert f"| {kind} | {meaning} |" in text
