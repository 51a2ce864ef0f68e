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


class Aim:
    """Moments that meet one phase, sooner or later: what an undisturbed run did when is only roughly what another one does,
    so the window moves towards the phase with every miss."""

    def __init__(self, phase, undisturbed, generator):
        self.phase = phase
        self.generator = generator
        self.window = undisturbed.windows.get(phase)
        self.last = None

    def moment(self):
        self.last = self.phase if self.phase in kill_rounds.BEGINNINGS else self.generator.uniform(*self.window)
        return self.last

    def learn(self, met):
        """The phase that the last moment met."""
        if self.last == self.phase:
            return
        begin, end = self.window
        width = end - begin
        if kill_rounds.PHASES.index(met) > kill_rounds.PHASES.index(self.phase):
            self.window = (max(0, self.last - width), self.last)
        elif met != self.phase:
            self.window = (self.last, self.last + width)


def table(kills):
    """Kills by process and phase, as text."""
    counts = collections.Counter((kill.process, kill.phase) for kill in kills)
    rows = [["killed", *kill_rounds.PHASES, "all"]]
    for process in kill_rounds.PROCESSES:
        row = [counts[process, phase] for phase in kill_rounds.PHASES]
        rows.append([process, *map(str, row), str(sum(row))])
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]])
