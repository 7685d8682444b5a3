import Acquisition
import Events
import Flywheel
import Intake
import JSON
import Labeling
import Loop
import Operations
import PipelineTesting
import Rollout
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

/// A class is appended while models, tasks and users with the old classes are still active: three shapes become four.
@Suite("Grown schemas")
struct GrownSchemaTests {
    private static let grown = Scenario.classes + ["hexagon"]

    private static func configuration(
        _ revision: Int,
        _ function: AcquisitionFunction = .margin,
        classes: [String],
        initialClasses: Int? = 3,
        auditCutoff: Double = 0.3
    ) -> ProjectConfiguration {
        let usual = Scenario.configuration()
        var acquisition = usual.acquisition
        (acquisition.function, acquisition.auditCutoff) = (function, auditCutoff)
        return ProjectConfiguration(
            project: usual.project,
            revision: revision,
            partition: usual.partition,
            schema: LabelSchema(question: "What is it?", classes: classes),
            acquisition: acquisition,
            labeling: usual.labeling,
            datasets: usual.datasets,
            training: usual.training,
            rollout: usual.rollout,
            initialClasses: initialClasses
        )
    }

    private func apply(_ configuration: ProjectConfiguration, to pipeline: Pipeline) throws {
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.projects],
                partition: 0,
                key: Array(Scenario.project.rawValue.utf8),
                value: configuration.jsonBytes
            )
        )
    }

    /// Serves samples until a batch of them is queried.
    private func serveUntilQueried(_ pipeline: Pipeline) throws {
        try pipeline.serve(30)
        try pipeline.settle()
        pipeline.clock.advance(by: 1_500)
        try pipeline.settle()
    }

    private static func prediction(_ id: String, _ more: String) -> [UInt8] {
        let output = #"{"kind":"choice","probabilities":{"circle":0.6,"square":0.3,"star":0.1}}"#
        let model = #"{"version":"v1"}"#
        return Array(
            #"{"project":"shapes","sample":{"id":"\#(id)"},"model":\#(model),"output":\#(output),\#(more)}"#.utf8
        )
    }

    private func scores(_ pipeline: Pipeline) throws -> [Double] {
        try pipeline.decoded(.journal) { try JournalEntry(json: $0) }.compactMap {
            if case .candidate(let candidate) = $0.body { candidate.score } else { nil }
        }
    }

    /// Before: 120 of 120 predictions were dead letters, `schema`: "expected one number for each of 4 classes, found
    /// 3". Now none, and each is scored as if the new class had probability 0.
    @Test(
        "After a class is appended the old champion keeps serving",
        arguments: [
            (
                AcquisitionFunction.entropy, #""logits":[2.0,1.0,-0.5"#,
                #""logits":{"square":1.0,"circle":2.0,"star":-0.5}"#
            ),
            (
                .bald, #""members":[[0.7,0.2,0.1],[0.2,0.6,0.2"#,
                #""members":[{"circle":0.7,"square":0.2,"star":0.1},{"circle":0.2,"square":0.6,"star":0.2}]"#
            ),
        ]
    )
    func oldChampion(function: AcquisitionFunction, list: String, named: String) throws {
        let pipeline = try Pipeline(
            configuration: Self.configuration(1, function, classes: Scenario.classes, auditCutoff: 1)
        )
        let intake = try pipeline.makeIntake()
        try intake.settle()
        try apply(Self.configuration(2, function, classes: Self.grown, auditCutoff: 1), to: pipeline)
        let isLogits = function == .entropy
        for number in 0..<60 {
            try pipeline.send(.predictions, Self.prediction("l\(number)", list + (isLogits ? "]" : "]]")))
            try pipeline.send(.predictions, Self.prediction("n\(number)", named))
        }
        // A model that knows all four classes and excludes the new one.
        let complete = isLogits ? list + ",-1e300]" : list.replacing("],[", with: ",0.0],[") + ",0.0]]"
        try pipeline.send(.predictions, Self.prediction("w", complete))
        try intake.settle()
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        #expect(counts.dead.isEmpty && counts.accepted == 121, "\(counts)")
        let scores = try scores(pipeline)
        #expect(scores.count == 121 && Set(scores).count == 1, "\(Set(scores))")
        #expect(scores[0] > 0 && scores[0] < 1)
    }

    @Test("A list has at least the project's initial number of classes, if known, and at most all of them")
    func lengths() throws {
        // Revision, initial number of classes, and length of the shortest list that is accepted for four classes.
        for (revision, initial, shortest) in [(1, nil, 4), (2, 3, 3), (5, 4, 4), (2, nil, 2)] as [(Int, Int?, Int)] {
            let configuration = Self.configuration(revision, classes: Self.grown, initialClasses: initial)
            let door = try DoorCheck([configuration])
            for length in 1...5 {
                let logits = [String](repeating: "0.5", count: length).joined(separator: ",")
                let even = [String](repeating: "\(1 / Double(length))", count: length).joined(separator: ",")
                for member in [#""logits":[\#(logits)]"#, #""members":[[\#(even)]]"#] {
                    let verdict = Self.prediction("x", member).withUnsafeBytes { door.check($0, on: .predictions) }
                    let isAccepted = verdict == .taken(Remarks())
                    #expect(isAccepted == (shortest...4).contains(length), "\(revision) \(member): \(verdict)")
                }
            }
            // Classes by name must be the first ones of the project, without a gap.
            let gap = Self.prediction("x", #""logits":{"circle":1,"square":2,"hexagon":3}"#)
            #expect(gap.withUnsafeBytes { door.check($0, on: .predictions) } != .taken(Remarks()))
        }
    }

    @Test("The initial number of classes is recorded when a project is applied, and kept")
    func initialClasses() throws {
        func apply(_ classes: [String], votes: Int = 400, to pipeline: Pipeline) throws -> ProjectConfiguration {
            let usual = Scenario.configuration(votes: votes)
            let file = ProjectConfiguration(
                project: usual.project,
                revision: 1,
                partition: 0,
                schema: LabelSchema(question: "?", classes: classes),
                acquisition: usual.acquisition
            )
            return try ProjectApply(transport: pipeline.cluster, topics: pipeline.topics).apply(file, partitions: 2)
                .configuration
        }
        let pipeline = try Pipeline(isApplied: false)
        #expect(try apply(Scenario.classes, to: pipeline).initialClasses == 3)
        #expect(try apply(Scenario.classes, to: pipeline).revision == 1)
        let second = try apply(Self.grown, to: pipeline)
        #expect((second.revision, second.initialClasses, second.shortestOutput) == (2, 3, 3))
        #expect(try apply(Self.grown + ["oval"], to: pipeline).shortestOutput == 3)

        // The initial number is known for a project that an older build has applied once, not for one applied twice.
        let old = try Pipeline()
        #expect(try apply(Self.grown, to: old).initialClasses == 3)
        let older = try Pipeline(configuration: Self.configuration(2, classes: Scenario.classes, initialClasses: nil))
        let later = try apply(Self.grown, to: older)
        #expect((later.revision, later.initialClasses, later.shortestOutput) == (3, nil, 2))
    }

    /// Before: the answer was a vote for a class that the annotator had not been offered, and the task's later records
    /// offered it. Now it is a dead letter, `unknown_class`, and the task keeps its three classes to its end.
    @Test("An open task accepts exactly the classes of its own question")
    func openTask() throws {
        let pipeline = try Pipeline(configuration: Self.configuration(1, classes: Scenario.classes))
        try serveUntilQueried(pipeline)
        let queried = try #require(try pipeline.tasks().first { $0.state == .open })
        try apply(Self.configuration(2, classes: Self.grown), to: pipeline)
        func answer(_ task: LabelingTask, _ annotator: String, _ name: String) throws {
            let text =
                #"{"project":"shapes","task":"\#(task.id)","annotator":"\#(annotator)","outcome":"answer","answer":{"kind":"choice","class":"\#(name)"}}"#
            try pipeline.send(.annotations, Array(text.utf8))
            try pipeline.settle()
        }
        // The loop receives the revision with the first entry that is checked under it.
        try answer(queried, "a1", "hexagon")
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.map { $0.header("flywheel.reason.code") } == ["unknown_class"])
        #expect(
            deadLetters.first?.header("flywheel.reason.text")
                == "class \"hexagon\" is not in the question of task \(queried.id): it was appended later"
        )
        try answer(queried, "a1", "circle")
        try answer(queried, "a2", "square")
        try answer(queried, "a3", "circle")
        let records = try pipeline.tasks().filter { $0.id == queried.id }
        #expect(
            records.count >= 3 && records.allSatisfy { $0.classes == Scenario.classes },
            "\(records.map(\.classes))"
        )
        guard case .closed(.answered) = try #require(records.last).state else {
            Issue.record("not closed: \(records)")
            return
        }
        // Tasks opened from now on offer the new class, and accept it.
        pipeline.clock.advance(by: 25_000)
        try serveUntilQueried(pipeline)
        let new = try #require(try pipeline.tasks().last { $0.state == .open })
        #expect(new.classes == Self.grown)
        try answer(new, "a1", "hexagon")
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).count == 1)
        #expect(try pipeline.tasks().last { $0.id == new.id }?.votes == 1)
    }

    @Test("The classes of an open task's question are kept over a restart")
    func restart() throws {
        var state = ProjectState(project: Scenario.project)
        for (number, revision) in [
            Self.configuration(1, classes: Scenario.classes), Self.configuration(2, classes: Self.grown),
        ].enumerated() {
            let entry = JournalEntry(project: Scenario.project, body: .configured(revision))
            _ = state.apply(entry, appendedAt: StreamTime(milliseconds: Int64(number)))
            guard number == 0 else { break }
            for sample in 0..<40 {
                let candidate = Candidate(
                    sample: Sample(id: SampleID("s\(sample)")),
                    output: nil,
                    model: nil,
                    score: 0.5,
                    auditProbability: nil,
                    auditDraw: 0.9,
                    predictedAt: StreamTime(milliseconds: 0)
                )
                let entry = JournalEntry(project: Scenario.project, body: .candidate(candidate))
                _ = state.apply(entry, appendedAt: StreamTime(milliseconds: 1_000 * Int64(sample)))
            }
            #expect(!state.labeling.open.isEmpty)
            state.commit()
        }
        let rows = state.changes().filter { $0.table == "labeling.open" }
        #expect(rows.count == state.labeling.open.count)
        for row in rows {
            let value = try #require(row.value)
            #expect(String(decoding: value, as: UTF8.self).contains(#""classes":3"#))
            let task = try JSONParser().withDocument(of: value) { try OpenTask(json: $0) }
            #expect(task == state.labeling.open[TaskID(row.key)] && task.jsonBytes == value)
        }
    }

    // MARK: - Corrections

    /// A pipeline with a first champion and no earlier model, so that a rollback is impossible.
    private func served() throws -> (pipeline: Pipeline, champion: String) {
        let pipeline = try Pipeline(seed: 2)
        for _ in 0..<20 where try pipeline.releases().isEmpty { try pipeline.round() }
        return (pipeline, try #require(try pipeline.releases().last?.champion.version.rawValue))
    }

    private func correct(_ pipeline: Pipeline, _ champion: String, to name: String, by user: String) throws {
        let event: [UInt8] = Wire.bytes { writer in
            writer.object { writer in
                writer.member("project", "shapes")
                writer.member("id", "c-\(user)")
                writer.member("sample", "s1")
                writer.object("model") { $0.member("version", champion) }
                writer.member("user", user)
                writer.member("verdict", "correction")
                writer.object("answer") { writer in
                    writer.member("kind", "choice")
                    writer.member("class", name)
                }
            }
        }
        try pipeline.send(.feedback, event)
    }

    private func notices(_ pipeline: Pipeline) throws -> [String] {
        try pipeline.decoded(.notices) { try Notice(json: $0) }.filter { $0.kind == .classProposed }.map(\.text)
    }

    private func watch(_ pipeline: Pipeline) -> (total: Int, negative: Int, proposals: [String: Int64]) {
        var found: (total: Int, negative: Int, proposals: [String: Int64]) = (0, 0, [:])
        pipeline.loopProcessor?.forEachProject {
            let rollout = $0.state.rollout
            let watch = rollout.roles.value.champion.flatMap { rollout.watches[$0.version] } ?? VoiceWatch()
            let rows = $0.state.proposals.sortedRows.map { ($0.key, $0.value) }
            found = (watch.total, watch.negative, Dictionary(uniqueKeysWithValues: rows))
        }
        return found
    }

    /// Before: 12 dead letters `unknown_class`, no complaint counted, no report. Now 12 complaints and two notices.
    @Test("A correction to a class that the project lacks is a complaint, and the class is proposed with its count")
    func corrections() throws {
        let (pipeline, champion) = try served()
        let before = watch(pipeline)
        for number in 0..<12 { try correct(pipeline, champion, to: "hexagon", by: "corrector-\(number)") }
        try pipeline.settle()
        let after = watch(pipeline)
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).isEmpty)
        #expect((after.total - before.total, after.negative - before.negative) == (12, 12))
        #expect(after.proposals == ["hexagon": 12])
        #expect(
            try notices(pipeline)
                == [3, 10].map {
                    "\($0) corrections name class \"hexagon\", which the project lacks: append it to classes, or mend what offers it to users"
                }
        )
        // A name that is now a class is no longer proposed.
        try apply(Self.configuration(2, classes: Self.grown), to: pipeline)
        try correct(pipeline, champion, to: "hexagon", by: "corrector-12")
        try pipeline.settle()
        #expect(watch(pipeline).proposals.isEmpty)
        #expect(watch(pipeline).negative - before.negative == 13)
    }

    @Test("Unsuitable names are not proposed, and a flood of names leaves capacity for repeated ones")
    func hostileNames() throws {
        let (pipeline, champion) = try served()
        let before = watch(pipeline)
        let names = [
            "", " ", "\t", "a\nb", "\u{1B}[2J", "\u{202E}noitceridder", "\u{FEFF}", String(repeating: "n", count: 129),
            String(repeating: "n", count: 100_000),
        ]
        for (number, name) in names.enumerated() { try correct(pipeline, champion, to: name, by: "hostile-\(number)") }
        try pipeline.settle()
        #expect(watch(pipeline).negative - before.negative == names.count)
        #expect(watch(pipeline).proposals.isEmpty)
        for number in 0..<200 { try correct(pipeline, champion, to: "name \(number)", by: "flood-\(number)") }
        for number in 0..<3 { try correct(pipeline, champion, to: "hexagon", by: "honest-\(number)") }
        try pipeline.settle()
        let after = watch(pipeline)
        #expect(after.negative - before.negative == names.count + 203)
        #expect(after.proposals.count == 32 && after.proposals["hexagon"] == 3)
        let reported = try notices(pipeline)
        #expect(reported.count == 1 && reported[0].hasPrefix("3 corrections name class \"hexagon\""), "\(reported)")
        // Repeated names fill the remaining capacity, and no more.
        for number in 0..<150 { try correct(pipeline, champion, to: "again \(number / 3)", by: "again-\(number)") }
        try pipeline.settle()
        #expect(watch(pipeline).proposals.count == 32 && watch(pipeline).proposals["hexagon"] == 3)
        #expect(try notices(pipeline).count == 32)
    }
}
