import Events
import Flywheel
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import EngineCore
@testable import Intake
@testable import Operations

/// Revisions written to `projects` by other programs than `project apply`, which accepts new classes in NFC only,
/// cannot add other classes either.
@Suite("Classes in revisions that other programs write")
struct ClassSpellingTests {
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"

    private func configuration(
        _ name: String = "shapes",
        revision: Int,
        _ more: [String] = [],
        question: String = "What is it?"
    ) -> ProjectConfiguration {
        let usual = Scenario.configuration()
        return ProjectConfiguration(
            project: ProjectID(name),
            revision: revision,
            partition: Scenario.partition,
            schema: LabelSchema(question: question, classes: Scenario.classes + more),
            acquisition: usual.acquisition,
            labeling: usual.labeling,
            datasets: usual.datasets,
            training: usual.training,
            rollout: usual.rollout
        )
    }

    private func put(_ pipeline: Pipeline, _ configuration: ProjectConfiguration) throws {
        let (key, value) = (Array(configuration.project.rawValue.utf8), configuration.jsonBytes)
        try pipeline.cluster.append(
            OutputRecord(topic: pipeline.topics[.projects], partition: 0, key: key, value: value)
        )
    }

    /// Lets a running Intake read a revision, and returns the classes under which it then writes entries.
    private func classes(_ pipeline: Pipeline, _ name: String = "shapes") throws -> [String]? {
        try pipeline.serve(1)
        try pipeline.settle()
        return pipeline.intakeProcessor?.directory[name]?.schema.classes
    }

    private func areSame(_ a: [String]?, _ b: [String]) -> Bool {
        a?.elementsEqual(b) { $0.utf8.elementsEqual($1.utf8) } ?? false
    }

    /// Before: all of these were applied.
    @Test("A new class not in composed form, or an old one spelt differently, is a fault of its revision alone")
    func refused() throws {
        let pipeline = try Pipeline()
        try pipeline.round()
        try put(pipeline, configuration("others", revision: 1))
        try put(pipeline, configuration(revision: 2, [Self.composed]))
        #expect(areSame(try classes(pipeline), Scenario.classes + [Self.composed]))
        let bad: [(ProjectConfiguration, String)] = [
            (configuration(revision: 3, [Self.composed, "na\u{69}\u{308}ve"]), "is not in the composed form"),
            (configuration(revision: 3, [Self.decomposed]), "is not in the composed form"),
            (configuration(revision: 2, [Self.decomposed]), "with other content"),
        ]
        for (revision, reason) in bad {
            try put(pipeline, revision)
            #expect(areSame(try classes(pipeline), Scenario.classes + [Self.composed]), "\(reason)")
            let faults = try #require(pipeline.intakeProcessor?.projectFaults)
            #expect(faults.count == 1 && faults[0].project == "shapes", "\(faults)")
            #expect(faults.first?.reason.contains(reason) ?? false, "\(faults)")
        }
        // Other projects are not affected. A project seen for the first time may be one that an earlier build accepted.
        try put(pipeline, configuration("others", revision: 2, ["cross"]))
        try put(pipeline, configuration("unseen", revision: 1, [Self.decomposed]))
        #expect(areSame(try classes(pipeline, "others"), Scenario.classes + ["cross"]))
        #expect(areSame(try classes(pipeline, "unseen"), Scenario.classes + [Self.decomposed]))
        #expect(pipeline.intakeProcessor?.projectFaults.map(\.project) == ["shapes"])
        // A revision with both spellings was never accepted, because they are not distinct.
        try put(pipeline, configuration("twice", revision: 1, [Self.composed, Self.decomposed]))
        #expect(try classes(pipeline, "twice") == nil)
        // A valid revision clears the fault, for commands and for restarted workers.
        try put(pipeline, configuration(revision: 3, [Self.composed, "cross"]))
        #expect(areSame(try classes(pipeline), Scenario.classes + [Self.composed, "cross"]))
        let directory = try ProjectDirectory(transport: pipeline.cluster, topics: pipeline.topics)
        defer { directory.close() }
        try directory.readToEnd(stable: true)
        #expect(areSame(directory["shapes"]?.schema.classes, Scenario.classes + [Self.composed, "cross"]))
        #expect(directory.faults.map(\.project) == ["twice"])
    }

    @Test(
        "A revision accepted by an earlier build stays in force, can be extended, and keeps its spelling",
        arguments: [true, false],
        [true, false]
    )
    func kept(isCompacted: Bool, readsState: Bool) throws {
        // The earlier build is simulated by a journal and a state that contain the revision.
        let old = try Pipeline(isApplied: false)
        let revisions = [
            configuration(revision: 1), configuration(revision: 2, [Self.decomposed]),
            configuration(revision: 3, [Self.decomposed], question: "And now?"),
        ]
        for revision in revisions.dropLast() {
            try old.cluster.append(
                OutputRecord(
                    topic: old.topics[.journal],
                    partition: Scenario.partition,
                    key: Array("shapes".utf8),
                    value: JournalEntry(project: Scenario.project, body: .configured(revision)).jsonBytes
                )
            )
        }
        try old.makeLoop().settle()
        let pipeline = try Pipeline(isApplied: false)
        for record in old.cluster.committed(old.topics[.state], Scenario.partition) {
            try pipeline.cluster.append(
                OutputRecord(
                    topic: pipeline.topics[.state],
                    partition: Scenario.partition,
                    key: record.key,
                    value: record.value,
                    headers: record.headers
                )
            )
        }
        for revision in isCompacted ? [revisions[2]] : revisions { try put(pipeline, revision) }
        let intake = try pipeline.makeIntake(readsState: readsState)
        try intake.settle()
        let processor = try #require(intake.processor as? IntakeProcessor)
        #expect(areSame(processor.directory["shapes"]?.schema.classes, Scenario.classes + [Self.decomposed]))
        #expect(
            processor.directory["shapes"]?.revision == 3 && processor.projectFaults.isEmpty,
            "\(processor.projectFaults)"
        )
        try put(pipeline, configuration(revision: 4, [Self.decomposed, "cross"]))
        try put(pipeline, configuration(revision: 5, [Self.composed, "cross"]))
        try pipeline.send(.annotations, Wire.annotation("t", "a", .skip))
        try intake.settle()
        #expect(processor.directory["shapes"]?.revision == 4)
        let reason = processor.projectFaults.first?.reason ?? ""
        #expect(reason.contains("unlike revision 4"), "\(reason)")
    }

    @Test("A new class must not contain invisible characters; joiners and variation selectors are accepted")
    func hidden() {
        for hidden in ["a\u{200B}", "a\u{AD}", "\u{2060}a", "\u{3164}", "a\u{E0041}", "a\u{34F}", "a\u{202E}"] {
            #expect(ProjectApply.fault(ofClass: hidden) != nil, "\(hidden.unicodeScalars.map(\.value))")
        }
        for visible in [
            "a", "caf\u{E9}", "\u{2714}\u{FE0F}", "\u{1F468}\u{200D}\u{1F33E}", "\u{646}\u{645}\u{6CC}\u{200C}\u{62E}",
        ] {
            #expect(ProjectApply.fault(ofClass: visible) == nil, "\(visible)")
        }
    }
}
