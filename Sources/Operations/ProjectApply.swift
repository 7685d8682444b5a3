internal import Acquisition
internal import Datasets
public import EngineCore
public import Events
public import Flywheel
internal import Hashing
internal import Kinds
internal import Processes
public import StreamRuntime
internal import Telemetry
internal import Vocabulary

/// Writes a project's next revision to the `projects` topic. Two concurrent calls cannot both succeed: they share the
/// transactional id of the project, and the later one fences the earlier one.
public struct ProjectApply {
    /// Result of applying a file, with the revision now in force.
    public enum Outcome: Hashable, Sendable {
        /// Equal to the newest revision; nothing was written.
        case unchanged(ProjectConfiguration)
        case created(ProjectConfiguration)
        case revised(ProjectConfiguration, from: ProjectConfiguration)
        /// Written again as the next revision, with equal settings, because workers could not follow the project's
        /// newest record.
        case rewritten(ProjectConfiguration, over: ProjectFault)

        /// Revision now in force.
        public var configuration: ProjectConfiguration {
            switch self {
            case .unchanged(let configuration), .created(let configuration), .revised(let configuration, _),
                .rewritten(let configuration, _):
                configuration
            }
        }

        /// Whether the new revision requires an older format of dataset versions than the previous one.
        public var lowersFormat: Bool {
            guard case .revised(let new, let old) = self else { return false }
            return new.datasets.format ?? 1 < old.datasets.format ?? 1
        }
    }

    private let transport: any StreamTransport
    private let topics: TopicNames

    public init(transport: any StreamTransport, topics: TopicNames) {
        self.transport = transport
        self.topics = topics
    }

    /// Makes a configuration the project's next revision, unless it equals the revision in force.
    ///
    /// An equal configuration is written again if workers cannot follow the project's newest record: compaction would
    /// keep only that record, and a worker that starts afterwards would not know the project.
    ///
    /// If the configuration does not specify tokens, the first revision requires them, and a later one keeps the
    /// setting of the one before; if it does not specify the format of dataset versions, the first has the newest
    /// format, and a later one keeps the format of the one before.
    ///
    /// - Parameters:
    ///   - proposed: Its revision and partition are assigned here and may have any value.
    ///   - partitions: Number of partitions of the topics of projects.
    /// - Returns: The revision now in force, and whether it is new.
    /// - Throws: `EngineError` when classes were removed or reordered, or a new one contains invisible characters;
    ///   `StreamError` when the topic cannot be read or written.
    public func apply(_ proposed: ProjectConfiguration, partitions: Int) throws -> Outcome {
        let name = proposed.project.rawValue
        let producer = try transport.makeProducer(transactionalID: "\(topics.prefix)apply.\(name)")
        defer { producer.close() }
        try Self.retrying { () throws(StreamError) in try producer.initializeTransactions() }
        let directory = try ProjectDirectory(transport: transport, topics: topics)
        defer { directory.close() }
        try directory.readToEnd()
        // A configuration applied over a revision of a newer build would replace it on the topic and change the meaning
        // of the project's journal.
        if let reason = directory.newerBuildReasons[name] {
            throw EngineError(
                "apply project \(name)",
                "its newest revision is of a newer build: \(reason)",
                remedy:
                    "upgrade this flywheel, or use the one that applied it; if none did, write a null value under its key first"
            )
        }

        // Workers compare a configuration after a tombstone with the revision before the tombstone: it is numbered
        // after that revision and keeps its partition.
        // Where compaction has left a faulty record or a tombstone alone, the loop still has the last revision.
        let known = try directory.last(of: name) ?? AppliedRevision.read(name, transport: transport, topics: topics)
        let fault = directory.fault(of: name)
        var isEqual = false
        let next: ProjectConfiguration
        if let known {
            let completed = proposed.numbered(
                revision: known.revision,
                partition: known.partition,
                requireTokens: known.requireTokens,
                format: known.datasets.format,
                initialClasses: known.initialClasses
            )
            isEqual = completed == known && directory[name] != nil
            guard !isEqual || fault != nil else { return .unchanged(known) }
            guard known.revision < ProjectDirectory.revisionLimit else {
                throw EngineError(
                    "apply project \(name)",
                    "revision \(known.revision) is the highest possible",
                    remedy: "create another project"
                )
            }
            // Older builds did not record the initial classes; they are known if the project has a single revision.
            let isFirst = known.revision == 1
            next = completed.numbered(
                revision: known.revision + 1,
                partition: known.partition,
                initialClasses: known.initialClasses ?? (isFirst ? known.question.extent : nil)
            )
            guard next.question.kind == known.question.kind else {
                throw EngineError(
                    "apply project \(name)",
                    "kind: revision \(known.revision) asks for answers of kind \(known.question.kind.rawValue), and \(next.question.kind.rawValue) is another",
                    remedy: "the kind of a project cannot change: create another project"
                )
            }
            // String equality accepts every canonically equivalent spelling, but decisions and files contain the bytes.
            guard next.question.classes.starts(with: known.question.classes, by: { $0.utf8.elementsEqual($1.utf8) })
            else {
                throw EngineError(
                    "apply project \(name)",
                    "classes were removed, reordered or spelt otherwise, so old labels would change their meaning",
                    remedy: "append new classes only, or create another project"
                )
            }
            if let fault = next.question.fault(after: known.question) {
                throw EngineError(
                    "apply project \(name)",
                    "the next revision \(fault), so old labels would change their meaning",
                    remedy: "only extend the question, or create another project"
                )
            }
        } else {
            let partition = partition(name, directory, partitions)
            next = proposed.numbered(
                revision: 1,
                partition: partition,
                requireTokens: true,
                format: DatasetFormat.changes,
                initialClasses: proposed.question.extent
            )
        }
        // Classes of the previous revision are not checked: otherwise a project with such a class could not be revised.
        for label in next.question.classes.dropFirst(known?.question.classes.count ?? 0) {
            guard let fault = Self.fault(ofClass: label) else { continue }
            throw EngineError("apply project \(name)", "classes: \(fault.reason)", remedy: fault.remedy)
        }
        if next.acquisition.window != known?.acquisition.window, let fault = Self.fault(ofWindow: next) {
            throw EngineError("apply project \(name)", fault.reason, remedy: fault.remedy)
        }
        if let reason = next.sizeFault(isNew: !isEqual) { throw EngineError("apply project \(name)", reason) }
        do throws(StreamError) {
            try write(next, by: producer)
        } catch {
            guard error.isFenced else { throw error }
            throw EngineError(
                "apply project \(name)",
                "another apply of it began meanwhile",
                remedy: "see flywheel project show \(name), and apply again"
            )
        }
        if isEqual, let fault { return .rewritten(next, over: fault) }
        return known.map { .revised(next, from: $0) } ?? .created(next)
    }

    private func write(
        _ configuration: ProjectConfiguration,
        by producer: any TransactionalProducer
    ) throws(StreamError) {
        let name = configuration.project.rawValue
        try producer.begin()
        try producer.send([
            OutputRecord(
                topic: topics[.projects],
                partition: 0,
                key: Array(name.utf8),
                value: configuration.jsonBytes,
                headers: CloudEventHeaders(
                    id: "\(name)-revision-\(configuration.revision)",
                    source: "flywheel/\(name)/apply",
                    type: "io.flywheel.project.configured.v1",
                    time: WallClock.now(),
                    correlation: nil,
                    causation: nil
                ).recordHeaders
            )
        ])
        try Self.retrying { () throws(StreamError) in try producer.commit() }
    }

    /// Minimum window of a new budget, in milliseconds. A shorter window that is already in force stays valid, and old
    /// journals decide as before.
    private static let leastWindow: Int64 = 60_000

    /// The reason why a new window of a project is refused; nil if it is permitted.
    public static func fault(ofWindow project: ProjectConfiguration) -> (reason: String, remedy: String)? {
        guard project.acquisition.window < leastWindow else { return nil }
        return (
            "acquisition.window: expected at least 1m, found \(project.acquisition.window)ms",
            "each window that ends adds an entry to the journal, and entries are never deleted"
        )
    }

    /// The reason why a name is refused for a new class; nil if it is permitted.
    public static func fault(ofClass name: String) -> (reason: String, remedy: String)? {
        let shown = "\"\(ForeignText.line(name))\""
        if !ForeignText.isPlain(name) {
            return (
                "\(shown) holds a control, line or direction character, which is invisible",
                "write the class without it"
            )
        }
        // Joiners and variation selectors belong to scripts and pictures; the other characters are invisible.
        let joiners: Set<UInt32> = [0x200C, 0x200D, 0xFE0E, 0xFE0F]
        if let hidden = name.unicodeScalars.first(where: {
            $0.properties.isDefaultIgnorableCodePoint && !joiners.contains($0.value)
        }) {
            let code = String(hidden.value, radix: 16, uppercase: true)
            return (
                "\(shown) holds the character U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code), which is invisible",
                "write the class without it"
            )
        }
        // Two spellings that look alike are one class in tables, but two in files.
        guard !ComposedText.isComposed(name) else { return nil }
        return (
            "\(shown) is not in the composed form of Unicode (NFC: an accent and its letter as one character)",
            "write the class in NFC"
        )
    }

    /// Repeats a call a few times while its error can be retried; each attempt has its own timeout.
    private static func retrying(_ body: () throws(StreamError) -> Void) throws(StreamError) {
        for _ in 0..<3 {
            do throws(StreamError) { return try body() } catch {
                guard error.disposition == .retry else { throw error }
            }
        }
        try body()
    }

    /// The partition with the fewest projects; among equals, the first one at or after the position given by the
    /// project's hash.
    private func partition(_ name: String, _ directory: ProjectDirectory, _ partitions: Int) -> Int32 {
        var load = [Int](repeating: 0, count: max(1, partitions))
        for project in directory.projects.values where Int(project.partition) < load.count {
            load[Int(project.partition)] += 1
        }
        let start = Int(xxh64(name) % UInt64(load.count))
        var best = start
        for step in load.indices where load[(start + step) % load.count] < load[best] {
            best = (start + step) % load.count
        }
        return Int32(best)
    }
}
