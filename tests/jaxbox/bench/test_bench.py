"""The command `python -m jaxbox.bench`, with sides that only pretend: turns, files, exit codes, refusals."""

import json
import re
import subprocess
import sys

import pytest

from jaxbox.bench import cases
from jaxbox.bench.__main__ import main
from jaxbox.bench.arguments import parse
from jaxbox.bench.measuring import alternate
from jaxbox.bench.process import WorkerError
from jaxbox.bench.sides import SIDES


class Counted:
    """A side that takes `seconds` a sample and writes its name into `log`."""

    def __init__(self, name, seconds, log):
        self.name, self.seconds, self.log, self.spent = name, seconds, log, 0.0

    def sample(self):
        self.log.append(self.name)
        self.spent += self.seconds


def test_sides_take_turns_and_a_slow_one_sits_out():
    log = []
    alternate([Counted("a", 1, log), Counted("b", 9, log), Counted("c", 2, log)], rounds=4, budget=10)
    assert "".join(log) == "abcabcacac"


class Pretender:
    """A worker without a process; `losses` and `broken` are by name, `calls` is what happened."""

    losses, broken, interrupt_at = {}, {}, 10**9
    calls: list

    def __init__(self, name, configuration, seeds, seconds, folder, affordable=None):
        self.calls.append(("start", name, seeds))
        if name in self.broken:
            raise WorkerError(self.broken[name])
        self.name, self.samples, self.spent = name, [], 0.0
        affordable = 10**6 if name == "jaxbox" else 2
        self.seeds, self.steps = min(seeds, affordable), 5
        losses = [[self.losses.get(name, 1.0)]] * 3
        self.facts = {"losses": losses, "affordable": affordable, "devices": ["cpu:0"], "compile_seconds": 0.1}

    def sample(self):
        if len([call for call in self.calls if call[0] == "sample"]) == self.interrupt_at:
            raise KeyboardInterrupt
        self.calls.append(("sample", self.name, self.seeds))
        self.samples.append({"seconds": 0.5, "evaluation_seconds": None, "memory": {"host": 2**20}})

    def product_flops(self):
        return 1e9

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.calls.append(("end", self.name, self.seeds))


@pytest.fixture
def pretender(monkeypatch):
    cls = type("OneTest", (Pretender,), {"calls": [], "losses": {}, "broken": {}})
    monkeypatch.setattr(cases, "Worker", cls)
    return cls


WORDS = "--models linear --sizes 16 --peers torch flax --rounds 2 --seeds 2 8 64".split()


def outcome(capsys, *words):
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def torch_is_there(monkeypatch):
    monkeypatch.setitem(SIDES, "torch", SIDES["torch"]._replace(needs=()))


@pytest.mark.usefixtures("torch_is_there")
def test_what_is_printed_and_what_is_written(pretender, capsys, tmp_path):
    out, picture = tmp_path / "new" / "bench.json", tmp_path / "bench.pdf"
    code, text, _ = outcome(capsys, *WORDS, "--out", str(out), "--plot", str(picture))
    assert code == 0
    content = json.loads(out.read_text())
    assert content["complete"]
    assert [case["seeds"] for case in content["cases"]] == [2, 8, 64]
    assert set(content["cases"][0]["sides"]) == {"jaxbox", "torch", "flax"}
    assert len(content["cases"][2]["sides"]["torch"]["seconds"]) == 2
    assert {"git", "versions", "processor", "cores", "memory_bytes", "devices", "product_flops"} <= set(content)
    assert content["cases"][2]["sides"]["jaxbox"]["times_jaxbox"]["median"] == 1
    assert str(out) in text
    assert "linear 16 x 16, 64 seeds" in text
    assert picture.stat().st_size > 1000
    # A peer that cannot afford more members is not started again.
    starts = [call[1:] for call in pretender.calls if call[0] == "start"]
    assert starts == [("jaxbox", 2), ("jaxbox", 8), ("jaxbox", 64), ("torch", 2), ("flax", 2)]
    turns = [call[1:] for call in pretender.calls if call[0] == "sample"]
    assert turns == 2 * [("jaxbox", 2), ("torch", 2), ("flax", 2), ("jaxbox", 8), ("jaxbox", 64)]
    assert len([call for call in pretender.calls if call[0] == "end"]) == len(starts)


@pytest.mark.usefixtures("torch_is_there")
def test_a_side_that_does_other_work_stops_everything(pretender, capsys, tmp_path):
    pretender.losses = {"flax": 0.9}
    code, text, errors = outcome(capsys, *WORDS, "--out", str(tmp_path / "bench.json"))
    assert (code, text) == (1, "")
    assert errors.splitlines()[-1].startswith("jaxbox.bench: linear 16 x 16: flax does not do the same work")
    assert not list(tmp_path.iterdir())
    ends = [call for call in pretender.calls if call[0] == "end"]
    assert len(ends) == len([call for call in pretender.calls if call[0] == "start"])


def test_scenes_are_named_and_what_a_peer_does_not_offer_is_not_started(pretender, capsys, tmp_path):
    words = "--models coordconv --scenes box dots --sizes 16 --seeds 2 --peers flax --rounds 1"
    code, text, _ = outcome(capsys, *words.split(), "--out", str(tmp_path / "bench.json"))
    assert code == 0
    assert "coordconv on dots 16 x 16, 2 seeds: flax is left out: it has no coordconv" in text
    cases = json.loads((tmp_path / "bench.json").read_text())["cases"]
    assert [case.get("scene") for case in cases] == [None, "dots"], "as in older files, the box has no name"
    assert {call[1] for call in pretender.calls} == {"jaxbox"}


def test_scenes_other_than_the_box_have_the_thread_s_network_by_default(tmp_path):
    words = ["--scenes", "box", "dots", "--sizes", "32", "16", "--out", str(tmp_path / "bench.json")]
    pairs = [("linear", "box"), ("mlp", "box"), ("cnn", "box"), ("cnn", "dots")]
    assert parse(words).kinds() == [(*pair, size) for pair in pairs for size in (16, 32)]
    assert parse(["--models", "mlp", *words]).kinds()[-1] == ("mlp", "dots", 32)


def test_peers_that_are_missing_or_fail_are_named(pretender, capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(SIDES, "torch", SIDES["torch"]._replace(needs=("no_such_package",)))
    pretender.broken = {"flax": "MemoryError: too much"}
    code, text, _ = outcome(capsys, *WORDS, "--out", str(tmp_path / "bench.json"))
    assert code == 0
    assert "skipped torch: not installed: no_such_package" in text
    assert "linear 16 x 16, 2 seeds: flax failed: MemoryError: too much" in text
    content = json.loads((tmp_path / "bench.json").read_text())
    assert content["skipped"] == {"torch": "not installed: no_such_package"}
    assert list(content["cases"][0]["sides"]) == ["jaxbox"]


@pytest.mark.usefixtures("torch_is_there")
def test_an_interruption_leaves_what_was_measured(pretender, capsys, tmp_path):
    pretender.interrupt_at = 4
    code, _, errors = outcome(capsys, *WORDS, "--out", str(tmp_path / "bench.json"))
    assert code == 130
    assert errors.splitlines()[-1] == "jaxbox.bench: stopped"
    content = json.loads((tmp_path / "bench.json").read_text())
    assert not content["complete"]
    assert [case["seeds"] for case in content["cases"]] == [2, 8]
    assert ("end", "jaxbox", 64) in pretender.calls


BAD = {
    "unknown model": ("--models cnm", "models: unknown name 'cnm'.*did you mean cnn"),
    "unknown scene": ("--scenes dot", "scenes: unknown name 'dot'.*did you mean dots"),
    "unknown peer": ("--peers torhc", "peers: unknown name 'torhc'.*did you mean torch"),
    "unknown option": ("--seed 3", "did you mean --seeds"),
    "no seeds": ("--seeds 0", "seeds: 0 is not allowed"),
    "word for a number": ("--sizes big", "sizes.*big|big.*sizes"),
    "no rounds": ("--rounds 0", "rounds: 0 is not allowed"),
    "no time": ("--seconds nan", "seconds: nan is not allowed"),
    "unknown kind of picture": ("--plot x.gif", "plot: x.gif must end in"),
    "box that does not fit": ("--models linear --sizes 4", "task.box_size: 5 is not allowed"),
    "file that is there": ("--out {there}", "there.json exists; --overwrite"),
    "folder that cannot be": ("--out {there}/bench.json", "cannot be written"),
}


@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_in_one_line(words, message, pretender, capsys, tmp_path):
    there = tmp_path / "there.json"
    there.write_text("{}")
    words = words.format(there=there).split()
    out = () if "--out" in words else ("--out", str(tmp_path / "new.json"))
    code, text, errors = outcome(capsys, *words, *out)
    assert (code, text) == (2, "")
    assert len(errors.splitlines()) == 1
    assert re.search(message, errors), errors
    assert there.read_text() == "{}"
    assert not pretender.calls


def test_quick_changes_only_what_is_not_said(tmp_path):
    out = ("--out", str(tmp_path / "bench.json"))
    quick, own = parse(["--quick", *out]), parse(["--quick", "--sizes", "16", *out])
    assert (quick.sizes, own.sizes) == ((32,), (16,))
    assert quick.rounds == own.rounds == 3
    assert parse([*out]).rounds == 5


def test_help_comes_without_jax():
    program = "import sys; from jaxbox.bench.__main__ import main\ntry: main(['--help'])\nfinally: print('jax' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "False"
    assert "--quick" in result.stdout
