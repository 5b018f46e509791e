"""python3 -m double [options], in tests/cluster: a cluster to try a client against. Prints its addresses as JSON, then
runs until it is ended."""
import argparse
import json
import signal
import sys
import threading

from .cluster import Cluster
from .control import ControlSite


def main():
    parser = argparse.ArgumentParser(prog="double", description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="how many seconds of the cluster pass in one of the wall"
    )
    parser.add_argument("--agents", type=int, default=3, help="hosts host-001, host-002, ... at the start")
    parser.add_argument("--marathons", type=int, default=1, help="instances of Marathon; the first leads")
    parser.add_argument("--masters", type=int, default=1, help="Mesos masters; the first leads")
    parser.add_argument(
        "--agents-http", action="store_true", help="each agent answers too, at the port that the master tells of it"
    )
    parser.add_argument(
        "--ports", default="", help="comma-separated: for the Marathons, the masters, the control port (0: any)"
    )
    parser.add_argument("--app", help="a file with an app definition to start with")
    parser.add_argument("--credentials", help="user:password that all of them want")
    parser.add_argument("--token", help="token that all of them want, as DC/OS does: Authorization: token=TOKEN")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    ports = [int(port) for port in wanted.ports.split(",") if port]
    cluster = Cluster(
        wanted.scale,
        wanted.marathons,
        wanted.masters,
        wanted.seed,
        ports[: wanted.marathons + wanted.masters],
        agents_answer=wanted.agents_http,
    )
    control = ControlSite(cluster, ports[-1] if len(ports) > wanted.marathons + wanted.masters else 0)
    for site in cluster.marathons + cluster.masters:
        site.basic, site.token = wanted.credentials, wanted.token
    for number in range(1, wanted.agents + 1):
        cluster.faults.add_host(f"host-{number:03}", {"rack": f"r{number % 3}"})
    if wanted.app:
        with open(wanted.app, encoding="utf-8") as file:
            cluster.faults.foreign_app(json.load(file))
    print(
        json.dumps(
            {
                "marathon": [site.url for site in cluster.marathons],
                "mesos": [site.url for site in cluster.masters],
                "control": control.url,
            }
        ),
        flush=True,
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    control.close()
    cluster.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
