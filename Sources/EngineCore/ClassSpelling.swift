package import Events
package import Flywheel
package import JSON
internal import Kinds
package import StreamRuntime
internal import Telemetry
internal import Vocabulary

/// Spelling of the classes of a revision, as far as it matters: names that are not in the composed form of Unicode
/// (NFC). Tables compare two spellings of one name as equal, files as different. Projects have such names from builds
/// that accepted them; they keep those names, and new ones are refused.
package struct ClassSpelling: Hashable, Sendable {
    let revision: Int
    /// Names that are not in NFC, by position in the schema.
    let uncomposed: [Int: String]

    /// Whether all names are in NFC.
    var isComposed: Bool { uncomposed.isEmpty }

    /// Spelling of a project that has had no revision.
    package static let none = ClassSpelling(revision: 0, uncomposed: [:])

    package init(revision: Int, uncomposed: [Int: String]) {
        self.revision = revision
        self.uncomposed = uncomposed
    }

    /// - Complexity: O(bytes of the names).
    package init(_ configuration: ProjectConfiguration) {
        revision = configuration.revision
        var uncomposed: [Int: String] = [:]
        for (index, name) in configuration.question.classes.enumerated() where !ComposedText.isComposed(name) {
            uncomposed[index] = name
        }
        self.uncomposed = uncomposed
    }

    /// Describes why a revision that was published by other means than `project apply` is refused because of the
    /// spelling of its classes. A spelling that is already in force, from a build that accepted it, stays in force.
    ///
    /// - Parameters:
    ///   - configuration: The revision.
    ///   - known: The revision before it on the topic, if there is one.
    ///   - applied: The spelling that the loop has in force; nil while it is not known.
    /// - Returns: Nil if the revision may be followed.
    static func fault(of configuration: ProjectConfiguration, after known: Self?, applied: Self?) -> String? {
        // While the spelling in force is not known, no revision is refused that may be in force.
        guard let applied, applied.revision < .max else { return nil }
        // A project that has not been seen yet and whose journal is empty may have been accepted by an earlier build.
        guard known != nil || applied != .none else { return nil }
        let before = known.flatMap { $0.revision > applied.revision ? $0 : nil } ?? applied
        return before.fault(of: configuration).map {
            "\($0); the engine's tables would treat two spellings as one class, and files as two: use the spelling in force, or NFC for a new class, and apply the project again"
        }
    }

    /// Describes why a revision may neither be this one nor follow it; nil if it may.
    private func fault(of configuration: ProjectConfiguration) -> String? {
        let other = ClassSpelling(configuration)
        let classes = configuration.question.classes
        for index in Set(uncomposed.keys).union(other.uncomposed.keys).sorted() where index < classes.count {
            let name = classes[index]
            let shown = "class \(index + 1), \"\(ForeignText.line(name, limit: 100))\""
            if let known = uncomposed[index] {
                guard !known.utf8.elementsEqual(name.utf8) else { continue }
                return
                    "revision \(configuration.revision) spells \(shown), unlike revision \(revision), which is in force"
            }
            return
                "\(shown), of revision \(configuration.revision) is not in the composed form of Unicode (NFC: an accent and its letter as one character)"
        }
        return nil
    }
}

/// Class spellings that the loops have in force, read from `state` when a command needs them: once for each partition.
package final class StoredSpellings {
    private let transport: any StreamTransport
    private let topic: String
    private var byPartition: [Int32: [String: ClassSpelling]] = [:]

    package static let table = "loop.configuration"

    package init(_ transport: any StreamTransport, _ topics: TopicNames) {
        self.transport = transport
        topic = topics[.state]
    }

    /// Returns the class spelling in force for the project of a revision.
    ///
    /// - Returns: Nil where `state` cannot be read.
    /// - Complexity: O(records of the partition), the first time.
    func spelling(of configuration: ProjectConfiguration) -> ClassSpelling? {
        let partition = configuration.partition
        if byPartition[partition] == nil { byPartition[partition] = try? spellings(in: partition) }
        return byPartition[partition].map { $0[configuration.project.rawValue] ?? .none }
    }

    private func spellings(in partition: Int32) throws -> [String: ClassSpelling] {
        let scan = try TopicScan(transport: transport, topic: topic)
        defer { scan.close() }
        guard try scan.partitions().contains(partition) else { return [:] }
        var found: [String: ClassSpelling] = [:]
        let (parser, keyInfix) = (JSONParser(), Array("/\(Self.table)/".utf8))
        let end = try scan.settledEnds([partition])[partition]
        try scan.forEach(partition, until: end?.offset) { record, _, _ in
            guard let slash = record.key.firstIndex(of: UInt8(ascii: "/")),
                record.key[slash...].starts(with: keyInfix)
            else { return }
            let name = String(decoding: record.key[..<slash], as: UTF8.self)
            let isTombstone = record.value.baseAddress == nil
            found[name] = isTombstone ? nil : Self.spelling(record.value, parser)
        }
        return found
    }

    /// Decodes the class spelling from one row; a row that only a newer build can read counts as revision `.max`, under
    /// which no spelling is refused.
    package static func spelling(_ value: UnsafeRawBufferPointer, _ parser: JSONParser) -> ClassSpelling {
        (try? ProjectConfiguration(json: parser.parse(value))).map { ClassSpelling($0) }
            ?? ClassSpelling(revision: .max, uncomposed: [:])
    }
}
