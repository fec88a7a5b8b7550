"""The process that draws: it reads jobs from its input and prints a line for each figure."""

import gc
import json
import pickle
import sys

from cifar_exp.errors import DONE, INTERRUPTED


def main() -> int:
    """Draw the `Job`s that `process.draw_figures` sends; returns the exit code."""
    try:
        gc.disable()  # drawing makes many objects: looking for garbage would take a tenth of it
        jobs = pickle.load(sys.stdin.buffer)
        from cifar_exp.analysis.figures.drawing.save import draw_jobs

        for job in jobs:
            for error in draw_jobs([job]):
                print(json.dumps({"error": error}), flush=True)
            gc.collect()
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
