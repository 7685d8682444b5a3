import DeadLetters
import Events
import Flywheel
import Fuzzing
import Intake
import JSON
import Loop
import Operations
import StreamRuntime
import StreamTesting
import Vocabulary

/// The account of all records that were sent: each is tallied, in the journal, a dead letter or counted as left out,
/// exactly once; all written records can be read, and replay makes the same decisions.
struct Ledger {
    let pipeline: Pipeline
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)

    init(_ pipeline: Pipeline) { self.pipeline = pipeline }

    /// Numbers of entries, dead letters and dead letters of the loop, by the position of their original record.
    private struct Account {
        var entries: [String: Int] = [:]
        var deadLetters: [String: Int] = [:]
        var loopDeadLetters: [String: Int] = [:]
    }

    /// Checks all laws; the workers must have stopped.
    ///
    /// - Throws: `FuzzFault` with the first law that does not hold.
    func check(_ outcomes: inout FuzzOutcomes) throws {
        do {
            if let first = pipeline.disturbances.first { throw FuzzFault("disturbed: \(first)") }
            try checkRecords(&outcomes)
            try checkOutputs(&outcomes)
            try checkReplay(&outcomes)
        } catch {
            outcomes.add("ledger", "wrong")
            throw error
        }
    }

    private func committed(_ topic: Topic) -> [(partition: Int32, record: StoredRecord)] {
        (0..<Int32(pipeline.cluster.partitionCount(of: pipeline.topics[topic]))).flatMap { partition in
            pipeline.cluster.committed(pipeline.topics[topic], partition).map { (partition, $0) }
        }
    }

    // MARK: - Records

    private func checkRecords(_ outcomes: inout FuzzOutcomes) throws {
        var account = Account()
        var applied = 0
        for (partition, record) in committed(.journal) {
            applied += 1
            let entry: JournalEntry
            do {
                entry = try parser.withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
            } catch {
                throw FuzzFault(
                    "the entry at \(partition)/\(record.offset) cannot be read: \(error): \(record.text.prefix(400))"
                )
            }
            guard entry.jsonBytes == record.value else {
                throw FuzzFault(
                    "the entry at \(partition)/\(record.offset) is written otherwise: \(record.text.prefix(400))"
                )
            }
            outcomes.add("entries", entry.body.kind.rawValue)
            guard let id = record.header("ce_id") else { throw FuzzFault("an entry without an id") }
            // A revision is in the journal before the entry that was checked under it, with the same id.
            if case .configured = entry.body { continue }
            account.entries[id, default: 0] += 1
        }
        try countDeadLetters(&account, &outcomes)
        var traffic = 0
        for topic in IntakeProcessor.inputs {
            for (partition, record) in committed(topic) {
                outcomes.add("records", "read")
                let location = "\(pipeline.topics[topic])/\(partition)/\(record.offset)"
                let (entries, deadLetters) = (account.entries[location] ?? 0, account.deadLetters[location] ?? 0)
                guard entries + deadLetters <= 1 else {
                    throw FuzzFault(
                        "\(location) has \(entries) entries and \(deadLetters) dead letters: \(record.text.prefix(200))"
                    )
                }
                guard entries + deadLetters == 0 else { continue }
                if topic == .predictions { traffic += 1 } else { account.deadLetters["left out", default: 0] += 1 }
            }
        }
        let counts = pipeline.counts
        let leftOut = account.deadLetters["left out"] ?? 0
        guard (counts.undrawn...counts.dropped + counts.undrawn).contains(Int64(leftOut)) else {
            throw FuzzFault(
                "\(leftOut) records are lost, \(counts.dropped) are counted as left out and \(counts.undrawn) feedback as not drawn"
            )
        }
        guard counts.read == counts.accepted + counts.dead + counts.dropped else {
            throw FuzzFault("counts: \(counts)")
        }
        guard counts.applied + counts.unreadable == applied, counts.unreadable == 0 else {
            throw FuzzFault("the journal has \(applied) entries, applied are \(counts.applied); \(counts)")
        }
        try checkTallies(uncounted: traffic + leftOut - Int(counts.dropped + counts.undrawn), account, &outcomes)
        outcomes.add("records", "tallied only", traffic)
    }

    private func countDeadLetters(_ account: inout Account, _ outcomes: inout FuzzOutcomes) throws {
        var deadLetters = 0
        try DeadLetterScan(transport: pipeline.cluster, topics: pipeline.topics).forEachDeadLetter { deadLetter in
            deadLetters += 1
            let location = "\(deadLetter.origin.topic)/\(deadLetter.origin.partition)/\(deadLetter.originOffset)"
            outcomes.add("dead_letters", "\(deadLetter.stage): \(deadLetter.code)")
            if ["poison", "unreadable_entry"].contains(deadLetter.code) {
                throw FuzzFault("\(location) is a dead letter as \(deadLetter.code): \(deadLetter.text)")
            }
            if deadLetter.stage == "loop" {
                account.loopDeadLetters[location, default: 0] += 1
                guard account.loopDeadLetters[location] == 1,
                    account.entries[location] == 1 || deadLetter.origin.topic == pipeline.topics[.journal]
                else { throw FuzzFault("the loop's dead letter of \(location) does not follow from one entry") }
            } else {
                account.deadLetters[location, default: 0] += 1
            }
        }
        let written = committed(.deadLetters).count { $0.record.header("flywheel.reason.code") != nil }
        guard deadLetters == written else {
            throw FuzzFault("\(written) dead letters were written, \(deadLetters) can be read")
        }
        let refused = pipeline.counts.refusals.reduce(0) { sum, refusal in
            let isDeadLetter = EntryRejection.Code(rawValue: refusal.key)?.isDeadLetter ?? true
            return sum + (isDeadLetter ? Int(refusal.value) : 0)
        }
        let loopDeadLetters = account.loopDeadLetters.values.reduce(0, +)
        guard loopDeadLetters == refused else {
            throw FuzzFault("the loop refused \(refused) entries with a dead letter and wrote \(loopDeadLetters)")
        }
        for (code, count) in pipeline.counts.refusals { outcomes.add("refusals", code, Int(count)) }
    }

    /// Checks that the tallies count all accepted predictions: those that became entries, and those that did not.
    private func checkTallies(uncounted: Int, _ account: Account, _ outcomes: inout FuzzOutcomes) throws {
        let prefix = pipeline.topics[.predictions] + "/"
        let forwarded = account.entries.filter { $0.key.hasPrefix(prefix) }.values.reduce(0, +)
        var (counted, reported) = (0, 0)
        for (_, record) in committed(.tallies) {
            let tally = try parser.withDocument(of: record.value ?? []) { try Tally(json: $0) }
            counted += Int(tally.predictions)
            reported += Int(tally.forwarded)
        }
        guard counted == uncounted + forwarded, reported == forwarded else {
            throw FuzzFault(
                "tallies count \(counted) predictions and \(reported) forwarded; accepted are \(uncounted + forwarded), forwarded \(forwarded)"
            )
        }
        outcomes.add("records", "tallied", counted)
    }

    // MARK: - Outputs

    private func checkOutputs(_ outcomes: inout FuzzOutcomes) throws {
        try read(.labelingTasks, &outcomes) { try LabelingTask(json: $0).jsonBytes }
        try read(.datasetLog, &outcomes) { try DatasetLogRecord(json: $0).jsonBytes }
        try read(.trainingRequests, &outcomes) { json in
            guard try json.object().optional("kind") == nil else { return try PredictionRequest(json: json).jsonBytes }
            return try TrainingRequest(json: json).jsonBytes
        }
        try read(.modelReleases, &outcomes) { try ModelRelease(json: $0).jsonBytes }
        try read(.releaseLog, &outcomes) { try ReleaseLogRecord(json: $0).jsonBytes }
        try read(.notices, &outcomes) { try Notice(json: $0).jsonBytes }
    }

    /// Checks that each record can be read, and occurs once.
    private func read(_ topic: Topic, _ outcomes: inout FuzzOutcomes, _ codec: (JSONValue) throws -> [UInt8]) throws {
        var ids: Set<String> = []
        for (partition, record) in committed(topic) {
            let location = "\(topic) \(partition)/\(record.offset)"
            do {
                _ = try parser.withDocument(of: record.value ?? [], codec)
            } catch {
                throw FuzzFault("\(location) cannot be read: \(error): \(record.text.prefix(400))")
            }
            guard let id = record.header("ce_id"), ids.insert(id).inserted else {
                throw FuzzFault("\(location) stands twice: \(record.header("ce_id") ?? "no id")")
            }
            outcomes.add("decisions", record.header("ce_type") ?? "none")
        }
    }

    // MARK: - Replay and state

    private func checkReplay(_ outcomes: inout FuzzOutcomes) throws {
        var projects: [String: Int32] = [:]
        for (partition, record) in committed(.journal) { projects[record.keyText] = partition }
        for (name, partition) in projects.sorted(by: { $0.key < $1.key }) {
            let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
                .verify(project: name, partition: partition)
            if let difference = report.firstDifference { throw FuzzFault("replay of \(name): \(difference)") }
            outcomes.add("replay", "projects")
            outcomes.add("replay", "decisions", report.compared)
        }
        let status = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
        defer { status.close() }
        _ = try status.summaries()
    }

    /// Checks that a new worker restores the rows that the old one had.
    func checkRestored(_ rows: [String: [[UInt8]: [UInt8]]]) throws {
        let store = try StateStore(transport: pipeline.cluster, topics: pipeline.topics)
        defer { store.close() }
        var restored: [String: LoopProject] = [:]
        for partition in 0..<Pipeline.partitions {
            restored.merge(try store.restore(partition).projects) { $1 }
        }
        for (name, expected) in rows.sorted(by: { $0.key < $1.key }) {
            let found = Dictionary(restored[name]?.changelogRows(as: name).map { ($0.key, $0.value) } ?? []) { $1 }
            guard found == expected else {
                let keys = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }
                let first = keys.map { String(decoding: $0, as: UTF8.self) }.min() ?? ""
                throw FuzzFault("project \(name) is restored with \(keys.count) rows that differ, the first: \(first)")
            }
        }
    }
}
