"""What travels through the broker."""

import inspect

from config.celery import app

OURS = ("billing.", "tenants.", "vault.", "config.")


def test_tasks_take_ids_and_switches_alone() -> None:
    """K2: a message is kept by the broker and shown by monitors, so that no task is given anything else."""
    app.autodiscover_tasks(force=True)
    tasks = {name: task for name, task in app.tasks.items() if name.startswith(OURS)}
    assert len(tasks) > 10
    for name, task in tasks.items():
        for parameter in inspect.signature(task.run).parameters.values():
            is_id = parameter.name.endswith("_id") and parameter.annotation in {int, str}
            assert is_id or parameter.annotation is bool, f"{name} takes {parameter}"


def test_schedule_gives_nothing() -> None:
    """K2: what runs by the clock finds its work in the database."""
    for entry in app.conf.beat_schedule.values():
        assert entry.keys() <= {"task", "schedule", "options"}


def test_scheduled_tasks_exist() -> None:
    """U4: what the clock asks for is known to the workers."""
    app.autodiscover_tasks(force=True)
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= app.tasks.keys()
