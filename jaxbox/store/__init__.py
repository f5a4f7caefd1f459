"""A run's folder: what was asked, what came out, and the checkpoints to go on from.

folder.py    configuration, lock      chunks.py    checkpoints           archive.py   results.zarr, open_run
manifest.py  status, groups           results.py   members -> Dataset    measures.py  what the numbers mean
sessions.py  where numbers come from  gathering.py checkpoints -> results  generations.py  which results are valid
cuts.py      groups -> chunks         bits.py      what last bits need   imports.py   code that a run names
files.py     atomic, synced writes    members.py   load one member       frames.py    pandas tables
"""

from jaxbox.store.archive import open_run, open_with_plan, save_results
from jaxbox.store.chunks import (
    chunk_folder,
    has_part,
    last_checkpoint,
    load_checkpoint,
    load_last,
    member_location,
    require_checkpoints,
    save_checkpoint,
)
from jaxbox.store.folder import (
    CHECKPOINTS,
    CONFIGURATION,
    MANIFEST,
    RESULTS,
    create,
    describe,
    grow,
    load_plan,
    lock,
    require_known,
)
from jaxbox.store.frames import curve_table, member_table
from jaxbox.store.gathering import gather
from jaxbox.store.imports import hashes, import_named
from jaxbox.store.manifest import Manifest, drop_of, load_manifest, new_manifest, save_manifest
from jaxbox.store.measures import COLLAPSED_R2, at_end, collapsed, dead_layer, dropped, final_r2, wilson_rate
from jaxbox.store.members import Member, load_member, load_params
from jaxbox.store.sessions import Session, failures, load_sessions, own_session

__all__ = [
    "CHECKPOINTS",
    "COLLAPSED_R2",
    "CONFIGURATION",
    "MANIFEST",
    "RESULTS",
    "Manifest",
    "Member",
    "Session",
    "at_end",
    "chunk_folder",
    "collapsed",
    "create",
    "curve_table",
    "dead_layer",
    "describe",
    "drop_of",
    "dropped",
    "failures",
    "final_r2",
    "gather",
    "grow",
    "has_part",
    "hashes",
    "import_named",
    "last_checkpoint",
    "load_checkpoint",
    "load_last",
    "load_manifest",
    "load_member",
    "load_params",
    "load_plan",
    "load_sessions",
    "lock",
    "member_location",
    "member_table",
    "new_manifest",
    "open_run",
    "open_with_plan",
    "own_session",
    "require_checkpoints",
    "require_known",
    "save_checkpoint",
    "save_manifest",
    "save_results",
    "wilson_rate",
]
