import EngineCore
import Events
import Flywheel
import Foundation
import Intake
import JSON
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// Tokens, by which answers are refused from clients that have not read the task or request.
@Suite("Tokens")
struct TokenTests {
    // MARK: - What they are

    @Test("Tokens equal those that Python's hmac computes from the documented bytes")
    func golden() throws {
        let folder = try #require(Bundle.module.resourceURL)
        let bytes = Array(try Data(contentsOf: folder.appendingPathComponent("Golden/tokens.json")))
        try JSONParser().withDocument(of: bytes) { json in
            let root = try json.object()
            var count = 0
            for (key, isDerived) in [("tokens", false), ("derived", true)] {
                for row in try #require(root.first { $0.name == key }).value.array() {
                    let row = try row.object()
                    let secret = try row.string("secret")
                    var keys = TokenKeys(secrets: [secret])
                    if isDerived {
                        let hex = Array(try row.string("salt").utf8)
                        let salt = stride(from: 0, to: hex.count, by: 2).map {
                            UInt8(String(decoding: hex[$0..<($0 + 2)], as: UTF8.self), radix: 16) ?? 0
                        }
                        #expect(TokenKeys.secret(from: salt) == secret)
                        keys = TokenKeys(salt: salt)
                        #expect(keys.isSecret == !salt.isEmpty)
                    }
                    let (topic, project) = (try row.string("topic"), ProjectID(try row.string("project")))
                    let (id, expected) = (try row.string("id"), try row.string("token"))
                    #expect(keys.token(on: topic, of: project, for: id).reveal() == expected)
                    #expect(keys.accepts(RequestToken(expected), on: topic, of: project, for: id))
                    count += 1
                }
            }
            #expect(count == 34)
        }
    }

    @Test("No other token is accepted: one digit changed, left out or added, capitals, or another subject's")
    func nothingElse() {
        let keys = TokenKeys(secrets: ["a secret of sixteen bytes", "another of sixteen bytes"])
        let project = ProjectID("digits")
        let right = keys.token(on: "t.labeling-tasks", of: project, for: "digits-1-0").reveal()
        func isAccepted(_ text: String) -> Bool {
            keys.accepts(RequestToken(text), on: "t.labeling-tasks", of: project, for: "digits-1-0")
        }
        #expect(isAccepted(right))
        var others = ["", "0", right + "0", "0" + right, String(right.dropLast()), right.uppercased(), right + "\u{0}"]
        for index in right.indices {
            var changed = right
            changed.replaceSubrange(index...index, with: right[index] == "0" ? "1" : "0")
            others.append(changed)
        }
        let digits: Set<Character> = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
        // If all are digits, a chance of one in three million, the token in capitals equals the token itself.
        if right.allSatisfy({ digits.contains($0) }) { others.remove(at: 5) }
        for (topic, project, id) in [
            ("t.training-requests", "digits", "digits-1-0"), ("u.labeling-tasks", "digits", "digits-1-0"),
            ("t.labeling-tasks", "digit", "sdigits-1-0"), ("t.labeling-tasks", "digits", "digits-1-1"),
        ] {
            others.append(keys.token(on: topic, of: ProjectID(project), for: id).reveal())
        }
        for text in others { #expect(!isAccepted(text), "\(text)") }
    }

    @Test("No token and no secret shows in descriptions and dumps")
    func printing() {
        let keys = TokenKeys(secrets: ["hunter2 hunter2 hunter2"])
        let token = keys.token(on: "t", of: Scenario.project, for: "x")
        let event = AnnotationEvent(
            project: Scenario.project,
            annotation: Annotation(task: TaskID("x"), annotator: AnnotatorID("a"), outcome: .skip),
            answeredAt: nil,
            token: token
        )
        var dumped = ""
        dump(keys, to: &dumped)
        dump(token, to: &dumped)
        dump(event, to: &dumped)
        let bytes = "\(Array("hunter2".utf8))".dropFirst().dropLast()
        for text in [dumped, "\(keys)", "\(token)", String(reflecting: token), "\(event)", String(reflecting: keys)] {
            #expect(!text.contains("hunter2") && !text.contains(token.reveal()) && !text.contains(bytes))
        }
    }

    // MARK: - Written tokens

    @Test("Every record of a task or request carries its token, always the same, and decisions do not depend on it")
    func written() throws {
        let pipeline = try Pipeline(configuration: Forgery.configurationRequiringTokens())
        for _ in 0..<15 { try pipeline.round() }
        var count = 0
        for (topic, key) in [(Topic.labelingTasks, "task"), (.trainingRequests, "request")] {
            for record in pipeline.cluster.committed(pipeline.topics[topic]) {
                let value = try #require(record.value)
                let bare = value.withUnsafeBytes { RequestToken.removed(from: $0) }
                try JSONParser().withDocument(of: value) { json in
                    let object = try json.object()
                    let token = try #require(try RequestToken(of: object))
                    let id = try #require(object.first { $0.name == key }).value.string()
                    let expected = TokenKeys.pipeline.token(on: pipeline.topics[topic], of: Scenario.project, for: id)
                    #expect(token == expected)
                    #expect(token.added(to: bare) == value)
                }
                var again = JSONWriter()
                try JSONParser().withDocument(of: bare) { json in
                    switch topic {
                    case .labelingTasks: try LabelingTask(json: json).write(to: &again, project: Scenario.project)
                    default: try TrainingRequest(json: json).write(to: &again, project: Scenario.project)
                    }
                }
                #expect(again.bytes == bare)
                count += 1
            }
        }
        #expect(count > 50)
        #expect(try !pipeline.releases().isEmpty)
        #expect(Forgery.deadLetters(pipeline).isEmpty)
    }

    @Test("A text whose end only resembles a token is unchanged")
    func bare() {
        let end = #","token":"0123456789abcdef0123456789abcdef"}"#
        for text in [
            "", "{}", #"{"a":1}"#, #"{"a":"x"}"#, String(end.dropFirst()), #"{"a":1,"token":"0123"}"#,
            #"{"a":1,"token":"0123456789ABCDEF0123456789abcdef"}"#,
            #"{"a":1,"tokem":"0123456789abcdef0123456789abcdef"}"#,
            #"{"a":1"# + end + "\n",
        ] {
            let bytes = Array(text.utf8)
            #expect(bytes.withUnsafeBytes { RequestToken.removed(from: $0) } == bytes)
        }
        let whole = Array((#"{"a":1"# + end).utf8)
        #expect(whole.withUnsafeBytes { RequestToken.removed(from: $0) } == Array(#"{"a":1}"#.utf8))
    }

    @Test("Replay needs no secret; under other secrets the loop makes the same decisions, with the same chain")
    func replay() throws {
        let pipeline = try Pipeline(seed: 3, configuration: Forgery.configurationRequiringTokens())
        for _ in 0..<10 { try pipeline.round() }
        let other = try Pipeline(isApplied: false, tokens: TokenKeys(secrets: ["quite another secret"]))
        for record in pipeline.journal() {
            let copy = OutputRecord(
                topic: other.topics[.journal],
                partition: Scenario.partition,
                key: record.key,
                value: record.value,
                headers: record.headers
            )
            try other.cluster.append(copy, at: record.timestamp)
        }
        try other.makeLoop().settle()
        for pipeline in [pipeline, other] {
            let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
                .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
            #expect(report.isEqual, "\(report.firstDifference ?? "")")
            // Ticks of both carry the chain of the first.
            #expect(report.compacted == 0 && report.compared > 40 && report.ticksChecked > 0)
        }
        for topic in [Topic.labelingTasks, .trainingRequests] {
            let values = [pipeline, other].map { pipeline in
                pipeline.cluster.committed(pipeline.topics[topic]).map { $0.value ?? [] }
            }
            #expect(!values[0].isEmpty && values[0] != values[1])
            let bare = values.map { $0.map { $0.withUnsafeBytes { RequestToken.removed(from: $0) } } }
            #expect(bare[0] == bare[1])
        }
    }

    @Test("Replay still finds a changed decision, and its message holds no token")
    func replayFinds() throws {
        let pipeline = try Pipeline(configuration: Forgery.configurationRequiringTokens())
        for _ in 0..<6 { try pipeline.round() }
        let task = try #require(pipeline.cluster.committed(pipeline.topics[.labelingTasks], Scenario.partition).first)
        let value = try #require(task.value)
        let changed = String(decoding: value, as: UTF8.self).replacing("What is it?", with: "What was it?")
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.labelingTasks],
                partition: Scenario.partition,
                key: task.key,
                value: Array(changed.utf8),
                headers: task.headers
            )
        )
        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
        let difference = try #require(report.firstDifference)
        #expect(difference.contains("was it"))
        try JSONParser().withDocument(of: value) { json in
            let token = try #require(try RequestToken(of: json.object())).reveal()
            #expect(!difference.contains(token))
        }
    }

    // MARK: - At Intake

    /// Before: 136,305 entries in 22 s on a broker; with the budget of entries alone 20,000 an hour.
    @Test("Forged results and answers are dead letters before any entry is written", arguments: [nil, "guessed"])
    func forged(guess: String?) throws {
        let pipeline = try Pipeline(configuration: Forgery.configurationRequiringTokens())
        let count = 20_000
        let token = guess.map { _ in String(repeating: "a", count: 32) }
        for number in 0..<count {
            try pipeline.send(.trainingResults, Forgery.result("shapes-\(number % 900)-0", number % 2, token))
            guard number % 4 == 0 else { continue }
            let forged = Forgery.answer("shapes-\(number % 900)-0", token.map { RequestToken($0) }, by: "a\(number)")
            try pipeline.send(.annotations, forged)
        }
        let intake = try pipeline.makeIntake()
        try intake.settle()
        let counts = try Forgery.counts(intake)
        #expect(counts.forwarded == 0 && counts.accepted == 0)
        #expect(pipeline.journal().isEmpty)
        #expect(Set(counts.dead.keys) == [guess == nil ? "missing_token" : "bad_token"])
        #expect(counts.deadTotal + counts.droppedTotal == Int64(count + count / 4))
        #expect(counts.read == Int64(count + count / 4))
    }

    @Test("Dead letters for missing tokens are capped and counted, and bad predictions do not use up their capacity")
    func deadLetterQuotas() throws {
        let pipeline = try Pipeline(configuration: Forgery.configurationRequiringTokens())
        for number in 0..<300 {
            try pipeline.send(.predictions, [0xFE])
            try pipeline.send(.annotations, Forgery.answer("shapes-1-\(number)", nil))
        }
        let intake = try pipeline.makeIntake(
            policy: CommitPolicy(interval: 0, batchSize: 1_000),
            deadLettersPerSecond: 5
        )
        try intake.settle()
        let counts = try Forgery.counts(intake)
        #expect(counts.deadTotal + counts.droppedTotal == 600 && counts.droppedTotal > 400)
        #expect(counts.dead["missing_token"].map { (45...55).contains($0) } == true, "\(counts.dead)")
    }

    @Test("If tokens are not required, a missing one is accepted and a wrong one is not; old revisions require none")
    func notRequired() throws {
        for isRequired in [nil, false] as [Bool?] {
            let pipeline = try Pipeline(configuration: Forgery.configurationRequiringTokens(isRequired))
            let intake = try pipeline.makeIntake()
            try pipeline.send(.annotations, Forgery.answer("shapes-1-0", nil))
            let right = TokenKeys.pipeline.token(
                on: pipeline.topics[.labelingTasks],
                of: Scenario.project,
                for: "shapes-1-0"
            )
            try pipeline.send(.annotations, Forgery.answer("shapes-1-0", right, by: "b"))
            try pipeline.send(.annotations, Forgery.answer("shapes-1-1", right, by: "c"))
            try pipeline.send(.trainingResults, Forgery.result("shapes-2-0", 0, nil))
            try pipeline.send(.trainingResults, Forgery.result("shapes-2-0", 0, right.reveal()))
            try intake.settle()
            #expect(try Forgery.counts(intake).forwarded == 3)
            #expect(try Forgery.counts(intake).dead == ["bad_token": 2])
        }
    }

    @Test("Skips, flags and structured CloudEvents carry tokens too; null counts as no token, and a number is refused")
    func forms() throws {
        let pipeline = try Pipeline(configuration: Forgery.configurationRequiringTokens())
        let token = TokenKeys.pipeline.token(on: pipeline.topics[.labelingTasks], of: Scenario.project, for: "x")
        let intake = try pipeline.makeIntake()
        for outcome in [Annotation.Outcome.skip, .flag("odd"), .answer(.choice(ClassIndex(1)))] {
            try pipeline.send(.annotations, Wire.annotation("x", "a", outcome, token: token))
            try pipeline.send(.annotations, Wire.annotation("x", "a", outcome))
        }
        let inner = String(decoding: Wire.annotation("x", "b", .skip, token: token), as: UTF8.self)
        let structured = #"{"specversion":"1.0","id":"1","source":"tool","data":\#(inner)}"#
        try pipeline.send(.annotations, Array(structured.utf8))
        // A token outside the data does not count.
        let bare = String(decoding: Wire.annotation("x", "b", .skip), as: UTF8.self)
        let beside =
            #"{"specversion":"1.0","id":"1","source":"tool","token":"\#(token.reveal())","data":\#(bare)}"#
        try pipeline.send(.annotations, Array(beside.utf8))
        for odd in ["null", "7", "[]"] {
            let text = #"{"project":"shapes","task":"x","annotator":"c","outcome":"skip","token":\#(odd)}"#
            try pipeline.send(.annotations, Array(text.utf8))
        }
        try intake.settle()
        #expect(try Forgery.counts(intake).forwarded == 4)
        #expect(try Forgery.counts(intake).dead == ["missing_token": 5, "schema": 2])
    }

    /// `EntryBudget` counts records with a valid token separately.
    @Test("Records without a token cannot use up the entries of records with one")
    func budgets() throws {
        let pipeline = try Pipeline(configuration: Forgery.configurationRequiringTokens(false))
        var limits = EntryLimits.usual
        limits.entries[.annotations] = 100
        let intake = try pipeline.makeIntake(entryLimits: limits)
        for number in 0..<1_000 { try pipeline.send(.annotations, Forgery.answer("shapes-1-\(number)", nil)) }
        try intake.settle()
        #expect(try Forgery.counts(intake).forwarded == 100)
        let keys = TokenKeys.pipeline
        for number in 0..<150 {
            let token = keys.token(on: pipeline.topics[.labelingTasks], of: Scenario.project, for: "shapes-1-\(number)")
            try pipeline.send(.annotations, Forgery.answer("shapes-1-\(number)", token))
        }
        try intake.settle()
        // The budget of records with a token is bounded as well, because a valid token can be sent again and again.
        #expect(try Forgery.counts(intake).forwarded == 200)
        #expect(try Forgery.counts(intake).dead["entry_budget"] == 950)
    }
}
