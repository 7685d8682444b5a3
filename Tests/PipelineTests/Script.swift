import Engine
import Events
import Flywheel
import JSON
import StreamRuntime
import StreamTesting
import Vocabulary

/// A journal recorded from a cycle, to be decided again elsewhere.
struct Recording {
    let records: [StoredRecord]
    let configuration: ProjectConfiguration

    /// Runs a plant for some rounds and keeps its journal.
    init(
        seed: UInt64,
        rounds: Int,
        serving count: Int = 8,
        configuration: ProjectConfiguration = World.configuration()
    ) throws {
        let plant = try Plant(seed: seed, configuration: configuration)
        for _ in 0..<rounds { try plant.round(serving: count) }
        records = plant.journal()
        self.configuration = configuration
    }

    /// A cluster that holds this journal and nothing else; its clock stands at the last append.
    func plant(clusterID: String = "memory") throws -> Plant {
        let plant = try Plant(clusterID: clusterID, configuration: configuration)
        for record in records {
            let copy = OutputRecord(
                topic: plant.topics[.journal],
                partition: World.partition,
                key: record.key,
                value: record.value,
                headers: record.headers
            )
            try plant.cluster.append(copy, at: record.timestamp)
        }
        plant.clock.set(to: records.last?.timestamp ?? plant.clock.now)
        return plant
    }

    /// The entries, decoded, with their append times.
    func entries() throws -> [(entry: JournalEntry, time: StreamTime)] {
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        return try records.map { record in
            let entry = try parser.withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
            return (entry, StreamTime(milliseconds: record.timestamp))
        }
    }
}

/// Runs a worker that fails as planned; when it has given up, another takes over until nothing is left to do.
///
/// - Parameter isElsewhere: The other worker has another name, and the session of the first expires.
func settle(
    _ plant: Plant,
    group: String,
    _ step: FaultPlan.Step?,
    isElsewhere: Bool = false,
    make: (FaultPlan, String) throws -> StageRunner
) throws -> FaultPlan {
    let plan = FaultPlan(step)
    let first = try make(plan, "w1")
    do {
        try first.settle()
    } catch {
        guard plan.hasStruck else { throw error }
        // What a worker does about an error that its task cannot cure; after a crash nothing is closed.
        first.task.abandon()
        if isElsewhere { plant.cluster.expireMember("w1", of: group) }
        try make(FaultPlan(), isElsewhere ? "w2" : "w1").settle()
        // Another transactional id aborts nothing: what the first left open ends by its timeout.
        plant.clock.advance(by: 10_001)
    }
    return plan
}
