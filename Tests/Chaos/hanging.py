"""Transactions that a broker has left open for ever, and the remedy that Kafka has for them.

Apache Kafka 4.3.0 does this where one broker is all there is: if it was away for longer than a transaction may last, its
coordinator aborts that transaction while it starts, writes `CompleteAbort` into its log, and some of the partitions never get
the marker. Nobody may read behind such a transaction, and its producer cannot end it any more; `kafka-transactions.sh abort` does.
Seen in one of five restarts after SIGKILL. With three brokers the coordinator moves in time.
"""

import time

from cluster import Cluster
from diagnosis import PARTITIONS, SETTLED
from kafka_wire import OpenProducer, WireError, abort_transaction, list_transactions, open_producers
from processes import say

# A worker's transaction lasts ten seconds at most. What is older is nobody's.
AGE = 30.0


def hanging(cluster: Cluster) -> list[OpenProducer]:
    """Open on a partition, and over for every coordinator."""
    found: list[OpenProducer] = []
    busy: set[int] = set()
    for broker in cluster.brokers:
        try:
            busy |= {producer for _, producer, state in list_transactions(broker.address, 5) if state not in SETTLED}
            found += open_producers(broker.address, PARTITIONS)
        except WireError:
            return []
    return [producer for producer in found if producer.producer not in busy and time.time() - producer.last / 1_000 > AGE]


def abort_hanging(cluster: Cluster) -> int:
    """Ends them as an operator would; returns how many there were.

    Coordinators are asked first, and those that have settled hold no decision to commit any more. Were it one that did commit,
    the checker would find a transaction that is visible in part.
    """
    found = hanging(cluster)
    for producer in found:
        say(f"the broker has left a transaction open: {producer.topic}[{producer.partition}] from offset {producer.start}, producer {producer.producer}, "
            f"epoch {producer.epoch}; aborting it")
        leader = cluster.leader(producer.topic, producer.partition)
        try:
            if leader is not None:
                abort_transaction(cluster.brokers[leader - 1].address, producer)
        except WireError as error:
            say(str(error))
    return len(found)
