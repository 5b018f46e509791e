"""npm_clients_test.py SOURCE BUILD: installs what npm/package-lock.json names into BUILD, and lets those clients meet
the double."""
import os
import pathlib
import shutil
import subprocess
import sys

from double.cluster import Cluster
from double.control import ControlSite

source, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
build.mkdir(parents=True, exist_ok=True)
for name in ("package.json", "package-lock.json", "clients.mjs"):
    shutil.copy(source / name, build / name)
subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=build, check=True)
cluster = Cluster(scale=20, agents_answer=True)
control = ControlSite(cluster)
for host in ("a", "b"):
    cluster.faults.add_host(host)
environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
try:
    ran = subprocess.run(
        ["node", "clients.mjs", cluster.marathons[0].url, cluster.masters[0].url, control.url],
        cwd=build,
        env=environment,
        check=False,
        timeout=200,
    )
finally:
    control.close()
    cluster.close()
sys.exit(ran.returncode)
