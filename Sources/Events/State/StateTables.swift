internal import Acquisition
internal import Datasets
public import Flywheel
internal import Labeling
internal import Rollout
public import Tables
internal import Training

/// An operation on every table of a project's state, for any type of rows.
public protocol TableVisitor {
    /// Visits a table by the name that it has in the changelog.
    mutating func table<Key: StateKey & Hashable & Comparable & Sendable, Value: JSONCodable & Equatable & Sendable>(
        _ name: StaticString,
        _ table: inout Table<Key, Value>
    )

    /// Visits a cell: a table of at most one row in the changelog.
    mutating func cell<Value: JSONCodable & Equatable & Sendable>(_ name: StaticString, _ cell: inout Cell<Value>)
}

extension ProjectState {
    /// Every table, in the order in which its changes are written: the only list of tables.
    ///
    /// Tables are visited in place, because no operation may copy the state: a copy costs more than applying an entry.
    public mutating func visit<Visitor: TableVisitor>(_ visitor: inout Visitor) {
        visitor.cell("loop.position", &position)
        visitor.cell("loop.configuration", &configuration)
        visitor.table("loop.commands", &commands)
        visitor.table("loop.stages", &phases)
        visitor.table("loop.refusals", &refusals)
        visitor.table("loop.entries", &entries)
        visitor.table("loop.proposals", &proposals)
        visitor.table("loop.unregistered", &unregistered)
        visitor.table("acquisition.pool", &acquisition.pool.candidates)
        visitor.table("acquisition.audit", &acquisition.audit.candidates)
        visitor.table("acquisition.pairings", &acquisition.audit.pairings)
        visitor.table("acquisition.covers", &acquisition.covers)
        visitor.table("acquisition.asked", &acquisition.accounts.queried)
        visitor.table("acquisition.sides", &acquisition.sides.known)
        visitor.cell("acquisition.ledger", &acquisition.accounts.ledger)
        visitor.cell("acquisition.cadence", &acquisition.accounts.schedule)
        visitor.table("acquisition.verdicts", &acquisition.accounts.confidentErrors.verdicts)
        visitor.cell(ExplorationLevel.table, &acquisition.accounts.confidentErrors.level)
        visitor.cell("acquisition.idleness", &acquisition.accounts.idleness)
        visitor.table("acquisition.memory", &acquisition.pool.queriedSketches)
        visitor.table("acquisition.unanswerable", &acquisition.pool.unanswerable)
        visitor.cell("acquisition.shares", &acquisition.pool.shares)
        visitor.cell("acquisition.stream", &acquisition.pool.stream)
        visitor.table("acquisition.slices", &acquisition.accounts.slices)
        visitor.table("acquisition.triggered", &acquisition.triggers.triggered)
        visitor.table("acquisition.awaiting", &acquisition.triggers.pending)
        visitor.cell(LearnedSpace.table, &acquisition.space)
        visitor.table("labeling.open", &labeling.open)
        visitor.table("labeling.closed", &labeling.closed)
        visitor.table("labeling.annotators", &labeling.annotators)
        visitor.table("datasets.labels", &datasets.labels)
        visitor.cell("datasets.position", &datasets.position)
        visitor.table("datasets.pending", &datasets.pending)
        visitor.table("datasets.cuts", &datasets.cuts)
        visitor.table("datasets.former", &datasets.former)
        visitor.table("datasets.window", &datasets.window)
        visitor.cell("training.progress", &training.progress)
        visitor.table("training.models", &training.models)
        visitor.table("training.ended", &training.ended)
        visitor.cell("rollout.phase", &rollout.roles)
        visitor.table("rollout.rows", &rollout.rows)
        visitor.cell("rollout.pairs", &rollout.pairs)
        visitor.cell("rollout.era", &rollout.era)
        visitor.table("rollout.bets", &rollout.bets)
        visitor.table("rollout.openings", &rollout.openings)
        visitor.table("rollout.candidates", &rollout.candidates)
        visitor.cell("rollout.watch", &rollout.watch)
        visitor.cell("rollout.trust", &rollout.trust)
        visitor.table("rollout.buckets", &rollout.buckets)
        visitor.table("rollout.seen", &rollout.seen)
        visitor.table("rollout.watches", &rollout.watches)
        visitor.table("rollout.voices", &rollout.voices)
        visitor.cell("rollout.past", &rollout.past)
        visitor.table("rollout.suspicions", &rollout.suspicions)
        visitor.cell("rollout.progress", &rollout.progress)
        visitor.table("rollout.blocks", &rollout.blocks)
        visitor.cell("rollout.suppression", &rollout.suppression)
        visitor.table("acquisition.verification", &acquisition.verification.candidates)
        visitor.table("rollout.trusts", &rollout.trusts)
        visitor.table("rollout.disputes", &rollout.disputes)
        visitor.table("rollout.verifications", &rollout.verifications)
        visitor.table("rollout.requests", &rollout.requests)
        visitor.table("rollout.checks", &rollout.checks)
    }
}
