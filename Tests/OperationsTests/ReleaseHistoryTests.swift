import Events
import Flywheel
import Hashing
import JSON
import PipelineTesting
import Rollout
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

@testable import EngineCore
@testable import Loop
@testable import Operations

@Suite("The history of releases")
struct ReleaseHistoryTests {
    private static let project = Scenario.project.rawValue

    private func read(_ pipeline: Pipeline, _ project: String = Self.project) throws -> ReleaseHistory {
        try ReleaseHistory.read(project, transport: pipeline.cluster, topics: pipeline.topics)
    }

    private func reason(_ body: () throws -> Void) -> String {
        "\(#expect(throws: EngineError.self) { try body() }.map { "\($0)" } ?? "")"
    }

    /// A pipeline that has promoted a model, and whose operator has rolled it back.
    private func rolledBack() throws -> (pipeline: Pipeline, broken: String) {
        let pipeline = try Pipeline(seed: 3)
        // Any trained model is soon better than this one.
        try pipeline.send(.commands, Wire.command("c0", .register(pipeline.incumbent("theirs"))))
        var promoted: ModelRelease?
        for _ in 0..<40 where promoted == nil {
            try pipeline.round()
            promoted = try pipeline.releases().last { $0.cause == .promoted }
        }
        let broken = try #require(promoted).champion.version
        pipeline.clock.advance(by: 60_000)
        try pipeline.send(.commands, Wire.command("c1", .rollBack(broken)))
        try pipeline.settle()
        #expect(try pipeline.releases().last?.cause == .command)
        return (pipeline, broken.rawValue)
    }

    @Test("The history has the live version at any time with its reason, as releases and state do; the replay is equal")
    func history() throws {
        let (pipeline, broken) = try rolledBack()
        let history = try read(pipeline)
        #expect(history.unreadable == 0 && !history.isHeldBack && history.hasBeginning)

        // At every release, the live version is its champion, and the shadow version its challenger.
        for record in pipeline.cluster.committed(pipeline.topics[.modelReleases]) {
            let release = try JSONParser().withDocument(of: record.value ?? []) { try ModelRelease(json: $0) }
            let entry = UInt64(record.header("ce_id")?.split(separator: "-").dropLast().last ?? "")
            let steps = history.records.filter { $0.entryNumber == entry }
            let at = try #require(steps.first).at
            #expect(RFC3339.text(milliseconds: at.milliseconds) == record.header("ce_time"))
            guard history.records.last(where: { $0.at == at })?.entryNumber == entry else { continue }
            if steps.contains(where: { $0.transition.cause != .release(release.cause) }) { continue }
            #expect(history.holder(of: .live, at: at)?.transition.version == release.champion.version)
            #expect(history.holder(of: .shadow, at: at)?.transition.version == release.challenger?.version)
        }

        // The digest is that of the policy as stored on `projects`.
        let revision = pipeline.cluster.committed(pipeline.topics[.projects]).last?.text ?? ""
        let policy = try #require(revision.firstRange(of: "\"rollout\":").map { revision[$0.upperBound...] })
        let text = String(policy[..<(try #require(Self.end(of: policy)))])
        let digest = SHA256Digest(of: Array(text.utf8)).hex
        #expect(history.records.allSatisfy { $0.policyDigest == digest && $0.revision == 1 }, "\(text)")

        let view = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
        defer { view.close() }
        let summary = try #require(try view.summaries().first)
        let overview = ReleaseOverview(summary, history)
        let live = try #require(summary.champion).version.rawValue
        #expect(overview.text.hasPrefix("live         \(live), since "), "\(overview.text)")
        #expect(overview.text.contains("(command)") && overview.text.contains("quarantined  \(broken)"))
        #expect(overview.json.contains("\"live\":{\"version\":\"\(live)\",\"since_ms\":"))

        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Self.project, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    @Test("A suspected model is shown with the number of labels received since")
    func suspected() {
        var project = LoopProject(project: ProjectID(Self.project))
        project.state.rollout.suspicions[ModelVersion("v2")] = Suspicion(
            since: StreamTime(milliseconds: 0),
            accuracy: 0.8125,
            labels: 12,
            right: 11,
            queried: 14,
            disputed: 3,
            disputedWrong: 1
        )
        let overview = ReleaseOverview(ProjectSummary(project), ReleaseHistory(project: Self.project))
        #expect(
            overview.text.contains(
                "\nsuspected    v2 since 1970-01-01T00:00:00.000Z: 12 of 20 audit labels have come, 11 of them right; its accuracy before was at least 81.25 %; of 3 samples that users had rejected it had 1 wrong\n"
            ),
            "\(overview.text)"
        )
        #expect(
            overview.json.contains(
                #""suspicions":[{"version":"v2","since_ms":0,"labels":12,"labels_needed":20,"right":11.0,"accuracy_before":0.8125,"disputed":3,"disputed_wrong":1}]"#
            ),
            "\(overview.json)"
        )
    }

    /// The index after the brace that closes the first one.
    private static func end(of text: Substring) -> Substring.Index? {
        var depth = 0
        for index in text.indices {
            if text[index] == "{" { depth += 1 }
            if text[index] == "}" { depth -= 1 }
            if depth == 0 { return text.index(after: index) }
        }
        return nil
    }

    @Test("Queries by time are answered before the first model, while one was live, and without a record")
    func moments() throws {
        let (pipeline, broken) = try rolledBack()
        let history = try read(pipeline)
        let first = try #require(history.records.first).at
        let before = ReleaseMoment(history, at: first.advanced(byMilliseconds: -1))
        #expect(before.live == nil && !before.isUncertain && before.text.hasPrefix("no version was live at "))
        let last = try #require(history.records.last)
        let earlier = ReleaseMoment(history, at: last.at.advanced(byMilliseconds: -1))
        #expect(earlier.live?.transition.version.rawValue == broken)
        #expect(earlier.text.hasPrefix("\(broken): live at ") && earlier.text.contains("(promoted)"), "\(earlier.text)")
        #expect(earlier.json.contains("\"live\":{\"version\":\"\(broken)\""))
        let now = ReleaseMoment(history, at: last.at)
        #expect(now.live == last && now.text.contains("(command)"))

        // A topic that is younger than the project's models lacks the beginning.
        var late = ReleaseHistory(project: Self.project)
        for record in history.records where record.transition.cause == .release(.shadow) { late.append(record) }
        let unknown = ReleaseMoment(late, at: last.at)
        #expect(unknown.isUncertain && unknown.text.hasPrefix("unknown which version was live at "))
        #expect(unknown.json.contains("\"live\":null") && unknown.json.contains("\"uncertain\":true"))
        #expect(reason { _ = try late.transitions(of: "v0") }.contains("had models before its releases were recorded"))
    }

    @Test("The reasons of a version are reported as text and JSON; an unrecorded version is an error")
    func reasons() throws {
        let (pipeline, broken) = try rolledBack()
        let history = try read(pipeline)
        let reasons = try ReleaseReasons(history, version: broken)
        let steps = reasons.transitions.map { "\($0.transition.from?.rawValue ?? "new") \($0.transition.to.rawValue)" }
        #expect(steps == ["new shadow", "shadow live", "live quarantined"])
        let lines = reasons.text.split(separator: "\n")
        try #require(lines.count == 4, "\(reasons.text)")
        #expect(lines[0].hasPrefix("\(broken): quarantined, since "))
        #expect(lines[2].contains("shadow -> live  better than ") && lines[2].contains("audit labels"))
        #expect(lines[3].contains("olga requested it (command c1): test"))
        try JSONParser().withDocument(of: Array(reasons.json.utf8)) { json in
            let object = try json.object()
            #expect(try object.string("version") == broken && object.string("state") == "quarantined")
            #expect(try object.string("by") == "olga" && object.object("evidence").string("kind") == "command")
            #expect(try object.int64("since_ms") == history.records.last?.at.milliseconds)
            #expect(try Array(object.array("transitions")).count == 3)
        }
        let live = try #require(history.holder(of: .live)).transition.version.rawValue
        #expect(try ReleaseReasons(history, version: live).json.contains("\"state\":\"live\""))
        #expect(
            reason { _ = try ReleaseReasons(history, version: "v999") }
                .contains("no transition of it is recorded; flywheel releases log shapes lists what is recorded")
        )
    }

    @Test("A missing project, a missing topic and an unreadable record are reported as such")
    func faults() throws {
        let pipeline = try Pipeline(seed: 1)
        #expect(reason { _ = try read(pipeline, "nothing") }.contains("there is no project nothing"))
        #expect(try read(pipeline).records.isEmpty)
        #expect(
            reason { _ = try ReleaseReasons(read(pipeline), version: "v1") }
                .contains("no transition of any version is recorded yet")
        )
        for value in [Array("{\"version\":\"v1\"}".utf8), nil] {
            try pipeline.cluster.append(
                OutputRecord(
                    topic: pipeline.topics[.releaseLog],
                    partition: Scenario.partition,
                    key: Array(Self.project.utf8),
                    value: value
                )
            )
        }
        let history = try read(pipeline)
        #expect(history.unreadable == 2 && history.firstUnreadable == "\(Scenario.partition)/0")

        let bare = InMemoryCluster(clock: SimulatedClock())
        for topic in Topic.allCases where topic != .releaseLog {
            bare.createTopic(pipeline.topics[topic], partitions: topic.partitioning == .single ? 1 : 2)
        }
        try bare.append(
            OutputRecord(
                topic: pipeline.topics[.projects],
                partition: 0,
                key: Array(Self.project.utf8),
                value: pipeline.configuration.jsonBytes
            )
        )
        let missing = reason {
            _ = try ReleaseHistory.read(Self.project, transport: bare, topics: pipeline.topics)
        }
        #expect(missing.contains("topic t.release-log is missing; run flywheel topics create"), "\(missing)")
    }

    @Test("Decisions that a loop repeats without its state replace its earlier ones")
    func again() throws {
        let (pipeline, _) = try rolledBack()
        let full = try read(pipeline)
        var history = full
        for (count, record) in full.records.enumerated() {
            history.append(record)
            #expect(history.records == Array(full.records.prefix(count + 1)))
        }
        #expect(history == full)
    }
}
