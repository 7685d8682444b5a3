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

    /// The journal of a plant that has run.
    init(of plant: Plant) throws {
        records = plant.journal()
        configuration = plant.configuration
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

/// Successor of a worker that has given up.
enum Heir: Int, CaseIterable {
    /// Another run of the worker itself.
    case itself
    /// One of another name, once the session of the first has expired.
    case another
    /// Two that share the partitions: the first again, and one that is new.
    case two

    /// Each in turn.
    static func of(_ step: FaultPlan.Step) -> Heir { Heir(rawValue: step.number % allCases.count) ?? .itself }
}

/// Turns workers one after the other until nothing happens any more.
func settle(_ runners: [StageRunner], on plant: Plant, turns: Int = 2_000) throws {
    var idle = 0
    for _ in 0..<turns where idle < 4 {
        let before = plant.cluster.activity
        for runner in runners { try runner.task.cycle() }
        idle = plant.cluster.activity == before ? idle + 1 : 0
    }
}

/// Runs a worker that fails as planned; when it has given up, its heir takes over until nothing is left to do.
func settle(
    _ plant: Plant,
    group: String,
    _ step: FaultPlan.Step?,
    heir: Heir = .itself,
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
        switch heir {
        case .itself: try make(FaultPlan(), "w1").settle()
        case .another:
            plant.cluster.expireMember("w1", of: group)
            try make(FaultPlan(), "w2").settle()
        case .two: try settle([make(FaultPlan(), "w1"), make(FaultPlan(), "w2")], on: plant)
        }
        // Another transactional id aborts nothing: what the first left open ends by its timeout.
        plant.clock.advance(by: 10_001)
    }
    return plan
}
