"""Where the time of a run goes: what the devices waited for, and how much of it led anywhere."""

import contextlib
import time


class Clock:
    """Seconds by what they were spent on, since `take` was last called; and those of the whole run."""

    def __init__(self):
        self.begun = self.since = time.perf_counter()
        self.counted, self.spent = 0.0, {}

    def went_on(self, before: float, counted: float):
        """The run is ready for its first step here; earlier starts took `before` seconds, of which `counted` led on.

        Steps that were lost with a process do not count, and have to be made again.
        """
        now = time.perf_counter()
        self.spent["start"] = now - self.begun
        self.begun -= before
        self.counted = counted

    def went_back(self, counted: float):
        """Of all steps so far, those still count that took `counted` seconds."""
        self.counted, self.spent, self.since = counted, {}, time.perf_counter()

    @contextlib.contextmanager
    def on(self, what: str):
        """The time in this block goes to `what`: input, compile, save or measure."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spent[what] = self.spent.get(what, 0.0) + time.perf_counter() - start

    def take(self, steps: int, counting: float) -> dict[str, float]:
        """Metrics of the time since the last call, in which there were some steps; a share of them, `counting`, led on.

        `seconds_per_step`; `input_share`: of the time of the steps, what the loop waited for its input (the devices may
        have had work meanwhile); `start_seconds`, `compile_seconds`, `save_seconds`,
        `measure_seconds`: between the steps, where there were any; `goodput`: of all seconds of the run since its first
        start, while it ran, those of steps that count; `seconds`: these seconds.
        """
        now = time.perf_counter()
        between = {f"{what}_seconds": seconds for what, seconds in self.spent.items() if what != "input"}
        stepping = max(now - self.since - sum(between.values()), 1e-9)
        share = self.spent.get("input", 0.0) / stepping
        self.counted += stepping * counting
        self.spent, self.since = {}, now
        seconds = now - self.begun
        rates = {"seconds_per_step": stepping / steps, "input_share": share}
        return rates | between | {"goodput": self.counted / seconds, "seconds": seconds}
