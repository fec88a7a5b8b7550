"""A command on a Ray cluster of two nodes, of which one dies; in namespaces of its own.

    python two_nodes.py HEAD COMMAND...

The cluster is started in the folder HEAD. It gets the command, which is run in the current folder
with two runs or more; when two have done an epoch, the second node is killed. Prints the seconds of
each step; exits as the command does.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
STARTED = time.monotonic()


def say(what: str) -> None:
    print(f"{time.monotonic() - STARTED:5.1f} s  {what}", flush=True)


def training() -> int:
    """How many runs have done an epoch."""
    tables = Path("outputs/runs").glob("*/metrics.csv")
    return sum(len(table.read_text().splitlines()) > 1 for table in tables)


def main() -> int:
    head, *command = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        os.environ["RAY_TMPDIR"] = folder
        from ray.cluster_utils import Cluster

        os.chdir(head)
        cluster = Cluster(initialize_head=True, head_node_args=NODE)
        second = cluster.add_node(**NODE)
        os.chdir(here)
        say("the cluster is there")
        address = f"hydra.launcher.address={cluster.address}"
        with subprocess.Popen([*command, address]) as process:
            while training() < 2:
                if process.poll() is not None:
                    return 1
                time.sleep(0.05)
            say("two runs are trained")
            cluster.remove_node(second, allow_graceful=False)
            say("one node is dead")
            code = process.wait()
        say(f"the command ended with {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())
