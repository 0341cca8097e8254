"""The faults, each a function of a ground: what is done to an endpoint under load, what it must answer meanwhile."""

from collections.abc import Callable

from ingest.connections import HEAD_S
from tests.faults import crowds, disks, servers
from tests.faults.endpoint import free_port
from tests.faults.ground import Ground, Load, Outcome, wait

FULL = 507
KILLS = 2
DISK_MB = 16
SLOW = 100
"""Slow clients of each kind."""


def kill_endpoint(ground: Ground) -> Outcome:
    """Kill −9 the one process of the endpoint, at random moments, and start it again."""
    with ground.load(ground.storage()) as load:
        for _ in range(KILLS):
            ground.spell()
            load.endpoint.kill()
            load.endpoint.start()
    return load.outcome


def kill_workers(ground: Ground) -> Outcome:
    """Kill −9 one of two workers, the other goes on; or all processes of the endpoint at once."""
    with ground.load(ground.storage(), workers=2) as load:
        ground.spell()
        if ground.random.random() < 0.5:
            load.endpoint.kill_worker(ground.random.randrange(2))
        else:
            load.endpoint.kill()
            load.endpoint.start()
        ground.spell()
    return load.outcome


def kill_postgres(ground: Ground) -> Outcome:
    """Kill −9 the embedded Postgres; the endpoint starts it again, and its senders notice nothing."""
    storage = ground.storage()
    with ground.load(storage) as load:
        for _ in range(KILLS):
            ground.spell()
            killed = servers.postmaster(storage.home)
            load.expect(servers.kill(storage.home), "there was no Postgres to kill")
            servers.wait_until_back(storage.home, killed)
    return load.outcome


def kill_both(ground: Ground) -> Outcome:
    """Kill −9 Postgres and, a moment later, the endpoint of two workers."""
    storage = ground.storage()
    with ground.load(storage, workers=2) as load:
        ground.spell()
        servers.kill(storage.home)
        ground.spell()
        load.endpoint.kill()
        load.endpoint.start()
    return load.outcome


def freeze_postgres(ground: Ground) -> Outcome:
    """Freeze Postgres: it holds its connections and answers nothing."""
    storage = ground.storage()
    with ground.load(storage) as load:
        ground.spell()
        with servers.frozen(storage.home):
            _stays_up(ground, load)
    return load.outcome


def stop_postgres(ground: Ground) -> Outcome:
    """Stop a named Postgres and start it again."""
    with servers.named(ground.storage("named")) as (server, storage), ground.load(storage) as load:
        ground.spell()
        with servers.stopped(server):
            _stays_up(ground, load)
    return load.outcome


def fill_journal(ground: Ground) -> Outcome:
    """Fill the disk of journal and log: 507 for what it cannot take; all is taken again once there is room."""
    storage = ground.storage("full-journal")
    journal = storage.journal_dir
    try:
        with (
            disks.small(journal, DISK_MB),
            ground.load(storage, refusals=frozenset({FULL}), log=journal / "endpoint.log") as load,
        ):
            ground.spell()
            with disks.filled(journal):
                load.expect(wait(lambda: load.senders.statuses[FULL] > 20), "a full disk is not answered by 507")
                load.expect(wait(lambda: "disk is full" in str(load.health())), "health does not tell of the full disk")
                load.expect(wait(lambda: not load.endpoint.answers("/health/ready")), "it is ready with a full disk")
                ground.spell()
    except disks.NotPermittedError as reason:
        return Outcome(skipped=str(reason))
    return load.outcome


def fill_lake(ground: Ground) -> Outcome:
    """Fill the lake's disk while segments are sealed: nothing changes for the sender."""
    storage = ground.storage("full-lake")
    lake = storage.home / "lake"
    try:
        with disks.small(lake, DISK_MB), ground.load(storage) as load:
            ground.spell()
            with disks.filled(lake):
                for folder in storage.journal_dir.iterdir():
                    (folder / "seal.request").touch()
                load.expect(wait(lambda: "the lake" in str(load.health())), "health does not tell of the full lake")
                load.until_forward()
    except disks.NotPermittedError as reason:
        return Outcome(skipped=str(reason))
    return load.outcome


def slow_clients(ground: Ground) -> Outcome:
    """Serve among clients that never finish a head, a body, or reading; who owes a head for too long is cut off."""
    kinds = (crowds.slow_header, crowds.slow_body, crowds.silent, crowds.deaf)
    with ground.load(ground.storage()) as load, crowds.crowd(load.endpoint.port, dict.fromkeys(kinds, SLOW)) as state:
        load.expect(wait(lambda: state["connected"] == SLOW * len(kinds)), f"slow clients are refused: {state}")
        _stays_ready(load, ground.slow_s)
        load.until_forward()
        if ground.slow_s > HEAD_S:
            load.expect(wait(lambda: state["lost"] == SLOW * 2), f"who sends no head is not cut off: {state}")
    return load.outcome


def flood(ground: Ground) -> Outcome:
    """Open very many connections at once; each is answered, and so is everybody else."""
    storage = ground.storage()
    with ground.load(storage) as load:
        acknowledged, statuses = crowds.flood(load.endpoint.port, ground.connections, f"flood-{free_port()}")
        ground.landed[storage.home].update(acknowledged)
        load.outcome.acknowledged += len(acknowledged)
        load.outcome.statuses += statuses
        load.expect(statuses[200] == ground.connections, f"of a flood: {dict(statuses)}")
    return load.outcome


def _stays_up(ground: Ground, load: Load) -> None:
    """Check, for as long as an outage lasts, that the endpoint answers; at its end, that it tells of the outage."""
    _stays_ready(load, ground.outage_s)
    load.expect("Postgres" in str(load.health()), f"health does not tell of the outage: {load.health()}")
    load.until_forward()


def _stays_ready(load: Load, seconds: float) -> None:
    unready = wait(lambda: not load.endpoint.answers("/health/ready"), seconds)
    load.expect(not unready, "it was not ready all the time")


Scenario = Callable[[Ground], Outcome]
KILLING: tuple[Scenario, ...] = (kill_endpoint, kill_workers, kill_postgres, kill_both)
OTHERS: tuple[Scenario, ...] = (
    freeze_postgres,
    stop_postgres,
    fill_journal,
    fill_lake,
    slow_clients,
    flood,
)
