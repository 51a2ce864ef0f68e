"""What is killed when, over many rounds: seeded, and sure to meet every phase."""
import collections

import kill_rounds

SECOND_KILL_EVERY = 5


def plan_of(index, undisturbed, generator):
    """Round `index`. Most kills come at a moment that is uniform between the first lease and the end of the job. Phases
    of milliseconds would be missed so: two rounds of ten wait for the beginning of one. In one of five what resumes is
    killed as well."""
    target = kill_rounds.PROCESSES[index % len(kill_rounds.PROCESSES)]
    if index % 10 in (4, 8):
        moment = "assembling" if index % 10 == 4 else "publishing"
    else:
        moment = generator.uniform(*undisturbed.killable)
    plan = [(target, moment)]
    if index % SECOND_KILL_EVERY == SECOND_KILL_EVERY - 1:
        plan.append((generator.choice(kill_rounds.PROCESSES), generator.uniform(*undisturbed.killable)))
    return plan


def moment_in(phase, undisturbed, generator):
    return phase if phase in kill_rounds.BEGINNINGS else generator.uniform(*undisturbed.windows[phase])


def table(kills):
    """Kills by process and phase, as text."""
    counts = collections.Counter((kill.process, kill.phase) for kill in kills)
    rows = [["killed", *kill_rounds.PHASES, "all"]]
    for process in kill_rounds.PROCESSES:
        row = [counts[process, phase] for phase in kill_rounds.PHASES]
        rows.append([process, *map(str, row), str(sum(row))])
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]])
