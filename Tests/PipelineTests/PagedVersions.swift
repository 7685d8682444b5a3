import Events
import Foundation
import Hashing
import Statistics
import Storage
import Synchronization
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import Materializer

/// Versions of form 2 of a project, sealed one after the other, and what is in them.
struct PagedVersions {
    static let classes = ["bee", "moth", "wasp"]
    let folder: String
    let store: DatasetStore
    private(set) var sequence: Int64 = 0
    private(set) var ordinal = 0
    /// Lines that hold, by split, in the order of the log.
    private(set) var lines: [Split: [[UInt8]]] = [:]
    private(set) var versions: [SealedVersion] = []
    private var generator: SplitMix64

    init(seed: UInt64 = 1, objects: ((String) throws -> any ObjectStore)? = nil) throws {
        generator = SplitMix64(seed: seed)
        folder = NSTemporaryDirectory() + "pages-\(UUID().uuidString)"
        store = DatasetStore(objects: try objects?(folder) ?? FolderStore(root: folder))
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    /// Seals a version of so many new labels, as often as asked.
    ///
    /// - Parameters:
    ///   - labels: New labels of each.
    ///   - form: Of the cut.
    ///   - facts: Format of the facts.
    ///   - times: How many versions.
    /// - Throws: Whatever the store or the sealer does.
    mutating func cut(_ labels: Int, form: Int = 2, facts: Int = 1, times: Int = 1) throws {
        for _ in 0..<times {
            var waiting = WaitingLabels.Project(from: 0)
            for _ in 0..<labels {
                sequence += 1
                let fact = Self.fact(sequence, facts, &generator)
                let line = DatasetLine.bytes(
                    fact,
                    names: [Self.classes[fact.consensus.label.classIndex?.rawValue ?? 0]]
                )
                waiting.lines[fact.split, default: []].append(.init(sequence: sequence, bytes: line))
                lines[fact.split, default: []].append(line)
            }
            sequence += 1
            ordinal += 1
            let cut = VersionCut(
                ordinal: ordinal,
                sequence: sequence,
                training: lines[.training]?.count ?? 0,
                validation: lines[.validation]?.count ?? 0,
                test: lines[.test]?.count ?? 0,
                classes: Self.classes,
                format: form
            )
            versions.append(try #require(try VersionSealer(store: store).seal(Scenario.project, cut, waiting)))
        }
    }

    static func fact(_ sequence: Int64, _ format: Int = 1, _ generator: inout SplitMix64) -> LabelFact {
        let label = Int(generator.next() % 3)
        let split: Split = [.training, .training, .training, .validation, .test][Int(generator.next() % 5)]
        let values = (0..<4).map { Float(generator.nextNormal()) + ($0 == label ? 2 : 0) }
        let consensus = ConsensusLabel(
            task: TaskID("t\(sequence)"),
            sample: Sample(id: SampleID("s\(sequence)"), embedding: values),
            purpose: split == .training ? .acquisition : .audit,
            label: .choice(ClassIndex(label)),
            confidence: Probability(1) ?? .one,
            votes: [],
            predictedAt: StreamTime(milliseconds: sequence)
        )
        return LabelFact(consensus: consensus, split: split, sequence: sequence, format: format)
    }

    /// Lines that a reader returns of a version, by split.
    static func read(_ store: DatasetStore, _ manifest: DatasetManifest) throws -> [Split: [[UInt8]]] {
        var lines: [Split: [[UInt8]]] = [:]
        try store.reader(of: manifest).forEachLine { line in
            lines[line.split, default: []].append(Array(line.bytes) + [0x0A])
        }
        return lines
    }

    func manifest(_ ordinal: Int? = nil) throws -> DatasetManifest {
        try #require(try store.manifest(Scenario.project, ordinal: ordinal ?? self.ordinal))
    }
}

extension Probability {
    static let one: Probability = {
        guard let one = Probability(1) else { preconditionFailure("1 is a probability") }
        return one
    }()
}

/// Counts what is read and written of a store.
final class CountingStore: ObjectStore {
    struct Traffic: Hashable {
        var reads: [String: Int] = [:]
        var bytesRead = 0
        var written: [String: Int] = [:]
    }

    private let store: any ObjectStore
    private let state = Mutex(Traffic())
    /// Names of which no object can be read, for now.
    let away = Mutex<String?>(nil)
    var traffic: Traffic { state.withLock { $0 } }
    func reset() { state.withLock { $0 = Traffic() } }

    init(_ store: any ObjectStore) { self.store = store }

    var location: String { store.location }
    func uri(of name: String) throws(StorageError) -> ObjectURI { try store.uri(of: name) }
    func size(of name: String) throws(StorageError) -> Int? { try store.size(of: name) }
    func isLink(_ name: String) throws(StorageError) -> Bool { try store.isLink(name) }
    func remove(_ name: String) throws(StorageError) { try store.remove(name) }
    func entries(_ folder: String) throws(StorageError) -> [ObjectEntry] { try store.entries(folder) }
    func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int {
        try store.removeLeftovers(olderThan: age)
    }

    func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        let isAway = away.withLock { part in part.map { name.contains($0) } ?? false }
        guard !isAway else { throw StorageError(.unavailable, "read", name, reason: "503 SlowDown") }
        let bytes = try store.read(name, maximumSize: maximumSize)
        state.withLock { state in
            state.reads[name, default: 0] += 1
            state.bytesRead += bytes.count
        }
        return bytes
    }

    func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
        let bytes = try store.read(name, range: range)
        state.withLock { $0.bytesRead += bytes.count }
        return bytes
    }

    func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
        let isNew = try store.put(bytes, as: name)
        if isNew { state.withLock { $0.written[name] = bytes.count } }
        return isNew
    }

    func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        try store.write(bytes, to: name)
        state.withLock { $0.written[name] = bytes.count }
    }
}
