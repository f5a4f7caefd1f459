"""A peer that does not need JAX never loads it: its memory and its start are its own."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["torch", "keras"])
def test_a_peer_of_another_framework_loads_no_jax_of_ours(name):
    pytest.importorskip(name)
    program = f"import sys\nfrom jaxbox.bench import sides\nsides.load({name!r})\nprint('jaxbox.training.population' in sys.modules)"
    program += "\nprint('jax' in sys.modules)" if name == "torch" else ""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "True" not in done.stdout
