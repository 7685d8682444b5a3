import DatasetFiles
import Events
import Foundation
import JSON
import Materializer
import Statistics
import Storage
import StreamRuntime
import Vocabulary

/// A project's dataset log as the materializer reads it, and the materializer itself: the processor that a worker runs,
/// without a broker.
final class DatasetHistory {
    static let project = ProjectID("bench")
    private static let classes = (0..<10).map { "class-\($0)" }
    private static let time: Int64 = 1_767_225_600_000
    private static let partition: Int32 = 0

    let objects: CountedStore
    let store: DatasetStore
    private let processor: MaterializerProcessor
    private let topics = TopicNames(prefix: "bench.")
    private let batch = RecordBatch()
    private let confidence: Probability
    /// Number of the format of facts and versions.
    private let form: Int
    /// Distinct embeddings, which are reused.
    private let embeddings: [[Float]]
    private var generator = SplitMix64(seed: 1)
    private var offset: Int64 = 0
    private var sequence: Int64 = 0
    private(set) var versionNumber = 0
    private(set) var labels = 0
    private var counts: [Split: Int] = [:]

    init(folder: String, dimension: Int, form: Int) throws {
        self.form = form
        objects = CountedStore(try FolderStore(root: folder))
        guard let confidence = Probability(0.96875) else { throw BenchmarkError("no probability") }
        self.confidence = confidence
        store = DatasetStore(objects: objects)
        processor = MaterializerProcessor(topics: topics, transport: nil, store: store)
        var generator = SplitMix64(seed: 2)
        embeddings = (0..<1_000).map { _ in
            (0..<dimension).map { _ in Float(Float16(generator.nextNormal())) }
        }
        let partition = TopicPartition(topics[.datasetLog], Self.partition)
        _ = try processor.assigned([partition], committed: [:])
    }

    /// Accepts a number of labels and cuts a version of them.
    ///
    /// - Returns: Seconds from the cut to its announcement.
    @discardableResult
    func cut(_ count: Int) throws -> Double {
        var remaining = count
        while remaining > 0 {
            let records = (0..<min(remaining, 1_000)).map { _ in label() }
            try process(records)
            remaining -= records.count
        }
        sequence += 1
        versionNumber += 1
        let cut = VersionCut(
            versionNumber: versionNumber,
            sequence: sequence,
            training: counts[.training] ?? 0,
            validation: counts[.validation] ?? 0,
            test: counts[.test] ?? 0,
            classes: Self.classes,
            format: form
        )
        let record = bytes(.cut(cut))
        let began = ProcessUsage.now().clock
        let outputs = try process([record])
        guard outputs == 1 else {
            throw BenchmarkError("version \(versionNumber) was not announced: \(processor.stops)")
        }
        return ProcessUsage.now().clock - began
    }

    private func label() -> [UInt8] {
        sequence += 1
        labels += 1
        let draw = generator.next()
        let split: Split = draw % 10 == 0 ? .test : .training
        counts[split, default: 0] += 1
        let label = Int(draw / 10 % 10)
        let embedding = embeddings[Int(draw / 100 % UInt64(embeddings.count))]
        let consensus = ConsensusLabel(
            task: TaskID("bench-\(sequence)-0"),
            sample: Sample(
                id: SampleID("sample-\(sequence)"),
                embedding: embedding.isEmpty ? nil : embedding,
                space: embedding.isEmpty ? nil : SpaceID("bench-1")
            ),
            purpose: split == .test ? .audit : .acquisition,
            label: .choice(ClassIndex(label)),
            confidence: confidence,
            votes: [Vote(annotator: AnnotatorID("ann-1"), answer: .choice(ClassIndex(label)))],
            predictedAt: StreamTime(milliseconds: Self.time + sequence)
        )
        let fact = LabelFact(
            consensus: consensus,
            split: split,
            sequence: sequence,
            format: form,
            acceptedAt: form == 1 ? nil : StreamTime(milliseconds: Self.time + sequence + 60_000),
            inclusionProbability: form > 1 && split == .test ? 0.1 : nil,
            propensity: form == 1 || split == .test ? nil : 0.25
        )
        return bytes(.accepted(fact, names: [Self.classes[label]]))
    }

    private func bytes(_ record: DatasetLogRecord) -> [UInt8] {
        var writer = JSONWriter()
        record.write(to: &writer, project: Self.project)
        return writer.bytes
    }

    /// Passes records to the processor, and commits.
    ///
    /// - Returns: The number of records that the processor wrote.
    @discardableResult
    private func process(_ records: [[UInt8]]) throws -> Int {
        // One buffer for all records, valid until they are processed.
        var all: [UInt8] = []
        for record in records { all += record }
        var transaction = PendingTransaction()
        try all.withUnsafeBytes { buffer in
            var start = 0
            batch.records.removeAll(keepingCapacity: true)
            for record in records {
                batch.records.append(
                    RecordView(
                        topic: 0,
                        partition: Self.partition,
                        offset: offset,
                        timestamp: Self.time,
                        key: UnsafeRawBufferPointer(start: nil, count: 0),
                        value: UnsafeRawBufferPointer(rebasing: buffer[start..<start + record.count])
                    )
                )
                start += record.count
                offset += 1
            }
            try processor.process(batch, topics: [topics[.datasetLog]], into: &transaction)
        }
        try processor.willCommit(into: &transaction)
        processor.committed()
        return transaction.outputs.count
    }
}
