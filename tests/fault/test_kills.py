"""Thirty runs on a tiny llama that lose a process at a random moment: nothing but time is lost. kill_rounds.py runs more."""
import random

import pytest

import heroq_cli
import kill_plan
import kill_rounds
import killable_run
import run_processes

ROUNDS = 30
SEED = 1
# How often a phase that no round met is aimed at before the test gives up.
AIMS = 15


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    inputs = killable_run.write_inputs(tmp_path_factory.mktemp("inputs"))
    return lambda out: killable_run.arguments(inputs, out)


@pytest.fixture(scope="module")
def undisturbed(command, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    # The first run reads programs and libraries from disk; the others take as long as those that follow.
    kill_rounds.measure(command, folder / "cold")
    return min((kill_rounds.measure(command, folder / name) for name in ("warm", "warmer")), key=lambda run: run.killable[1])


def test_every_kill_costs_time_only_and_every_phase_is_met(command, undisturbed, tmp_path):
    generator = random.Random(SEED)
    kills = []
    for index in range(ROUNDS):
        plan = kill_plan.plan_of(index, undisturbed, generator)
        kills += kill_rounds.run_round(command, tmp_path / str(index), undisturbed, plan, generator).kills
    for phase in kill_rounds.PHASES[1:-1]:
        aim = kill_plan.Aim(phase, undisturbed, generator)
        for attempt in range(AIMS):
            if any(kill.phase == phase and kill.process != "worker" for kill in kills):
                break
            plan = [("coordinator", aim.moment())]
            met = kill_rounds.run_round(command, tmp_path / f"{phase}-{attempt}", undisturbed, plan, generator).kills
            aim.learn(met[0].phase)
            kills += met
    print(kill_plan.table(kills))
    assert len(kills) >= ROUNDS
    # A phase that a worker's death met was read a moment later; the journals of the others had stopped.
    assert {kill.phase for kill in kills if kill.process != "worker"} >= set(kill_rounds.PHASES[1:-1])
    assert {kill.process for kill in kills} == set(kill_rounds.PROCESSES)


def test_children_that_have_hardly_started_end_with_the_command(command, tmp_path):
    for index in range(5):
        process = heroq_cli.start(*command(tmp_path / str(index)))
        run_processes.wait_until(lambda: len(run_processes.family(process)) == 1 + kill_rounds.WORKERS)
        family = run_processes.family(process)
        process.kill()
        process.communicate(timeout=30)
        run_processes.wait_for_end(family.values())


def test_a_round_that_loses_bytes_is_noticed(command, undisturbed, tmp_path):
    """The judge itself: a run of other settings is not what an undisturbed one published."""
    with pytest.raises(AssertionError, match="other bytes"):
        kill_rounds.run_killed(lambda out: [*command(out), "--damping", "0.02"], tmp_path / "out", undisturbed,
                               [("command", undisturbed.killable[0])], random.Random(0))
