"""Names from a user's own file: what they name, options of their own, grids, and every refusal in one line."""

import dataclasses
import json
import sys
from functools import partial

import pytest

from jaxbox import config
from jaxbox.config import Configuration, ConfigurationError, Loss, Model, Plan, Static, Task, outside, rows, tables

OWN = '''
"""A file of somebody's own."""
import dataclasses
from jaxbox import Model, Task

@dataclasses.dataclass(frozen=True)
class SparseModel(Model):
    sparsity: float = 0.1
    """Share of weights that are zero."""
    groups: int = 2
    sizes: tuple[int, ...] = (1, 2)

class Sparse:
    """A sparse layer.

    And more.
    """
    options = SparseModel
    reads = ("model.hidden", "render")

class Plain:
    pass

class Other(Sparse):
    options = dataclasses.make_dataclass("OtherModel", [("depth", int, 3)], bases=(Model,), frozen=True)

@dataclasses.dataclass(frozen=True)
class DotTask(Task):
    bright: float = 1.0

@dataclasses.dataclass(frozen=True)
class SpeckTask(Task):
    specks: int = 5

class Dot:
    options = DotTask

class Specks:
    options = SpeckTask

class Holder:
    value = Sparse

class Loose:
    class options(Model):
        pass

class Wide:
    options = dataclasses.make_dataclass("WideModel", [("table", dict, None)], bases=(Model,), frozen=True)

class Astray:
    options = DotTask

class Misread:
    reads = ("model.hiden",)

instance = Sparse()
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(OWN)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(str(tmp_path)) or name == "mine"]:
        del sys.modules[name]


def sparse(**options):
    return config.fit(config.change(Configuration(model=Model("mine.py:Sparse")), options))


def test_a_row_is_made_from_the_object(folder):
    row = tables.row("model.name", "mine.py:Sparse")
    assert row.summary == "A sparse layer."
    assert row.reads == ("model.hidden", "render")
    assert row.options is tables.load("model.name", "mine.py:Sparse").options
    assert tables.row("model.name", "mine.py:Plain").reads == ()
    assert tables.row("task.scene", "mine.py:Dot").reads == rows.IMAGE
    assert tables.load("model.name", "mine.py:Holder.value") is tables.load("model.name", f"{folder}/mine.py:Sparse")


def test_options_of_its_own_are_fields_that_are_traced_if_they_are_floats(folder):
    one, two = sparse(), sparse(**{"model.sparsity": 0.3})
    assert dict(config.flatten(one))["model.groups"] == 2
    assert config.types_of(one)["model.sparsity"] is float
    assert config.traced(two)["model.sparsity"] == 0.3
    assert Static.of(one) == Static.of(two) != Static.of(sparse(**{"model.groups": 3}))
    assert Static.of(one).with_traced(config.traced(two)) == two
    assert config.settle(two) == two
    assert {"model.sparsity", "model.groups", "model.hidden"} <= tables.fields_read(two)
    assert "model.features" not in tables.fields_read(two)
    config.check_values(two)


def test_names_of_one_section_may_each_have_options(folder):
    both = config.fit(Configuration(Task(scene="mine.py:Dot", noise="mine.py:Specks")))
    assert both == config.fit(Configuration(Task(scene="mine.py:Dot", noise="mine.py:Specks")))
    assert (both.task.bright, both.task.specks) == (1.0, 5)
    config.check_values(both)
    alone = config.change(both, {"task.noise": "none"})
    assert {"task.bright", "task.specks"} & set(dict(config.flatten(alone))) == {"task.bright"}


def test_the_object_itself_is_stored_by_its_name(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    from_file = tables.load("model.name", "mine.py:Sparse")
    assert Model(from_file).name == "mine.py:Sparse"
    import mine

    assert Model(mine.Sparse).name == "mine:Sparse"
    assert Model(mine.Holder.value).name == "mine:Sparse"
    assert Loss(mine.instance).name == "mine:instance"
    assert tables.load("model.name", "mine:Sparse") is mine.Sparse
    assert config.grid(Configuration(), {"model.name": [mine.Sparse]})[0].model == mine.SparseModel("mine:Sparse")


def test_what_cannot_be_imported_is_refused():
    class Local:
        pass

    for value in (Local, lambda values: values, partial(print)):
        with pytest.raises(ConfigurationError, match="cannot be imported; it must have a name of its own in a file"):
            Model(value)
    with pytest.raises(ConfigurationError, match=r"model.name: 5 is not of type str"):
        config.check_values(Configuration(model=Model(5)))


def test_stored_options_are_plain_data_until_somebody_fits_them(folder):
    before = sparse(**{"model.sparsity": 0.3, "model.sizes": (3,)})
    values = json.loads(json.dumps(config.to_dict(before)))
    (folder / "mine.py").write_text("raise SystemExit('executed')")
    read, again = config.from_dict(values), config.from_dict(values)
    assert read == again
    assert hash(read) == hash(again)
    assert dict(config.flatten(read)) == dict(config.flatten(before))
    assert config.types_of(read) == config.types_of(before)
    assert Plan.of((read,), 1).fingerprint == Plan.of((before,), 1).fingerprint
    assert type(read.model) is not type(before.model)
    (folder / "mine.py").write_text(OWN)
    assert config.fit(read) == before


def test_stored_options_without_a_name_from_outside_are_unknown_fields(folder):
    with pytest.raises(ConfigurationError, match="unknown name 'sparsity'"):
        config.from_dict({"model": {"name": "mlp", "sparsity": 0.1}})
    with pytest.raises(ConfigurationError, match=r"model.sparsity: \{\} is no number"):
        config.from_dict({"model": {"name": "mine.py:Sparse", "sparsity": {}}})


def test_a_class_with_fields_that_no_name_brings_is_refused(folder):
    own = tables.load("model.name", "mine.py:Sparse").options
    with pytest.raises(ConfigurationError, match=r"model: SparseModel\(name='mlp'.* it must be a Model"):
        config.check_values(config.fit(Configuration(model=own("mlp"))))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.py:Sparse", "model.name: 'none.py:Sparse' names no file: there is no none.py in "),
        ("no_such_module:Sparse", "model.name: 'no_such_module:Sparse' names no module"),
        ("jaxbox.no_such:Sparse", "model.name: 'jaxbox.no_such:Sparse' names no module"),
        ("mine.py:Sparce", r"mine.py has no 'Sparce' \(did you mean Sparse\?\)"),
        ("bad.py:Sparse", "bad.py does not import: ModuleNotFoundError: No module named 'nothing_such'"),
        ("syntax.py:Sparse", "syntax.py does not import: SyntaxError: "),
        ("exit.py:Sparse", "exit.py does not import: SystemExit: 3"),
        ("mine.py:Loose", r"its options, options, must be decorated @dataclasses.dataclass\(frozen=True\)"),
        ("mine.py:Wide", "its options: table is of type <class 'dict'>; it must be bool, int, float, str or tuple"),
        ("mine.py:Astray", "must be a subclass of jaxbox.Model"),
        ("mine.py:Misread", "its reads: unknown name 'model.hiden' .did you mean model.hidden"),
        ("mine.py:", "mine.py has no ''"),
    ],
)
def test_refusals_are_one_line_that_says_what_to_do(folder, name, message):
    (folder / "bad.py").write_text("import nothing_such")
    (folder / "syntax.py").write_text("def (")
    (folder / "exit.py").write_text("raise SystemExit(3)")
    with pytest.raises(ConfigurationError, match=message) as caught:
        config.check_values(Configuration(model=Model(name)))
    assert "\n" not in str(caught.value)


def test_a_file_that_changed_since_it_was_imported_is_refused(folder):
    tables.load("model.name", "mine.py:Sparse")
    file = outside.file_of("model.name", "mine.py:Sparse")
    assert outside.is_imported(file)
    assert len(outside.sha256(file)) == 64
    (folder / "mine.py").write_text(OWN + "\n")
    with pytest.raises(ConfigurationError, match="has changed since it was imported; start Python anew"):
        outside.sha256(file)


def test_while_a_run_is_read_nothing_is_loaded(folder):
    with (
        outside.reading(),
        pytest.raises(outside.NotExecuted, match=r"model.name: 'mine.py:Sparse' is code from outside"),
    ):
        tables.load("model.name", "mine.py:Sparse")
    assert not [name for name in sys.modules if name.startswith(str(folder))]
    tables.load("model.name", "mine.py:Sparse")


def test_where_a_module_is_imports_no_package_around_it(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("raise SystemExit('executed')")
    (folder / "package" / "inner.py").write_text("")
    assert outside.file_of("model.name", "package.inner:Sparse") == folder / "package" / "inner.py"
    assert "package" not in sys.modules


def test_a_grid_is_every_combination_settled_and_without_repeats(folder):
    fields = {"model.name": ["linear", "mine.py:Sparse", "mine.py:Other"], "model.sparsity": [0.1, 0.3]}
    found = config.grid(Configuration(), fields)
    assert [each.model.name for each in found] == ["linear", *["mine.py:Sparse"] * 2, "mine.py:Other"]
    assert [dict(config.flatten(each)).get("model.sparsity") for each in found] == [None, 0.1, 0.3, None]
    assert config.grid(found[1], {"model.name": ["linear"]}) == found[:1]
    assert config.grid(Configuration(), {}) == [Configuration()]
    sizes = config.grid(Configuration(), {"task.height": [16, 20], "steps": [100, 200]})
    assert [(each.task.height, each.steps) for each in sizes] == [(16, 100), (16, 200), (20, 100), (20, 200)]
    assert Plan.of(tuple(found), 1).varied()["model.sparsity"][1:3] == [0.1, 0.3]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model.hiden": [1]}, "field: unknown name 'model.hiden' .did you mean model.hidden"),
        ({"steps": []}, r"steps: \[\] is not allowed; it must be a list"),
        ({"model.name": "cnn"}, "model.name: 'cnn' is not allowed; it must be a list"),
        ({"steps": ["many"]}, "steps: 'many' is not of type int"),
        ({"loss.delta": [0.5]}, "loss.delta: 0.5 is not read by loss.name 'mse'"),
        ({"model.name": ["cn"]}, "model.name: unknown name 'cn'"),
    ],
)
def test_a_grid_refuses_what_nobody_knows_or_reads(fields, message):
    with pytest.raises(ConfigurationError, match=message):
        config.grid(Configuration(), fields)


def test_a_row_of_a_table_brings_options_in_the_same_way(folder, monkeypatch):
    options = dataclasses.make_dataclass("TunedModel", [("gain", float, 2.0)], bases=(Model,), frozen=True)
    monkeypatch.setitem(tables.MODELS, "tuned", tables.MODELS["linear"]._replace(options=options))
    (tuned,) = config.grid(Configuration(), {"model.name": ["tuned"], "model.gain": [3.0]})
    config.check_values(tuned)
    assert config.traced(tuned)["model.gain"] == 3
    assert config.from_dict(json.loads(json.dumps(config.to_dict(tuned)))) == tuned
