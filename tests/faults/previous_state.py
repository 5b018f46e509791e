"""The state directory as the version before this one would have left it, and as a later one would.

A state that is in full use is taken back by one version, in place, while no agent runs: so an upgrade can be tried
during a storm, with positions, chains and spooled segments that are real. What each version added to the one before is
in `BACK` (src/spool/schema.cc has the way forward: `migrations`); a version that is missing here is an error, not a
skip.
"""
import contextlib
import sqlite3

BACK = {
    2: ["ALTER TABLE checkpoints DROP COLUMN bytes"],
    3: [
        "ALTER TABLE checkpoints DROP COLUMN about",
        "ALTER TABLE checkpoints DROP COLUMN last_time",
        "ALTER TABLE checkpoints DROP COLUMN ended",
    ],
    4: [
        "ALTER TABLE segments DROP COLUMN aside",
        "ALTER TABLE segments DROP COLUMN aside_file",
        "ALTER TABLE chains DROP COLUMN epoch",
        "ALTER TABLE chains DROP COLUMN moved",
        "DROP TABLE conflicts",
        # Places in files came without the times of records.
        "UPDATE checkpoints SET position = first_words(position, 6) WHERE position LIKE 'file %'",
    ],
}


@contextlib.contextmanager
def opened(state_dir):
    database = sqlite3.connect(state_dir / "state.sqlite", timeout=10)
    database.create_function("first_words", 2, lambda text, count: " ".join(text.split(" ")[:count]))
    try:
        yield database
        database.commit()
    finally:
        database.close()


def version_of(state_dir):
    with opened(state_dir) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


def take_back(state_dir):
    """Makes the state that of the version before; that version's number."""
    with opened(state_dir) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        assert (
            version in BACK
        ), f"state version {version} is new: tell tests/faults/previous_state.py what it added to version {version - 1}"
        for statement in BACK[version]:
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {version - 1}")
        return version - 1


@contextlib.contextmanager
def of_later_version(state_dir):
    """Within, the state says that a version after this one wrote it; yields its number."""
    with opened(state_dir) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute(f"PRAGMA user_version = {version + 1}")
    try:
        yield version + 1
    finally:
        with opened(state_dir) as database:
            database.execute(f"PRAGMA user_version = {version}")
