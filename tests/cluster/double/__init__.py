"""A cluster that is none: Marathon, a Mesos master and agents in one process. See ../README.md."""
