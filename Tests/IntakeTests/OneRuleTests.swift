import Acquisition
import Events
import Flywheel
import PipelineTesting
import Statistics
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import Intake

/// The verdict on a record, counted or refused, must not depend on whether its sample is forwarded: by the hash of the
/// audit sample, one record in ten is parsed in full, and nine are only scanned.
@Suite("One rule for forwarded records and records that are only counted")
struct OneRuleTests {
    /// An Intake of one project that forwards all its candidates, or none.
    private final class SingleIntake {
        let processor: IntakeProcessor
        private let intake: Any
        private let batch = RecordBatch()
        private let time: Int64
        private var offset: Int64 = 0
        /// Records that were judged without being parsed.
        private(set) var scans = 0
        /// Candidates and revisions written.
        private(set) var written = 0

        init(_ space: EmbeddingSpace?, forwardsAll: Bool) throws {
            let usual = Scenario.configuration()
            var acquisition = usual.acquisition
            acquisition.auditCutoff = forwardsAll ? 1 : 0
            let pipeline = try Pipeline(
                configuration: ProjectConfiguration(
                    project: usual.project,
                    revision: 1,
                    partition: usual.partition,
                    schema: usual.schema,
                    acquisition: acquisition,
                    embedding: space
                )
            )
            // Nothing is forwarded because the pool has free capacity.
            let runner = try pipeline.makeIntake(readsState: false)
            try runner.settle()
            processor = try #require(runner.processor as? IntakeProcessor)
            (intake, time) = (runner, pipeline.clock.now)
        }

        /// The code and text of the reason for which a record is refused; nil if it is counted.
        func verdict(_ bytes: [UInt8]) throws -> [String]? {
            try bytes.withUnsafeBytes { bytes in
                let record = RecordView(
                    topic: 0,
                    partition: 0,
                    offset: offset,
                    timestamp: time,
                    key: UnsafeRawBufferPointer(start: nil, count: 0),
                    value: bytes
                )
                offset += 1
                if processor.scan(record, at: time) != nil { scans += 1 }
                batch.records = [record]
                var transaction = PendingTransaction()
                try processor.process(
                    batch,
                    topics: IntakeProcessor.inputs.map { processor.topics[$0] },
                    into: &transaction
                )
                let refused = processor.pendingCounts.deadTotal
                #expect(processor.pendingCounts.read == 1 && processor.pendingCounts.accepted + refused == 1)
                written += transaction.outputs.count
                defer { processor.aborted() }
                guard refused == 1 else { return nil }
                let headers = processor.pendingDeadLetter?.headers ?? []
                return ["flywheel.reason.code", "flywheel.reason.text"].map { name in
                    headers.first { $0.name == name }.map { String(decoding: $0.value ?? [], as: UTF8.self) } ?? ""
                }
            }
        }
    }

    private static let spaces: [EmbeddingSpace?] = [
        nil, EmbeddingSpace(name: SpaceID("e1"), dimension: 2, norm: 50), EmbeddingSpace(norm: 1.1),
        EmbeddingSpace(dimension: 3),
    ]

    /// Compares the verdicts of both Intakes on records, with a fresh pair from time to time: before its 300th score no
    /// threshold admits a candidate, and here each record has up to three.
    private func compare(_ records: [[UInt8]], _ space: EmbeddingSpace?) throws -> (scans: Int, refused: Int) {
        var (scans, refused, written) = (0, 0, 0)
        for start in stride(from: 0, to: records.count, by: 80) {
            let (counting, forwarding) = (
                try SingleIntake(space, forwardsAll: false), try SingleIntake(space, forwardsAll: true)
            )
            var accepted = 0
            for bytes in records[start..<min(start + 80, records.count)] {
                let (counted, forwarded) = (try counting.verdict(bytes), try forwarding.verdict(bytes))
                let text = String(decoding: bytes.prefix(600), as: UTF8.self)
                #expect(counted == forwarded, "\(text)")
                if forwarded == nil { accepted += 1 } else { refused += 1 }
            }
            scans += counting.scans
            written += counting.written
            #expect(forwarding.written >= accepted, "something was counted that was to pass")
        }
        // A few scores are above the threshold, although the samples were not drawn for the audit sample.
        #expect(written * 50 < records.count, "\(written) outputs of \(records.count) records that were to be counted")
        return (scans, refused)
    }

    @Test("Odd and broken records get the same verdict and reason, forwarded or not", arguments: 0..<4)
    func odd(_ space: Int) throws {
        let (scans, refused) = try compare(OddPredictions.all, Self.spaces[space])
        #expect(scans > 300 && refused > 3_000, "\(scans) scans, \(refused) refused")
    }

    @Test("Corrupted records get one verdict and reason, forwarded or not", arguments: 0..<4 as Range<UInt64>)
    func spoilt(_ seed: UInt64) throws {
        var generator = SplitMix64(seed: 17 + seed)
        let records = (0..<3_000).map { _ in OddPredictions.spoilt(using: &generator) }
        let (scans, refused) = try compare(records, Self.spaces[Int(seed)])
        #expect(scans > 80 && refused > 1_000, "\(scans) scans, \(refused) refused")
    }

    @Test("Usual valid records are judged without being parsed", arguments: OddPredictions.usual)
    func usual(_ text: String) throws {
        for space in [nil, EmbeddingSpace(name: SpaceID("e1"), dimension: 2, norm: 50), EmbeddingSpace(norm: 3)] {
            let intake = try SingleIntake(space, forwardsAll: false)
            // The project is read with the first record.
            for scans in 0...1 {
                #expect(try intake.verdict(Array(text.utf8)) == nil)
                #expect(intake.scans == scans)
            }
        }
    }

    @Test("An unused member is checked, too")
    func unread() throws {
        let intake = try SingleIntake(nil, forwardsAll: false)
        let text = OddPredictions.usual[0].dropLast() + #","x":@@@}"#
        #expect(try intake.verdict(Array(text.utf8))?[0] == "not_json")
    }

    @Test("A norm is bounded before it is computed, and the bound is never wrong", arguments: 0..<200 as Range<UInt64>)
    func norms(_ seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let scale = [1e-3, 0.1, 1, 30][generator.next(below: 4)]
        let values = (0..<(1 + generator.next(below: 40))).map { _ in Float(scale * generator.nextNormal()) }
        let norm = EmbeddingSpace.norm(of: values)
        let text = values.map { "\($0)" }.joined(separator: ",")
        let record = Array(
            OddPredictions.usual[0].replacing(#""id":"s""#, with: #""id":"s","embedding":[\#(text)]"#).utf8
        )
        for (limit, fits) in [(norm * 1.01, true), (norm, true), (norm * 0.999, false), (norm * 100 + 10, true)] {
            let intake = try SingleIntake(EmbeddingSpace(norm: limit), forwardsAll: false)
            #expect((try intake.verdict(record) == nil) == fits, "\(limit) of \(norm)")
        }
    }
}
