"""Exported files against the tables of the store, and against the results themselves."""

import dataclasses

import numpy as np
import pandas
import pytest
from tiny import TINY

from jaxbox import store, sweep
from jaxbox.config import Model
from jaxbox.export import export
from jaxbox.export.__main__ import main

OTHERS = [dataclasses.replace(TINY, steps=6), dataclasses.replace(TINY, model=Model("mlp", hidden=(3,)))]


def read(path, like):
    if path.suffix == ".parquet":
        return pandas.read_parquet(path)
    # Left to itself, pandas takes the names true and none for something else than text.
    text = {name: str for name in like if not pandas.api.types.is_numeric_dtype(like[name])}
    return pandas.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    sweep.run([TINY, *OTHERS], 2, out=folder, name="run", quiet=True)
    return folder / "run"


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_members_and_curves_are_the_tables_of_the_store(run, to, tmp_path):
    paths, table, losses = export(run, to, tmp_path), store.member_table(run), store.curve_table(run, "loss")
    members, curves = read(paths[0], table), read(paths[1], losses)
    pandas.testing.assert_frame_equal(members, table, check_dtype=False, rtol=1e-6)
    assert len(curves) == 2 * (3 + 4 + 3)
    pandas.testing.assert_frame_equal(curves[losses.columns], losses, check_dtype=False, rtol=1e-6)
    dead = store.open_run(run)["dead_fraction"].sel(configuration=2, seed=1, layer=0).values[:3]
    found = curves[(curves["configuration"] == 2) & (curves["seed"] == 1)]["dead_fraction_0"]
    np.testing.assert_allclose(found, dead)


def test_the_command_writes_beside_the_run_and_replaces_nothing_unasked(run, capsys):
    assert main([str(run)]) == 0
    assert (run / "export" / "members.csv").is_file()
    assert main([str(run)]) == 2
    assert "members.csv exists; give --overwrite, or another --out" in capsys.readouterr().err
    assert main([str(run), "--overwrite"]) == 0
    assert sorted(path.name for path in (run / "export").iterdir()) == ["curves.csv", "members.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "run: nothing is not allowed; it must be the folder of a run"),
        (["none"], "none is not a folder"),
        (["none", "--to", "parket"], "to: unknown name 'parket' (did you mean parquet?"),
    ],
)
def test_bad_input_is_one_line(words, message, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
