"""Results are gathered block by block, and are the same whatever the blocks."""

import dataclasses
import shutil

import pytest
import xarray
import zarr
from cachetools import LRUCache
from tiny import TINY

from jaxbox import store, sweep
from jaxbox.config import Model, Optimizer, RunError, Task
from jaxbox.store import chunks, gathering
from jaxbox.training import memory

# Groups take turns, and differ in layers, positions, evaluations and labels.
MIXED = [
    TINY,
    dataclasses.replace(TINY, model=Model("mlp", hidden=(3, 4)), task=Task(8, 7, 2), eval_every=1),
    dataclasses.replace(TINY, optimizer=Optimizer("sgd", 0.2)),
    dataclasses.replace(TINY, model=Model("mlp", hidden=(3,)), steps=6),
    dataclasses.replace(TINY, optimizer=Optimizer("sgd", 0.3)),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gathered")
    sweep.run(MIXED, 3, out=folder, name="run", members_per_chunk=2, quiet=True)
    return folder / "run"


def gather(path):
    store.gather(path, store.load_plan(path), store.load_manifest(path))
    return store.open_run(path).load()


@pytest.mark.parametrize("configurations", [1, 2, 5])
def test_blocks_do_not_matter(finished, configurations, monkeypatch):
    whole = store.open_run(finished).load()
    assert whole["last_step"].values.tolist() == [[4] * 3, [4] * 3, [4] * 3, [6] * 3, [4] * 3]
    each = whole.nbytes // len(MIXED)
    monkeypatch.setattr(gathering, "BLOCK_BYTES", int((configurations + 0.5) * each))
    xarray.testing.assert_identical(gather(finished), whole)
    array = zarr.open_array(finished / store.RESULTS / "mse")
    assert array.shape[0] == len(MIXED)
    assert array.chunks[0] == configurations


@pytest.fixture
def read(monkeypatch):
    """The checkpoints that are read, one after the other; nothing is known of those before."""
    read, load = [], chunks.load_checkpoint
    monkeypatch.setattr(gathering, "_read", LRUCache(gathering.READ_BYTES, memory.tree_bytes))
    monkeypatch.setattr(chunks, "load_checkpoint", lambda path, like: read.append(path) or load(path, like))
    return read


def test_each_chunk_is_read_about_once_also_where_no_more_than_two_fit_into_memory(finished, read, monkeypatch):
    gather(finished)
    # Five chunks of the group of three configurations, two of each of the others.
    assert len(read) == len(set(read)) == 9
    largest = max(map(memory.tree_bytes, gathering._read.values()))
    read.clear()
    monkeypatch.setattr(gathering, "_read", LRUCache(2 * largest, memory.tree_bytes))
    monkeypatch.setattr(gathering, "BLOCK_BYTES", 1)
    gather(finished)
    assert len(set(read)) == 9
    assert len(read) <= 9 + 3 + 3  # a first chunk is looked at before


def test_a_chunk_is_read_again_only_once_it_has_gone_on(finished, read, tmp_path):
    path = shutil.copytree(finished, tmp_path / "run")
    gather(path)
    read.clear()
    gather(path)
    assert read == []
    chunk = store.chunk_folder(path, 0, 1)
    shutil.copytree(chunk / "4", chunk / "5")
    gather(path)
    assert read == [chunk / "5"]


def test_what_cannot_be_read_leaves_the_results_as_they_were(finished, tmp_path):
    path = shutil.copytree(finished, tmp_path / "run")
    before = store.open_run(path).load()
    shutil.rmtree(store.chunk_folder(path, 0, 4) / "4" / "measures")
    with pytest.raises(RunError, match="is damaged"):
        gather(path)
    xarray.testing.assert_identical(store.open_run(path).load(), before)
