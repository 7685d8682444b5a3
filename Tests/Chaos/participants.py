#!/usr/bin/env python3
"""The participants: clients of the topics like any other, each a process of its own that outlives every outage.

    participants.py product    --bootstrap B --ledger FILE --seed S --project P [--project P ...] --rate N
    participants.py label-tool --bootstrap B --ledger FILE --seed S --rate N
    participants.py stranger   --bootstrap B --ledger FILE --seed S --project P [--project P ...] --rate N

Their producers are idempotent and wait for all replicas that are in sync. SIGTERM ends them: what is under way is
delivered first. The exit status is 1 if something stayed undelivered.
"""

import argparse
import signal
import sys
from pathlib import Path

from label_tool import LabelTool
from product_service import Product
from stranger import Stranger

PARTICIPANTS = {"product": Product, "label-tool": LabelTool, "stranger": Stranger}
stopping = False


def stop(*_) -> None:
    global stopping
    stopping = True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=sorted(PARTICIPANTS))
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1_000, help="records a second")
    parser.add_argument("--project", action="append", default=[])
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return PARTICIPANTS[options.part](options).run(lambda: stopping)


if __name__ == "__main__":
    sys.exit(main())
