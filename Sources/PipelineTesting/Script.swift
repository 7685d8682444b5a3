internal import Events
package import Flywheel
internal import JSON
internal import StreamRuntime
package import StreamTesting
package import Vocabulary

/// A journal recorded from a pipeline, to be processed again elsewhere.
package struct Recording {
    package let records: [StoredRecord]
    package let configuration: ProjectConfiguration

    /// Runs a pipeline for some rounds and keeps its journal.
    package init(
        seed: UInt64,
        rounds: Int,
        serving count: Int = 8,
        configuration: ProjectConfiguration = Scenario.configuration()
    ) throws {
        let pipeline = try Pipeline(seed: seed, configuration: configuration)
        for _ in 0..<rounds { try pipeline.round(serving: count) }
        records = pipeline.journal()
        self.configuration = configuration
    }

    /// Keeps the journal of a pipeline that has run.
    package init(of pipeline: Pipeline) throws {
        records = pipeline.journal()
        configuration = pipeline.configuration
    }

    /// Creates a pipeline whose cluster contains this journal and nothing else; its clock is set to the time of the
    /// last append.
    package func pipeline(clusterID: String = "memory") throws -> Pipeline {
        let pipeline = try Pipeline(clusterID: clusterID, configuration: configuration)
        for record in records {
            let copy = OutputRecord(
                topic: pipeline.topics[.journal],
                partition: Scenario.partition,
                key: record.key,
                value: record.value,
                headers: record.headers
            )
            try pipeline.cluster.append(copy, at: record.timestamp)
        }
        pipeline.clock.set(to: records.last?.timestamp ?? pipeline.clock.now)
        return pipeline
    }

    /// The entries, decoded, with their append times.
    package func entries() throws -> [(entry: JournalEntry, time: StreamTime)] {
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        return try records.map { record in
            let entry = try parser.withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
            return (entry, StreamTime(milliseconds: record.timestamp))
        }
    }
}

/// Successor of a worker that has abandoned its task.
package enum Successor: Int, CaseIterable {
    /// Another run of the worker itself.
    case itself
    /// A worker with another name, once the session of the first has expired.
    case another
    /// Two workers that share the partitions: the first one again, and a new one.
    case two

    /// Returns the cases in rotation.
    package static func of(_ step: FaultPlan.Step) -> Successor {
        Successor(rawValue: step.number % allCases.count) ?? .itself
    }
}

/// Runs cycles of workers one after the other until there is no more activity.
package func settle(_ runners: [ProcessorRunner], on pipeline: Pipeline, maximumCycles: Int = 2_000) throws {
    var idle = 0
    for _ in 0..<maximumCycles where idle < 4 {
        let before = pipeline.cluster.activity
        for runner in runners { try runner.task.cycle() }
        idle = pipeline.cluster.activity == before ? idle + 1 : 0
    }
}

/// Runs a worker that fails as planned; when it has abandoned its task, its successor continues until no work is left.
package func settle(
    _ pipeline: Pipeline,
    group: String,
    _ step: FaultPlan.Step?,
    successor: Successor = .itself,
    make: (FaultPlan, String) throws -> ProcessorRunner
) throws -> FaultPlan {
    let plan = FaultPlan(step)
    let first = try make(plan, "w1")
    do {
        try first.settle()
    } catch {
        guard plan.hasStruck else { throw error }
        // As a worker does after an error that its task cannot handle; after a crash nothing is closed.
        first.task.abandon()
        switch successor {
        case .itself: try make(FaultPlan(), "w1").settle()
        case .another:
            pipeline.cluster.expireMember("w1", of: group)
            try make(FaultPlan(), "w2").settle()
        case .two: try settle([make(FaultPlan(), "w1"), make(FaultPlan(), "w2")], on: pipeline)
        }
        // A producer with another transactional id does not abort the first one's open transaction, which ends by its
        // timeout.
        pipeline.clock.advance(by: 10_001)
    }
    return plan
}
