import EngineCore
import Events
import Foundation
import JSON
import Materializer
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// A dataset log that contains a fact unknown to the materializer, or lacks a fact that it should contain.
@Suite("Facts that are unknown or missing")
struct WrongFactTests {
    private let facts: [OutputRecord]

    init() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<14 { try source.round() }
        facts = source.cluster.committed(source.topics[.datasetLog], Scenario.partition).map {
            OutputRecord(
                topic: source.topics[.datasetLog],
                partition: Scenario.partition,
                key: $0.key,
                value: $0.value
            )
        }
    }

    private static func fact(_ text: String) -> OutputRecord {
        OutputRecord(topic: "t.dataset-log", partition: Scenario.partition, key: nil, value: Array(text.utf8))
    }

    /// Versions that a materializer announces for a log, where it stops, and the number of unreadable records.
    private func sealed(_ log: [OutputRecord]) throws -> (versions: [String], stop: PartitionStop?, unreadable: Int64) {
        let pipeline = try Pipeline()
        for record in log { try pipeline.cluster.append(record) }
        var reported = 0
        var found: (versions: [String], stop: PartitionStop?, unreadable: Int64) = ([], nil, 0)
        // The next owner of the partition stops at the same record.
        for _ in 0..<2 {
            let runner = try pipeline.makeMaterializer()
            let processor = try #require(runner.processor as? MaterializerProcessor)
            processor.stopped = { _ in reported += 1 }
            try runner.settle()
            found.stop = processor.stops.first
            found.unreadable = max(found.unreadable, processor.unreadable)
            runner.task.close()
        }
        #expect(reported == (found.stop == nil ? 0 : 2))
        found.versions = try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }.map(\.id.rawValue)
        return found
    }

    @Test("An unchanged log produces every version, and records that are not facts change nothing")
    func undisturbed() throws {
        let all = try sealed(facts)
        #expect(all.versions.count >= 2 && all.stop == nil && all.unreadable == 0)
        let noise = ["", "{", "[1]", #"{"hello":"world"}"#, #"{"project":"../x","sequence":3}"#].map { Self.fact($0) }
        let noisy = try sealed(Array(facts.prefix(3)) + noise + facts.dropFirst(3))
        #expect(noisy.versions == all.versions && noisy.stop == nil)
        #expect(noisy.unreadable == 5)
    }

    @Test(
        "A fact of an unknown kind or form stops the partition at its offset: no version is sealed without it",
        arguments: [
            #"{"kind":"label_revised","project":"shapes","sequence":4,"sample":"s"}"#,
            #"{"kind":"label_accepted","project":"shapes","sequence":4,"label":{"kind":"boxes"}}"#,
            #"{"project":"shapes","sequence":4}"#,
        ]
    )
    func unknown(text: String) throws {
        let found = try sealed(Array(facts.prefix(3)) + [Self.fact(text)] + facts.dropFirst(3))
        let stop = try #require(found.stop)
        #expect(found.versions.isEmpty)
        #expect(stop.offset == 3 && stop.topic == "dataset-log" && stop.partition == Scenario.partition)
        #expect(stop.text.contains("upgrade this worker"), "\(stop.text)")
    }

    @Test(
        "A change of a line that is missing, or of another sample or split, stops the partition at the cut",
        arguments: [
            "which has no such line", "which belongs to sample", "label, not a",
            "labels before the cut are missing",
        ]
    )
    func wrongChange(named: String) throws {
        let cut = try #require(
            facts.firstIndex { String(decoding: $0.value ?? [], as: UTF8.self).contains("version_cut") }
        )
        let first = try JSONParser().withDocument(of: facts[0].value ?? []) { try DatasetLogRecord(json: $0) }
        guard case .accepted(let label, _) = first else {
            Issue.record("the log begins with no label")
            return
        }
        let sample = named == "which belongs to sample" ? "s9999" : label.consensus.sample.id.rawValue
        let other = label.split == .test ? Split.training : .test
        // The changes replace labels before the cut, whose counts are therefore too large.
        let count = named == "which has no such line" ? 2 : 1
        let changes = (0..<count).map { number in
            Self.fact(
                #"{"kind":"label_retracted","project":"shapes","sequence":\#(cut - count + number + 1),"sample_id":"\#(sample)","#
                    + #""replaces":1,"split":"\#(named == "label, not a" ? other : label.split)","reason":"","by":"a","at_ms":1}"#
            )
        }
        let found = try sealed(Array(facts[..<(cut - count)]) + changes + facts[cut...])
        let stop = try #require(found.stop)
        #expect(found.versions.isEmpty && stop.offset == Int64(cut))
        #expect(stop.text.contains(named), "\(stop.text)")
    }

    @Test("A missing or duplicate fact stops the partition and is named", arguments: [0, 1, 2])
    func gap(position: Int) throws {
        var log = facts
        log.remove(at: position)
        let missing = try sealed(log)
        #expect(missing.versions.isEmpty)
        let reason = position == 0 ? "labels before the cut are missing" : "follows fact \(position)"
        #expect(try #require(missing.stop).text.contains(reason))
        let twice = try sealed(Array(facts[...position]) + facts[position...])
        #expect(try #require(twice.stop).text.contains("fact \(position + 1) of project shapes follows fact"))
        #expect(twice.versions.isEmpty)
    }
}
