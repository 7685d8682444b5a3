package import DatasetFiles
internal import Events
internal import Foundation
internal import Hashing
internal import Materializer
package import Statistics
package import Storage
package import Synchronization
internal import Testing
package import Vocabulary

/// Versions of form 2 of a project, sealed one after the other, and their content.
package struct PagedVersions {
    package static let classes = ["bee", "moth", "wasp"]
    package let folder: String
    package let store: DatasetStore
    package private(set) var sequence: Int64 = 0
    package private(set) var versionNumber = 0
    /// Lines of the newest version by split, in the order of the log.
    package private(set) var lines: [Split: [[UInt8]]] = [:]
    package private(set) var versions: [SealedVersion] = []
    private var generator: SplitMix64

    package init(seed: UInt64 = 1, objects: ((String) throws -> any ObjectStore)? = nil) throws {
        generator = SplitMix64(seed: seed)
        folder = NSTemporaryDirectory() + "pages-\(UUID().uuidString)"
        store = DatasetStore(objects: try objects?(folder) ?? FolderStore(root: folder))
    }

    package func remove() { try? FileManager.default.removeItem(atPath: folder) }

    /// Seals a version with the given number of new labels, as often as requested.
    ///
    /// - Parameters:
    ///   - labels: Number of new labels of each version.
    ///   - form: The form of the cut.
    ///   - factFormat: The format of the facts.
    ///   - times: Number of versions.
    /// - Throws: Errors of the store or the sealer.
    package mutating func cut(_ labels: Int, form: Int = 2, factFormat: Int = 1, times: Int = 1) throws {
        for _ in 0..<times {
            var waiting = WaitingLabels.Project(firstOffset: 0)
            for _ in 0..<labels {
                sequence += 1
                let fact = Self.fact(sequence, factFormat, &generator)
                let line = DatasetLine.bytes(
                    fact,
                    names: [Self.classes[fact.consensus.label.classIndex?.rawValue ?? 0]]
                )
                waiting.lines[fact.split, default: []].append(.init(sequence: sequence, bytes: line))
                lines[fact.split, default: []].append(line)
            }
            sequence += 1
            versionNumber += 1
            let cut = VersionCut(
                versionNumber: versionNumber,
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

    package static func fact(_ sequence: Int64, _ format: Int = 1, _ generator: inout SplitMix64) -> LabelFact {
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

    /// Returns the lines of a version that a reader provides, by split.
    package static func read(_ store: DatasetStore, _ manifest: DatasetManifest) throws -> [Split: [[UInt8]]] {
        var lines: [Split: [[UInt8]]] = [:]
        try store.reader(of: manifest).forEachLine { line in
            lines[line.split, default: []].append(Array(line.bytes) + [0x0A])
        }
        return lines
    }

    package func manifest(_ versionNumber: Int? = nil) throws -> DatasetManifest {
        try #require(try store.manifest(Scenario.project, versionNumber: versionNumber ?? self.versionNumber))
    }
}

extension Probability {
    package static let one: Probability = {
        guard let one = Probability(1) else { preconditionFailure("1 is a probability") }
        return one
    }()
}

/// Counts the data that is read from and written to a store.
package final class CountingStore: ObjectStore {
    package struct Traffic: Hashable {
        package var reads: [String: Int] = [:]
        package var bytesRead = 0
        package var written: [String: Int] = [:]
    }

    private let store: any ObjectStore
    private let state = Mutex(Traffic())
    /// Part of the names of the objects that cannot be read at present; nil if all can be read.
    package let unavailablePart = Mutex<String?>(nil)
    package var traffic: Traffic { state.withLock { $0 } }
    package func reset() { state.withLock { $0 = Traffic() } }

    package init(_ store: any ObjectStore) { self.store = store }

    package var location: String { store.location }
    package func uri(of name: String) throws(StorageError) -> ObjectURI { try store.uri(of: name) }
    package func size(of name: String) throws(StorageError) -> Int? { try store.size(of: name) }
    package func isLink(_ name: String) throws(StorageError) -> Bool { try store.isLink(name) }
    package func remove(_ name: String) throws(StorageError) { try store.remove(name) }
    package func entries(_ folder: String) throws(StorageError) -> [ObjectEntry] { try store.entries(folder) }
    package func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int {
        try store.removeLeftovers(olderThan: age)
    }

    package func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        let isUnavailable = unavailablePart.withLock { part in part.map { name.contains($0) } ?? false }
        guard !isUnavailable else { throw StorageError(.unavailable, "read", name, reason: "503 SlowDown") }
        let bytes = try store.read(name, maximumSize: maximumSize)
        state.withLock { state in
            state.reads[name, default: 0] += 1
            state.bytesRead += bytes.count
        }
        return bytes
    }

    package func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
        let bytes = try store.read(name, range: range)
        state.withLock { $0.bytesRead += bytes.count }
        return bytes
    }

    package func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
        let isNew = try store.put(bytes, as: name)
        if isNew { state.withLock { $0.written[name] = bytes.count } }
        return isNew
    }

    package func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        try store.write(bytes, to: name)
        state.withLock { $0.written[name] = bytes.count }
    }
}
