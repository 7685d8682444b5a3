import Acquisition
import DatasetFiles
import Events
import Flywheel
import Foundation
import JSON
import Labeling
import Loop
import PipelineTesting
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

@Suite("The whole cycle, in memory")
struct CycleTests {
    @Test("A study without results ends at its deadline, and the notice reports it", arguments: [0, 1])
    func unreported(reported: Int) throws {
        let pipeline = try Pipeline()
        let (intake, loop, materializer) = (
            try pipeline.makeIntake(), try pipeline.makeLoop(), try pipeline.makeMaterializer()
        )
        func settle() throws { for runner in [intake, loop, materializer, intake, loop] { try runner.settle() } }
        var requests: [TrainingRequest] = []
        for _ in 0..<60 where requests.isEmpty {
            try pipeline.serve(8)
            try settle()
            try pipeline.annotate()
            pipeline.clock.advance(by: 1_500)
            try settle()
            requests = try pipeline.decoded(.trainingRequests) { try TrainingRequest(json: $0) }
        }
        let request = try #require(requests.first)
        let repeats = request.trials.count * request.repeats
        try #require(repeats > 1)
        for repetition in 0..<reported {
            let text =
                #"{"project":"shapes","request":"\#(request.id)","trial":0,"repeat":\#(repetition),"status":"failed","error":"no","reason":"did_not_converge"}"#
            try pipeline.send(.trainingResults, Array(text.utf8))
        }
        try settle()
        pipeline.clock.advance(by: request.deadline.milliseconds - pipeline.clock.now + 1)
        for _ in 0..<3 {
            try settle()
            pipeline.clock.advance(by: 2_000)
        }
        let texts = try pipeline.decoded(.notices) { try Notice(json: $0) }.filter { $0.kind == .studyFailed }.map(
            \.text
        )
        let failed = reported > 0 ? ", 1 failed (did_not_converge: 1)" : ""
        #expect(
            texts == [
                "request \(request.id) gave no model: its deadline passed before \(repeats - reported) of \(repeats) repeats were reported\(failed)"
            ]
        )
    }

    @Test(
        "Samples become tasks, labels, versions, models and releases, and every version verifies",
        arguments: [1, 2, 3] as [UInt64]
    )
    func cycle(seed: UInt64) throws {
        let pipeline = try Pipeline(seed: seed)
        for _ in 0..<25 { try pipeline.round() }

        let releases = try pipeline.releases()
        #expect(releases.first?.cause == .first, "seed \(seed)")
        #expect(releases.count > 1, "seed \(seed): only \(releases.count) releases")
        let facts = try pipeline.decoded(.datasetLog) { try DatasetLogRecord(json: $0) }
        let versions = try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }
        #expect(!versions.isEmpty)
        #expect(try pipeline.store.versionNumbers(Scenario.project) == versions.map(\.versionNumber))
        for version in versions {
            #expect(
                try pipeline.store.verify(Scenario.project, id: version.id) == [],
                "version \(version.versionNumber)"
            )
        }

        // Follows one training label from its prediction to the release of the model that was trained on it.
        var label: LabelFact?
        var cutVersionNumber: Int?
        for fact in facts {
            switch fact {
            case .accepted(let fact, _): if label == nil, fact.split == .training { label = fact }
            case .cut(let cut): if label != nil, cutVersionNumber == nil { cutVersionNumber = cut.versionNumber }
            case .changed(let change, _, _): Issue.record("nobody changed \(change.sample)")
            }
        }
        let followed = try #require(label)
        let sample = followed.consensus.sample.id
        let predicted = pipeline.cluster.committed(pipeline.topics[.predictions]).filter {
            $0.text.contains("\"\(sample)\"")
        }
        #expect(!predicted.isEmpty)
        let queried = try pipeline.tasks().filter { $0.sample.id == sample }
        #expect(Set(queried.map(\.id)) == [followed.consensus.task])
        let version = try #require(versions.first { $0.versionNumber == cutVersionNumber })
        let requests = try pipeline.decoded(.trainingRequests) { try TrainingRequest(json: $0) }
        let request = try #require(requests.first { $0.dataset.versionNumber >= version.versionNumber })
        #expect(releases.contains { $0.champion.version == request.modelVersion })

        // Every sample is queried once, and is in one split only.
        #expect(
            Set(try pipeline.tasks().map { "\($0.id)/\($0.sample.id)" }).count
                == Set(try pipeline.tasks().map(\.sample.id)).count
        )
        var splits: [SampleID: Split] = [:]
        for case .accepted(let fact, _) in facts {
            #expect(splits.updateValue(fact.split, forKey: fact.consensus.sample.id) == nil)
        }
        #expect(Set(splits.values) == [.training, .test])
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).isEmpty)
    }

    @Test("Two runs with one seed give the same records, byte for byte")
    func determinism() throws {
        let pipelines = [try Pipeline(seed: 5), try Pipeline(seed: 5)]
        for pipeline in pipelines { for _ in 0..<12 { try pipeline.round() } }
        for topic in Topic.allCases where topic != .state && topic != .projects {
            let texts = pipelines.map { pipeline in
                // A tick has the digest of all decisions, which contain the name of the folder.
                pipeline.cluster.committed(pipeline.topics[topic]).map {
                    $0.text.replacingOccurrences(of: pipeline.root, with: "")
                }.filter { !$0.contains(#""kind":"tick""#) }
            }
            let difference = zip(texts[0], texts[1]).first { $0 != $1 }
            #expect(
                difference == nil && texts[0].count == texts[1].count,
                "\(topic): \(difference.map { "\($0.0)\n\($0.1)" } ?? "")"
            )
        }
    }

    @Test("Every record that Flywheel writes carries CloudEvents headers, except for rows of its state")
    func envelopes() throws {
        let pipeline = try Pipeline(seed: 7)
        for _ in 0..<8 { try pipeline.round() }
        let written: [Topic] = [
            .tallies, .journal, .labelingTasks, .datasetLog, .datasetVersions, .trainingRequests, .modelReleases,
            .trainingResults,
        ]
        for topic in written {
            let records = pipeline.cluster.committed(pipeline.topics[topic])
            #expect(!records.isEmpty, "\(topic)")
            for record in records {
                #expect(record.header("ce_specversion") == "1.0", "\(topic)")
                #expect(record.header("ce_id")?.isEmpty == false, "\(topic)")
                #expect(record.header("ce_type")?.hasPrefix("io.flywheel.") == true, "\(topic)")
                #expect(record.header("ce_source")?.hasPrefix("flywheel/") == true, "\(topic)")
                #expect(record.header("content-type") == "application/json", "\(topic)")
            }
        }
    }

    @Test("An unanswered task expires, its votes are released, and a tick records the time")
    func expiry() throws {
        let pipeline = try Pipeline()
        try pipeline.serve(20)
        try pipeline.settle()
        pipeline.clock.advance(by: 1_100)
        for _ in 0..<3 { try pipeline.settle() }
        let open = try pipeline.tasks().filter { $0.state == .open }
        #expect(!open.isEmpty)
        for _ in 0..<25 {
            pipeline.clock.advance(by: 1_000)
            try pipeline.settle()
        }
        let expired = Set(try pipeline.tasks().filter { $0.state == .closed(.expired) }.map(\.id))
        #expect(expired.isSuperset(of: open.map(\.id)))
        var ledger: (spent: Int, reserved: Int)?
        pipeline.loopProcessor?.forEachProject {
            ledger = (
                $0.state.acquisition.accounts.ledger.value.spent, $0.state.acquisition.accounts.ledger.value.reserved
            )
        }
        #expect(ledger?.spent == 0)
        let stillOpen = Set(try pipeline.tasks().map(\.id)).subtracting(expired).count
        #expect(ledger?.reserved == stillOpen * pipeline.configuration.labeling.maximumVotes)
    }
}
