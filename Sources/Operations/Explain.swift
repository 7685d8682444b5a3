internal import Acquisition
internal import EngineCore
public import Events
public import Flywheel
internal import JSON
internal import Loop
public import StreamRuntime
internal import Tables
public import Vocabulary

/// Finds out why a sample was queried, or was not, from the records on the topics; nothing is decided again.
public struct Explain {
    let transport: any StreamTransport
    let topics: TopicNames
    let salt: [UInt8]

    /// Reads over `transport`. Without the workers' `salt`, no score is reported when the score is a random draw.
    public init(transport: any StreamTransport, topics: TopicNames, salt: [UInt8] = []) {
        self.transport = transport
        self.topics = topics
        self.salt = salt
    }

    /// Explains a sample.
    ///
    /// The journal is read completely; `predictions` only if the sample is not a candidate in it. Each topic is read up
    /// to its last committed record; open transactions are not waited for.
    ///
    /// - Parameters:
    ///   - sample: The id of the sample.
    ///   - configuration: The project's newest revision.
    ///   - since: Predictions written before this time are not read, in milliseconds since 1970.
    /// - Returns: The known facts, and the ranges that were read to find them.
    /// - Throws: An error when a topic cannot be read, or the project's journal holds an entry that only a newer build
    ///   can read. A sample about which nothing is known is no error.
    /// - Complexity: O(*n*) in the records of the project's partitions and in the records of `predictions` after
    ///   `since`; memory O(1) in both, except for the loop's state.
    public func explain(
        _ sample: SampleID,
        of configuration: ProjectConfiguration,
        since: Int64
    ) throws -> Explanation {
        var explanation = Explanation(project: configuration.project.rawValue, sample: sample.rawValue)
        try readJournal(sample, configuration, into: &explanation)
        try readOutcome(sample, configuration, into: &explanation)
        if explanation.appearances.isEmpty {
            try readPredictions(sample, configuration, since: since, into: &explanation)
        } else {
            try readThresholds(configuration, into: &explanation)
        }
        return explanation
    }

    /// Current ends of the partitions of a topic; a topic with more records after an open transaction is recorded in
    /// `heldBack`.
    static func settledEnds(
        _ scan: TopicScan,
        _ partitions: [Int32],
        of topic: Topic,
        _ heldBack: inout [Topic]
    ) throws(StreamError) -> [Int32: SettledEnd] {
        let ends = try scan.settledEnds(partitions)
        let isHeldBack = ends.values.contains { $0.isHeldBack }
        if isHeldBack, !heldBack.contains(topic) { heldBack.append(topic) }
        return ends
    }

    static func makeParser() -> JSONParser { JSONParser(maximumDepth: 64, maximumSize: 16 << 20) }

    private func readJournal(
        _ sample: SampleID,
        _ configuration: ProjectConfiguration,
        into explanation: inout Explanation
    ) throws {
        let parser = Self.makeParser()
        let name = Array(configuration.project.rawValue.utf8)
        let scan = try TopicScan(transport: transport, topic: topics[.journal])
        defer { scan.close() }
        let ends = try Self.settledEnds(scan, [configuration.partition], of: .journal, &explanation.heldBack)
        try scan.forEach(configuration.partition, until: ends[configuration.partition]?.offset) { record, _, _ in
            // The loop numbers only the entries that it can read.
            guard record.key.elementsEqual(name), let entry = try record.journalEntry(parser) else { return }
            explanation.searched.entries += 1
            guard case .candidate(let candidate) = entry.body, candidate.sample.id == sample else { return }
            explanation.appearances.append(
                Explanation.Appearance(
                    entryNumber: explanation.searched.entries,
                    partition: record.partition,
                    offset: record.offset,
                    time: StreamTime(milliseconds: record.timestamp),
                    candidate: candidate
                )
            )
            if explanation.appearances.count > Explanation.predictionLimit { explanation.appearances.removeFirst() }
        }
    }

    // MARK: - What the loop decided

    private func readOutcome(
        _ sample: SampleID,
        _ configuration: ProjectConfiguration,
        into explanation: inout Explanation
    ) throws {
        // A label may have been imported for a sample that no model has predicted yet.
        guard !explanation.appearances.isEmpty else {
            let outcome = try locate(sample, nil, configuration, lastOffset: 0, into: &explanation)
            guard case .queriedBefore = outcome else { return }
            explanation.outcome = outcome
            explanation.label = try label(of: sample, configuration, &explanation.heldBack)
            return
        }
        if let task = try task(of: sample, configuration, &explanation.heldBack) {
            explanation.outcome = .queried(task)
        } else {
            let lastOffset = explanation.appearances.map(\.offset).max() ?? 0
            let candidate = explanation.appearances.last { $0.offset == lastOffset }?.candidate
            explanation.outcome = try locate(
                sample,
                candidate,
                configuration,
                lastOffset: lastOffset,
                into: &explanation
            )
        }
        explanation.label = try label(of: sample, configuration, &explanation.heldBack)
    }

    /// The newest record of the sample's task.
    private func task(
        of sample: SampleID,
        _ configuration: ProjectConfiguration,
        _ heldBack: inout [Topic]
    ) throws -> LabelingTask? {
        var found: LabelingTask?
        try forEachRecord(naming: sample, under: configuration, in: .labelingTasks, heldBack: &heldBack) { json in
            guard let task = try? LabelingTask(json: json), task.sample.id == sample else { return }
            found = task
        }
        return found
    }

    private func label(
        of sample: SampleID,
        _ configuration: ProjectConfiguration,
        _ heldBack: inout [Topic]
    ) throws -> DatasetLabel? {
        var found: DatasetLabel?
        try forEachRecord(naming: sample, under: configuration, in: .datasetLog, heldBack: &heldBack) { json in
            switch try? DatasetLogRecord(json: json) {
            case .accepted(let fact, let names)? where fact.consensus.sample.id == sample:
                found = DatasetLabel(
                    className: names.joined(separator: ", "),
                    confidence: fact.consensus.confidence.value,
                    split: fact.split,
                    sequence: fact.sequence,
                    audit: fact.audit
                )
            case .changed(let change, let names, let former)? where change.sample == sample:
                found?.apply(change, names, former)
            case .accepted, .changed, .cut, nil: break
            }
        }
        return found
    }

    /// Calls `body` for each record of a topic that names the project and may name the sample.
    private func forEachRecord(
        naming sample: SampleID,
        under configuration: ProjectConfiguration,
        in topic: Topic,
        heldBack: inout [Topic],
        _ body: (JSONValue) throws -> Void
    ) throws {
        let parser = Self.makeParser()
        let search = TextSearch(sample.rawValue)
        let scan = try TopicScan(transport: transport, topic: topics[topic])
        defer { scan.close() }
        let ends = try Self.settledEnds(scan, [configuration.partition], of: topic, &heldBack)
        try scan.forEach(configuration.partition, until: ends[configuration.partition]?.offset) { record, _, _ in
            guard record.value.baseAddress != nil, search.mayOccur(in: record.value),
                let json = try? parser.parse(record.value),
                (try? json.object().string("project")) == configuration.project.rawValue
            else { return }
            try body(json)
        }
    }

    /// Finds the table of the loop that holds the sample. `lastOffset` is the journal offset of its last entry.
    private func locate(
        _ sample: SampleID,
        _ candidate: Candidate?,
        _ configuration: ProjectConfiguration,
        lastOffset: Int64,
        into explanation: inout Explanation
    ) throws -> Explanation.Outcome {
        let store = try StateStore(transport: transport, topics: topics)
        defer { store.close() }
        let end = try store.settledEnd(configuration.partition)
        if end?.isHeldBack ?? false { explanation.heldBack.append(.state) }
        var restored = RestoredPartition()
        try store.follow(configuration.partition, &restored, until: end?.offset)
        let project = restored.projects[configuration.project.rawValue]
        explanation.space = project?.state.acquisition.knownSpace(configuration.embedding) ?? configuration.embedding
        if let state = project?.state.acquisition {
            if let purpose = state.accounts.queried[sample] { return .queriedBefore(purpose) }
            if state.audit.candidates[sample] != nil { return .waiting("audit", triggers: []) }
            if let row = state.triggers.triggered[sample] { return .waiting("triggered", triggers: row.triggers) }
            if let row = state.pool.candidates[sample] {
                return row.setAside.map { .setAside(isKnown: $0 == .known) } ?? .waiting("pool", triggers: [])
            }
            if let row = state.triggers.pending[sample] {
                return .waiting("awaiting", triggers: row.pendingTriggers)
            }
            let purpose: TaskPurpose = candidate?.auditProbability == nil ? .acquisition : .audit
            switch candidate.flatMap({ state.sides.obstacle($0.sample, purpose) }) {
            case .copy(let first): return .copy(first)
            case .group(let first): return .otherSide(first)
            case nil: break
            }
        }
        if let fault = candidate.flatMap({ explanation.space?.fault(of: $0.sample) }) { return .outOfSpace(fault) }
        let next = project?.pause?.next ?? restored.position?.journalOffset ?? 0
        return lastOffset < next ? .passedOver : .notApplied(pause: project?.pause?.text)
    }
}

/// Finds a text in records without parsing them.
struct TextSearch {
    private let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    /// Whether the text may occur in a JSON record. True for a record with any escape, because an escape may hide the
    /// text.
    ///
    /// - Complexity: O(*n*·*m*) at worst, O(*n*) usually.
    func mayOccur(in value: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first else { return true }
        for start in value.indices {
            if value[start] == 0x5C { return true }
            guard value[start] == first, value.count - start >= bytes.count else { continue }
            var length = 1
            while length < bytes.count, value[start + length] == bytes[length] { length += 1 }
            if length == bytes.count { return true }
        }
        return false
    }
}
