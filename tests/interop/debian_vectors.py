"""Vectors from Debian's packages, unpacked into the cache (scripts/debian.sh): never copied into this tree."""
import os
import pathlib
import subprocess


def cache():
    return pathlib.Path(
        os.environ.get("BOATSWAIN_CACHE")
        or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "boatswain")
    )


def files_of_package(scripts, suite, package):
    """The folder with all files of `package` in `suite`. What cannot be fetched is an error."""
    place = cache() / package
    subprocess.run([scripts / "debian.sh", "files", suite, package, place], check=True)
    return place


def source_of_package(scripts, suite, package):
    place = cache() / f"{package}-source-{suite}"
    subprocess.run([scripts / "debian.sh", "source", package, place, suite], check=True)
    return place
