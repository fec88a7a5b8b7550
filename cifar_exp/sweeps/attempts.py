"""What a command tried on each run of its sweep, and when it stops trying."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from cifar_exp.config.schema import Settings
from cifar_exp.storage.run_state import RunState
from cifar_exp.text import counted

# Where a run is left by an attempt that may be repeated.
UNSUCCESSFUL = frozenset({"failed", "interrupted", "pending", "pruned"})


class Attempts:
    """The attempts of one command: `retries` more for each failed run, up to `max_failures`."""

    def __init__(self, settings: Settings) -> None:
        self._retries, self._most = settings.retries, settings.max_failures
        self._ended: Counter[str] = Counter()
        self._tried: defaultdict[str, list[str]] = defaultdict(list)
        self._unsuccessful: set[str] = set()
        self._broken: set[str] = set()  # the last attempt did not record its outcome
        self._launches: list[tuple[AbstractSet[str], str]] = []
        self._failed_launches: list[str] = []
        self.given_up: set[str] = set()  # done, or not worth another attempt: not submitted again

    def add(self, run_id: str, error: Exception | None) -> None:
        """An attempt on this run has ended, with an error unless the run recorded its outcome."""
        self._ended[run_id] += 1
        self._broken.discard(run_id)
        if error is not None:
            self._broken.add(run_id)
            self._tried[run_id].append(str(error))

    def add_launch(self, run_ids: AbstractSet[str], error: Exception) -> None:
        """A launch of these runs failed as a whole."""
        self._launches.append((run_ids, str(error)))

    def judge(self, states: Mapping[str, RunState]) -> None:
        """Decide which of the ended runs are not tried again."""
        self._judge_launches(states)
        for run_id, attempts in self._ended.items():
            status = states[run_id].status
            if status == "running":  # once more: promoted, or tried again
                continue
            if status == "pruned" and run_id not in self._broken:  # paused: it may be promoted
                self._ended[run_id] = 0
                continue
            if status not in UNSUCCESSFUL or attempts > self._retries:
                self.given_up.add(run_id)
                if status != "completed":
                    self._unsuccessful.add(run_id)

    def _judge_launches(self, states: Mapping[str, RunState]) -> None:
        # Each run is judged by its folder. Those that a failed launch has not reached are launched
        # again, if it reached any: so every launch leaves fewer.
        for run_ids, reason in self._launches:
            reached = {i for i in run_ids if states[i].status not in ("pending", "running")}
            self._ended.update(reached or run_ids)
            if not reached:
                for run_id in run_ids:
                    self._tried[run_id].append(reason)
            elif reason not in self._failed_launches:
                self._failed_launches.append(reason)
        self._launches = []

    @property
    def is_enough(self) -> bool:
        """Whether so many runs have failed that the sweep stops."""
        return self._most is not None and len(self._unsuccessful) >= self._most

    @property
    def reasons(self) -> dict[str, str]:
        """By run id, why attempts ended whose run could not record it."""
        return {run_id: self._reason(run_id) for run_id in self._tried}

    @property
    def notes(self) -> list[str]:
        """What to say at the end of a sweep that stopped early, or had to launch again."""
        notes = [
            f"a launch failed ({reason}); its runs were judged by their folders"
            for reason in self._failed_launches
        ]
        if self.is_enough:
            number = counted(len(self._unsuccessful), "run")
            notes.append(f"stopped after {number} did not complete (max_failures={self._most})")
        return notes

    def _reason(self, run_id: str) -> str:
        tried = self._tried[run_id]
        if len(tried) == 1:
            return tried[0]
        return f"{counted(len(tried), 'attempt')}: " + "; ".join(dict.fromkeys(tried))
