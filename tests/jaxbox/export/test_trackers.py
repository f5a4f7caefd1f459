"""Trackers' files, read by TensorBoard and by W&B's own description of its records, against the results themselves."""

import dataclasses
import json
import math
import struct
import sys

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tiny import TINY

from jaxbox import sweep
from jaxbox.config import Model, Optimizer, Task
from jaxbox.export.__main__ import main

DIVERGES = dataclasses.replace(TINY, model=Model("mlp", hidden=(3,)), optimizer=Optimizer("sgd", 1e30))
LABELS = ["0_linear_learning_rate=0.1", "1_mlp_hidden=(3,)_learning_rate=1e+30"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracked")
    return folder / "run", sweep.run([TINY, DIVERGES], 2, out=folder, name="run", quiet=True)


def tensorboards(folder):
    """(label, seed) -> curves as {name: {step: number}}, and hyperparameters."""
    found = {}
    for path in folder.glob("*/seed-*"):
        read = EventAccumulator(str(path)).Reload()
        curves = {tag: {event.step: event.value for event in read.Scalars(tag)} for tag in read.Tags()["scalars"]}
        content = read.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        fields = HParamsPluginData.FromString(content).session_start_info.hparams
        values = {name: getattr(fields[name], fields[name].WhichOneof("kind")) for name in fields}
        found[path.parent.name, int(path.name.removeprefix("seed-"))] = curves, values
    return found


def records(path):
    """The records of a W&B file: a header of 7 bytes, then LevelDB's log format, in blocks of 32 KiB."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, place, parts = path.read_bytes(), 7, b""
    while place < len(content):
        if 2**15 - place % 2**15 < 7:  # no room for another header in this block
            place += 2**15 - place % 2**15
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        parts += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield Record.FromString(parts)
            parts = b""


def wandbs(folder):
    """As `tensorboards`; what is no curve has its number at no step."""
    found = {}
    for path in folder.glob("offline-run-*/*.wandb"):
        curves, fields, summary, member = {}, {}, {}, ""
        for record in records(path):
            for item in record.run.config.update:
                fields[item.key or ".".join(item.nested_key)] = json.loads(item.value_json)
            if record.run.run_group:
                member = record.run.run_group
                assert (record.run.display_name, record.run.project) == (f"{member} seed-{fields['seed']}", "run")
            row = {item.key or ".".join(item.nested_key): item.value_json for item in record.history.item}
            for name, value in row.items():
                curves.setdefault(name, {})[record.history.step.num] = json.loads(value)
            for item in record.summary.update:
                summary[item.key or ".".join(item.nested_key)] = {None: json.loads(item.value_json)}
        found[member, fields["seed"]] = summary | curves, fields
    return found


@pytest.mark.parametrize(("to", "read"), [("tensorboard", tensorboards), ("wandb", wandbs)])
def test_a_run_of_a_tracker_is_a_member(run, to, read, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    path, results = run
    assert main([str(path), "--to", to, "--out", str(tmp_path)]) == 0
    sentence = {"tensorboard": f"tensorboard --logdir {tmp_path}", "wandb": f"wandb sync {tmp_path}/run/offline-run-*"}
    assert capsys.readouterr().out.splitlines()[1].endswith(sentence[to])
    found = read(tmp_path / "run")
    assert sorted(found) == [(label, seed) for label in LABELS for seed in (0, 1)]
    for (label, seed), (curves, fields) in found.items():
        member = results.sel(configuration=LABELS.index(label), seed=seed)
        for name, expected in {
            "loss": member["loss"],
            "mse_unseen_y": member["mse"].sel(split="unseen", axis="y"),
            "dead_fraction_0": member["dead_fraction"].sel(layer=0),
        }.items():
            there = expected.dropna("step")
            assert list(curves.get(name, {})) == there["step"].values.tolist()
            np.testing.assert_allclose([float(value) for value in curves.get(name, {}).values()], there, rtol=1e-6)
        (r2,) = map(float, curves["r2_all"].values())
        assert r2 < 1 if member["finite"] else r2 == -math.inf
        assert [*map(float, curves["failed_step"].values())] == [member["failed_step"]]
        assert fields["seed"] == seed
        assert fields["model.name"] == ("linear", "mlp")[LABELS.index(label)]
        assert fields["optimizer.learning_rate"] == (0.1, 1e30)[LABELS.index(label)]
        assert fields["task.height"] == Task(6, 5, 2).height


def test_what_is_there_stays(run, tmp_path, capsys):
    path, _ = run
    words = [str(path), "--to", "tensorboard", "--out", str(tmp_path)]
    assert main(words) == 0
    events = sorted(tmp_path.rglob("events*"))
    assert main(words) == 2
    assert f"out: {tmp_path / 'run'} exists; give --overwrite, or another --out" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("events*")) == events
    events[0].unlink()
    assert main([*words, "--overwrite"]) == 0
    assert len(list(tmp_path.rglob("events*"))) == len(events), "what was missing is there again"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["run"]
    (tmp_path / "run" / "notes.txt").touch()
    assert main([*words, "--overwrite"]) == 2
    assert "has notes.txt, which is of no such export; give another --out" in capsys.readouterr().err
    assert (tmp_path / "run" / "notes.txt").exists()


def test_a_run_is_never_replaced_by_its_export(run, capsys):
    path, _ = run
    assert main([str(path), "--to", "wandb", "--out", str(path.parent), "--overwrite"]) == 2
    assert "which is of no such export; give another --out" in capsys.readouterr().err


@pytest.mark.parametrize(("to", "package"), [("tensorboard", "tensorboardX"), ("wandb", "wandb")])
def test_a_package_that_is_missing_is_named_with_its_extra(run, to, package, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    assert main([str(run[0]), "--to", to, "--out", str(tmp_path)]) == 2
    message = f"to: {to} needs {package}, the extra `{to}`: pip install 'jaxbox[{to}]'"
    assert capsys.readouterr().err == f"jaxbox.export: {message}\n"
    assert not list(tmp_path.iterdir())


def test_a_mode_of_wandb_that_writes_nothing_is_refused(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert main([str(run[0]), "--to", "wandb", "--out", str(tmp_path)]) == 2
    message = "WANDB_MODE: disabled is not allowed; it must be offline or online"
    assert capsys.readouterr().err == f"jaxbox.export: {message}\n"


def test_what_wandb_refuses_is_one_line(run, tmp_path, monkeypatch, capsys):
    for name, value in {"MODE": "online", "BASE_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert main([str(run[0]), "--to", "wandb", "--out", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "to: wandb says: No API key configured" in err
    assert not list((tmp_path / "out").iterdir())
