"""The faults of the storm, by name. Each is a function of the storm and of random numbers of its own; it returns when
the fault is over.

Faults of different kinds may strike together; those of one kind take turns. `storm.py --list` prints the first line of
each.
"""
import collections
import resource
import pathlib
import struct
import threading
import time

import harness
import previous_state
import swarm

Fault = collections.namedtuple("Fault", "kind name strike")
FAULTS = {}


def fault(kind):
    def register(function):
        FAULTS[function.__name__] = Fault(kind, function.__name__, function)
        return function

    return register


# ---- The agent


@fault("agent")
def kill(storm, random):
    """kill -9 of the agent; a new one starts at once, or a little later"""
    storm.restart_agent("kill -9", random.choice([0, 0, 0.2, 2]))


@fault("agent")
def kill_often(storm, random):
    """kill -9, five times in a row, also while it starts"""
    with storm.agent_guard:
        began = time.time()
        storm.check_alive()
        for _ in range(5):
            if storm.start_failed():
                storm.agent.process = None
            else:
                storm.end_agent("kill -9")
            storm.agent.start(wait=False)
            time.sleep(random.random())
        storm.await_agent()
        storm.windows.down.append((began, time.time()))


@fault("agent")
def terminate(storm, random):
    """SIGTERM, as an operator ends it"""
    storm.restart_agent("SIGTERM", random.choice([0, 0, 0.2, 2]))


@fault("agent")
def hangups(storm, random):
    """a storm of SIGHUP, with a configuration that is now right and now nonsense"""
    with storm.agent_guard:
        right = storm.agent.config_path.read_text()
        end = time.time() + random.uniform(1, 3)
        while time.time() < end:
            storm.agent.config_path.write_text(
                random.choice([right, right + "\n[tenancy\n", right.replace("[tenancy]", "[tenacy]"), ""])
            )
            for _ in range(random.randrange(1, 10)):
                storm.agent.signal(harness.signal.SIGHUP)
                time.sleep(random.choice([0, 0.001, 0.02]))
        storm.agent.config_path.write_text(right)
        storm.agent.signal(harness.signal.SIGHUP)
        if random.random() < 0.4:
            end_amid_hangups(storm)


def end_amid_hangups(storm):
    began = time.time()
    storm.check_alive()
    storm.agent.signal(harness.signal.SIGTERM)
    while storm.agent.process.poll() is None:
        storm.agent.signal(harness.signal.SIGHUP)
        time.sleep(0.001)
        assert time.time() - began < 180, "the agent does not end within 180 s of SIGTERM"
    code, storm.agent.process = storm.agent.process.poll(), None
    assert code == 0, f"the agent ended with {code} on SIGTERM amid SIGHUPs"
    storm.agents_ended["SIGTERM amid SIGHUPs"] += 1
    storm.await_agent(start=True)
    storm.windows.down.append((began, time.time()))


@fault("agent")
def no_descriptors(storm, random):
    """no file can be opened: the limit of descriptors is what is open, or a few more"""
    with storm.agent_guard:
        pid = storm.agent.process.pid
        open_now = len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
        began = time.time()
        before, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now + random.choice([0, 0, 1, 3]), hard))
        time.sleep(random.uniform(1, 4))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (before, hard))
        over = time.time()
        harness.wait_for(lambda: answers(storm.agent), 60, "the agent answers again after it had no descriptors")
        # No log could be opened meanwhile: what is removed by then was never seen. Nothing could be written either, and
        # the agent waits longer and longer between its attempts.
        storm.windows.down.append((began, time.time() + 2))
        storm.windows.unsealed.append((began, over + retry_wait(over - began)))


@fault("agent")
def upgrade(storm, random):
    """the agent finds the state of the version before it, and refuses, with a reason, that of a later one"""
    with storm.agent_guard, storm.disk_guard:
        began = time.time()
        storm.end_agent(random.choice(["kill -9", "SIGTERM"]))
        if storm.agent.program != storm.program:  # --previous: the older program itself has run so far
            storm.agent.program = storm.program
            storm.await_agent(start=True)
            storm.windows.down.append((began, time.time()))
            return
        with previous_state.of_later_version(storm.agent.state) as later:
            storm.agent.start(wait=False)
            code = storm.agent.process.wait(60)
            storm.agent.process = None
            said = storm.agent.last_words(3)
            assert code != 0 and f"written by a newer Boatswain (state version {later}" in said, f"exit {code}: {said}"
        earlier = previous_state.take_back(storm.agent.state)
        storm.await_agent(start=True)
        migrated = storm.agent.logged("state of an older version migrated")
        assert migrated and str(migrated[0].get("from")) == str(earlier), f"not migrated: {storm.agent.last_words(10)}"
        storm.windows.down.append((began, time.time()))


def answers(agent):
    try:
        return agent.get("/healthz")[0] in (200, 503)
    except OSError:
        return False


def retry_wait(seconds):
    """How long after a fault of so many seconds the agent may wait until it tries again (it doubles, up to ten
    seconds)."""
    return min(2 * seconds, 10) + 1


# ---- The store


def misbehave(storm, mode, seconds):
    storm.proxy.set(mode)
    time.sleep(seconds)
    storm.proxy.set("pass")


@fault("store")
def s3_refuses(storm, random):
    """connections to the store are closed at once"""
    misbehave(storm, "refuse", random.uniform(2, 10))


@fault("store")
def s3_hangs(storm, random):
    """the store takes requests and never answers"""
    misbehave(storm, "hang", random.uniform(2, 8))


@fault("store")
def s3_503(storm, random):
    """503 SlowDown"""
    misbehave(storm, "503", random.uniform(2, 8))


@fault("store")
def s3_slow(storm, random):
    """request bodies go through at 200 KB/s"""
    misbehave(storm, "slow", random.uniform(2, 8))


@fault("store")
def s3_cuts_bodies(storm, random):
    """connections are cut amid the body of a request"""
    misbehave(storm, "cut-body", random.uniform(2, 8))


@fault("store")
def s3_loses_answers(storm, random):
    """connections are cut when the store has the body and answers: the acknowledgement is lost"""
    misbehave(storm, "lose-answer", random.uniform(2, 8))


@fault("store")
def s3_clock_wrong(storm, random):
    """the store's clock is five hours ahead, and right again later"""
    misbehave(storm, "skewed", random.uniform(1, 6))


@fault("store")
def s3_gone(storm, random):
    """the S3 server is killed and started again"""
    storm.s3.stop_gateway()
    time.sleep(random.uniform(1, 10))
    storm.s3.start_gateway()


@fault("store")
def credentials_expire(storm, random):
    """the session's token is refused; for a while the credentials file holds the old one, nothing or nonsense, then a
    fresh one"""
    storm.proxy.revoke(storm.session_token)
    meanwhile = random.choice(["old", "nothing", "nonsense"])
    if meanwhile == "nothing":
        storm.credentials_file.unlink()
    elif meanwhile == "nonsense":
        storm.credentials_file.write_text("[default\naws_access_key_id\n")
    time.sleep(random.uniform(1, 6))
    storm.new_session()


# ---- The engine


@fault("engine")
def engine_restarts(storm, random):
    """dockerd is asked to end and started again, with live-restore"""
    restart_engine(storm, "TERM")


@fault("engine")
def engine_killed(storm, random):
    """kill -9 of dockerd, with live-restore"""
    restart_engine(storm, "KILL")


def restart_engine(storm, how):
    with storm.engine_gate.closed():
        storm.engine.restart(how)


# ---- The host


@fault("disk")
def disk_full(storm, random):
    """the disk of the state directory is full"""
    filler = storm.disk / "filler"
    began = time.time()
    with storm.disk_guard:
        with open(filler, "wb", buffering=0) as out:
            try:
                while True:
                    out.write(bytes(1 << 20))
            except OSError:
                pass
        time.sleep(random.uniform(2, 6))
        filler.unlink(missing_ok=True)
    storm.windows.unsealed.append((began, time.time() + retry_wait(time.time() - began)))


@fault("clock")
def clock_steps(storm, random):
    """the agent's wall clock steps, forth or back, and perhaps does not return"""
    storm.shift_clock(random.choice([-5 * 3600, -1200, -2, 3, 1200, 5 * 3600, 3 * 86400]))
    time.sleep(random.uniform(1, 5))
    if random.random() < 0.7:
        storm.shift_clock(0)


@fault("keys")
def keyring(storm, random):
    """a tenant's keys change: one more, the same again, a file that is nonsense"""
    tenant = random.choice(storm.tenants)
    path = storm.agent.keyring / f"{tenant}.pub"
    key = path.read_text().splitlines()[-1]
    extra = (storm.agent.keys / "_unassigned.pub").read_text().splitlines()[-1]
    # An agent that starts while there is no key for the tenant seals for the operator, as it should: so none starts.
    with storm.agent_guard:
        path.write_text(random.choice([f"{key}\n{extra}\n", f"{key}\n", f"# again\n{key}\n", "nonsense\n"]))
        time.sleep(2)
        path.write_text(f"{key}\n")
        time.sleep(1.5)  # it looks at the keyring every second


# ---- What runs


@fault("load")
def short_lived(storm, random):
    """twenty containers that remove themselves, as fast as the engine starts them"""
    storm.run_swarm(20)


def groups_of(names):
    by_kind = collections.defaultdict(list)
    for name in names:
        by_kind[FAULTS[name].kind].append(name)
    return by_kind


def draw(random, names):
    """One fault, or two of different kinds, each with random numbers of its own."""
    by_kind = groups_of(names)
    first = random.choice(names)
    drawn = [first]
    others = [name for kind, members in sorted(by_kind.items()) if kind != FAULTS[first].kind for name in members]
    if others and random.random() < 0.35:
        drawn.append(random.choice(others))
    return [(FAULTS[name], random.randrange(1 << 31)) for name in drawn]


def strike(storm, drawn, make_random):
    """Strikes with all of them at once; the first exception of any is raised."""
    troubles = []

    def one(fault, seed):
        try:
            fault.strike(storm, make_random(seed))
        except BaseException as trouble:
            troubles.append(trouble)

    threads = [threading.Thread(target=one, args=pair) for pair in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        raise troubles[0]


def pack_shift(seconds):
    return struct.pack("=q", int(seconds * 1e9))
