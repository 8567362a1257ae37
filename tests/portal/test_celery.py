import pytest
from django.conf import settings

from tlsrpt_portal.celery import TICKS, app


def test_every_tick_names_a_task_that_exists():
    app.loader.import_default_modules()

    ticks = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert ticks <= set(app.tasks)


def test_no_tick_takes_anothers_name_or_does_anothers_work():
    assert len({name for name, *_ in TICKS}) == len(TICKS)
    assert len({task for _, task, *_ in TICKS}) == len(TICKS)


@pytest.mark.parametrize("name", sorted(app.conf.beat_schedule))
def test_ticks_do_not_pile_up_while_no_worker_works(name):
    assert app.conf.beat_schedule[name]["options"]["expires"] > 0


def test_every_task_of_the_portal_is_called_by_a_tick_or_by_another():
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if name.partition(".")[0] in settings.INSTALLED_APPS}
    called = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert ours - called == {"domains.tasks.run_checks"}
