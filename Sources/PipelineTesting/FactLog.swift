package import DatasetFiles
package import Events
internal import Foundation
internal import JSON
internal import Statistics
package import Storage
package import StreamRuntime
internal import Synchronization
package import Vocabulary

/// A dataset log with all kinds of facts, generated from a seed, and the expected content of the versions cut from it,
/// folded in the simplest possible way.
package struct FactLog {
    /// A label in the expected content of a version.
    package struct Label: Hashable {
        package var sequence: Int64
        package var sample: String
        package var className: String
        package var index: Int
        package var split: Split
        package var votes: Int
        package var embedding: [Float]?
        package var task: String
        /// Reasons of the last revision and the last move.
        package var revised: String?
        package var moved: String?
    }

    package static let classes = ["bee", "moth", "wasp"]
    package private(set) var records: [DatasetLogRecord] = []
    /// Labels in force at each cut, in the order of their sequence numbers.
    package private(set) var versions: [[Label]] = []
    package private(set) var semanticVersions: [String] = []

    /// Creates a log of `facts` facts and cuts; if the seed is odd, about the first quarter of them has format 1.
    package init(seed: UInt64, facts: Int = 60) {
        var generator = SplitMix64(seed: seed)
        var labelsInForce: [String: Label] = [:]
        var sequence: Int64 = 0
        var retracted: [String] = []
        // Sequence numbers of the labels in the latest version.
        var sealed: Set<Int64> = []
        var (major, minor, isAddition) = (1, -1, true)
        var format = seed % 2 == 1 ? 1 : 2
        for number in 0..<facts {
            sequence += 1
            let kind = number == facts - 1 ? 99 : Int(generator.next() % 100)
            if format == 1, number > facts / 4 { format = 2 }
            let candidates = labelsInForce.values.sorted { $0.sequence < $1.sequence }
            if kind >= 88, candidates.contains(where: { $0.split == .training }) {
                func count(_ split: Split) -> Int { candidates.count { $0.split == split } }
                records.append(
                    .cut(
                        VersionCut(
                            versionNumber: versions.count + 1,
                            sequence: sequence,
                            training: count(.training),
                            validation: count(.validation),
                            test: count(.test),
                            classes: Self.classes,
                            format: format
                        )
                    )
                )
                versions.append(candidates)
                if isAddition || versions.count == 1 { minor += 1 } else { (major, minor) = (major + 1, 0) }
                semanticVersions.append("\(major).\(minor).0")
                (sealed, isAddition) = (Set(candidates.map(\.sequence)), true)
                continue
            }
            guard format == 2, kind >= 45, !candidates.isEmpty else {
                let retractedSample = kind < 5 && format == 2 ? retracted.popLast() : nil
                let sample = retractedSample ?? "s\(sequence)"
                let label = Self.label(sequence, sample, &generator)
                labelsInForce[sample] = label
                records.append(.accepted(Self.fact(label, format, &generator), names: [label.className]))
                continue
            }
            var label = candidates[Int(generator.next() % UInt64(candidates.count))]
            let (replaces, split, index) = (label.sequence, label.split, label.index)
            if sealed.contains(replaces) { isAddition = false }
            let reason = ["votes counted anew", "a \"quoted\" \\ reason, with {braces}: ü", ""][
                Int(generator.next() % 3)
            ]
            label.sequence = sequence
            var (change, votes): (LabelChangeKind, [Vote]) = (.retracted, [])
            switch kind % 3 {
            case 0:
                label.index = (index + 1) % 3
                label.className = Self.classes[label.index]
                label.votes = Int(generator.next() % 3)
                label.revised = reason
                change = .revised(from: .choice(ClassIndex(index)), to: .choice(ClassIndex(label.index)))
                votes = Self.votes(label.votes, label.index)
                labelsInForce[label.sample] = label
            case 1:
                label.split = Split.allCases.filter { $0 != split }[Int(generator.next() % 2)]
                label.moved = reason
                change = .moved(from: split)
                labelsInForce[label.sample] = label
            default:
                labelsInForce[label.sample] = nil
                retracted.append(label.sample)
            }
            let fact = LabelChange(
                kind: change,
                sample: SampleID(label.sample),
                split: label.split,
                replaces: replaces,
                sequence: sequence,
                votes: votes,
                confidence: votes.isEmpty ? nil : Probability(0.75),
                reason: reason,
                by: "ann",
                at: StreamTime(milliseconds: sequence)
            )
            let isRevision = kind % 3 == 0
            records.append(
                .changed(
                    fact,
                    names: isRevision ? [label.className] : nil,
                    formerNames: isRevision ? [Self.classes[index]] : nil
                )
            )
        }
    }

    private static func label(_ sequence: Int64, _ sample: String, _ generator: inout SplitMix64) -> Label {
        let index = Int(generator.next() % 3)
        let values = (0..<4).map { _ in Float(generator.nextNormal()) }
        return Label(
            sequence: sequence,
            sample: sample,
            className: classes[index],
            index: index,
            split: [.training, .training, .validation, .test][Int(generator.next() % 4)],
            votes: Int(generator.next() % 4),
            embedding: generator.next() % 8 == 0 ? nil : values,
            task: "t\(sequence)"
        )
    }

    private static func votes(_ count: Int, _ index: Int) -> [Vote] {
        (0..<count).map { Vote(annotator: AnnotatorID("a\($0)"), answer: .choice(ClassIndex(index))) }
    }

    private static func fact(_ label: Label, _ format: Int, _ generator: inout SplitMix64) -> LabelFact {
        let consensus = ConsensusLabel(
            task: TaskID(label.task),
            sample: Sample(
                id: SampleID(label.sample),
                content: label.index == 0 ? .uri("https://x/\(label.sample)?a=\"b\"") : nil,
                embedding: label.embedding
            ),
            purpose: label.split == .test ? .audit : .acquisition,
            label: .choice(ClassIndex(label.index)),
            confidence: Probability(0.5) ?? .one,
            votes: votes(label.votes, label.index),
            predictedAt: StreamTime(milliseconds: label.sequence)
        )
        return LabelFact(
            consensus: consensus,
            split: label.split,
            sequence: label.sequence,
            format: format,
            acceptedAt: format > 1 ? StreamTime(milliseconds: label.sequence + 5) : nil,
            inclusionProbability: format > 1 && label.split == .test ? 0.125 : nil,
            propensity: format > 1 ? 0.5 : nil
        )
    }

    /// The records as they are on the topic.
    package var outputs: [OutputRecord] {
        records.map { record in
            var writer = JSONWriter()
            record.write(to: &writer, project: Scenario.project)
            return OutputRecord(topic: "t.dataset-log", partition: Scenario.partition, key: [0x6B], value: writer.bytes)
        }
    }

    /// Returns the labels in the lines of a version, in the order of their sequence numbers.
    package static func read(_ store: DatasetStore, _ manifest: DatasetManifest) throws -> [Label] {
        var labels: [Label] = []
        try store.reader(of: manifest).forEachLine { line in
            let object = try line.object.get()
            let sample = try object.object("sample")
            let label = try object.object("label")
            var embedding: [Float] = []
            try sample.optionalArray("embedding")?.floats(into: &embedding)
            let name = try label.string("class")
            labels.append(
                Label(
                    sequence: try object.int64("sequence"),
                    sample: try sample.string("id"),
                    className: name,
                    index: try label.optionalInt("index", in: 0...9) ?? classes.firstIndex(of: name) ?? -1,
                    split: line.split,
                    votes: try object.int("votes"),
                    embedding: embedding.isEmpty ? nil : embedding,
                    task: try object.string("task"),
                    revised: try object.optionalObject("revised")?.string("reason"),
                    moved: try object.optionalObject("moved")?.string("reason")
                )
            )
        }
        return labels.sorted { $0.sequence < $1.sequence }
    }
}

/// Objects in memory; after a planned crash, no further change is made.
package final class MemoryStore: ObjectStore {
    private struct State {
        var objects: [String: [UInt8]] = [:]
        /// Times of writing, in seconds since 1970, of objects for which a test has set one.
        var times: [String: Int64] = [:]
        var writes = 0
        var hasCrashed = false
    }

    /// The last write before the end of the process, by its number, and whether it is executed.
    package struct Crash: Hashable, Sendable {
        package let number: Int
        package let isDone: Bool

        package init(number: Int, isDone: Bool) {
            self.number = number
            self.isDone = isDone
        }
    }

    private let state: Mutex<State>
    private let crash = Mutex<Crash?>(nil)

    /// Creates a store with the given objects.
    package init(_ objects: [String: [UInt8]] = [:]) { state = Mutex(State(objects: objects)) }

    package var objects: [String: [UInt8]] { state.withLock { $0.objects } }
    package var writes: Int { state.withLock { $0.writes } }
    package func set(_ crash: Crash?) {
        self.crash.withLock { $0 = crash }
        state.withLock { state in
            state.hasCrashed = false
            state.writes = 0
        }
    }

    package var location: String { "memory" }
    package func uri(of name: String) throws(StorageError) -> ObjectURI {
        try ObjectName.check(name)
        guard let uri = FileURI(path: "/memory/\(name)") else { throw StorageError.processEnded }
        return .file(uri)
    }

    package func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        try ObjectName.check(name)
        guard let bytes = state.withLock({ $0.objects[name] }) else {
            throw StorageError(.notFound, "read", name, reason: "it is not there")
        }
        guard bytes.count <= maximumSize else {
            throw StorageError(.tooLarge, "read", name, reason: "\(bytes.count) bytes")
        }
        return bytes
    }

    package func size(of name: String) throws(StorageError) -> Int? { state.withLock { $0.objects[name]?.count } }

    /// Applies a change unless the process has ended; throws if it has, or ends with this change.
    private func change(_ body: (inout [String: [UInt8]]) -> Void) throws(StorageError) {
        let crash = crash.withLock { $0 }
        let isAlive = state.withLock { state in
            guard !state.hasCrashed else { return false }
            let isLast = crash?.number == state.writes
            state.writes += 1
            if isLast { state.hasCrashed = true }
            if !isLast || crash?.isDone == true { body(&state.objects) }
            return !isLast
        }
        guard isAlive else { throw StorageError.processEnded }
    }

    package func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
        try ObjectName.check(name)
        let bytes = Array(bytes)
        if let known = state.withLock({ $0.objects[name] }) {
            guard known == bytes else { throw StorageError(.conflict, "put", name, reason: "other bytes are there") }
            return false
        }
        try change { $0[name] = bytes }
        return true
    }

    package func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        try ObjectName.check(name)
        let bytes = Array(bytes)
        try change { $0[name] = bytes }
    }

    package func remove(_ name: String) throws(StorageError) { try change { $0[name] = nil } }
    package func entries(_ folder: String) throws(StorageError) -> [ObjectEntry] {
        let (objects, times) = state.withLock { ($0.objects, $0.times) }
        return objects.filter { folder.isEmpty || $0.key.hasPrefix("\(folder)/") }.map {
            ObjectEntry(name: $0.key, size: $0.value.count, modified: times[$0.key] ?? 0)
        }.sortedByName()
    }

    package func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
        let bytes = try read(name, maximumSize: .max)
        return Array(bytes[min(range.lowerBound, bytes.count)..<min(range.upperBound, bytes.count)])
    }

    /// Sets the time at which an object was written, in seconds since 1970; all others are from 1970.
    package func setTime(_ seconds: Int64, of name: String) { state.withLock { $0.times[name] = seconds } }
    package func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int { 0 }
}
