import DeadLetters
import EngineCore
import Events
import Foundation
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary
import Worker

@testable import FlywheelCLI

private let secretToken = "0123456789abcdef0123456789abcdef"
private let project = ProjectID("p")
/// An annotation that skips a task and returns a token.
private let skip = Array(
    #"{"project":"p","task":"t","annotator":"a","outcome":"skip","token":"\#(secretToken)"}"#.utf8
)

@Suite("Tokens and secrets in the input and output of commands") struct TokenExitTests {
    /// A cluster with a dead letter: a refused annotation that returns a token.
    private func cluster(value: [UInt8]) throws -> (InMemoryCluster, TopicNames) {
        let cluster = InMemoryCluster()
        let topics = TopicNames(prefix: "t.")
        for topic in Topic.allCases { cluster.createTopic(topics[topic], maximumBytes: 64 << 20) }
        try cluster.append(
            OutputRecord(
                topic: topics[.deadLetters],
                partition: 0,
                key: value,
                value: value,
                headers: [
                    RecordHeader("trace", value), RecordHeader("__connect.errors.topic", topics[.annotations]),
                    RecordHeader("__connect.errors.partition", "0"), RecordHeader("__connect.errors.offset", "5"),
                    RecordHeader("flywheel.reason.code", "unknown_class"),
                    RecordHeader("flywheel.reason.text", "no such class"),
                ]
            )
        )
        return (cluster, topics)
    }

    @Test(
        "A dead letter's line and page hide its token, and a redrive sends the record as it was received",
        arguments: [skip, skip + [0xFF]]
    )
    func deadLetter(value: [UInt8]) throws {
        let (cluster, topics) = try cluster(value: value)
        let scan = try DeadLetterScan(transport: cluster, topics: topics)
        defer { scan.close() }
        let deadLetter = try #require(try scan.deadLetter(at: DeadLetterPosition(0, 0)))
        let page = DeadLetterPage(deadLetter: deadLetter, marks: [])
        let hex = secretToken.utf8.map { String($0, radix: 16) }.joined()
        for text in [page.text, page.json, DeadLetterRow(deadLetter, []).text, DeadLetterRow(deadLetter, []).json] {
            #expect(!text.contains(secretToken) && !text.contains(hex))
        }
        if value.last != 0xFF {
            #expect(page.text.hasSuffix(#""outcome":"skip","token":"***"}"#))
            #expect(page.text.contains("value      \(value.count) bytes"))
        }
        let redrive = Redrive(transport: cluster, topics: topics, by: "test", now: { 0 }, pause: { _ in })
        #expect(try redrive.run(DeadLetterFilter()).sent == 1)
        #expect(cluster.committed(topics[.annotations]).first?.value == value)
    }

    private func read(_ yaml: String, secrets: [String] = []) throws -> WorkerConfiguration {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokens-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var text = yaml
        for (number, secret) in secrets.enumerated() {
            let path = folder.appendingPathComponent("secret-\(number)").path
            try secret.write(toFile: path, atomically: true, encoding: .utf8)
            text = text.replacing("SECRET\(number)", with: "file:\(path)")
        }
        let file = folder.appendingPathComponent("worker.yaml").path
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return try WorkerFile.read(file, for: .worker)
    }

    private func token(_ keys: TokenKeys) -> RequestToken { keys.token(on: "t", of: project, for: "x") }

    @Test("A worker's file has one secret, or two of which the first makes tokens; without one the salt is used")
    func secrets() throws {
        let (one, two) = ("a secret of sixteen bytes", "another of sixteen bytes")
        let single = try read("tokens: {secret: SECRET0}", secrets: [one]).tokens
        #expect(token(single) == token(TokenKeys(secrets: [one])))
        let both = try read("tokens: {secret: [SECRET0, SECRET1]}", secrets: [two, one]).tokens
        #expect(token(both) == token(TokenKeys(secrets: [two])))
        #expect(both.accepts(token(single), on: "t", of: project, for: "x"))
        #expect(!single.accepts(token(both), on: "t", of: project, for: "x"))
        let salted = try read("salt: SECRET0", secrets: ["pepper"]).tokens
        #expect(token(salted) == token(TokenKeys(salt: Array("pepper".utf8))) && salted.isSecret)
        let bare = try read("{}").tokens
        #expect(token(bare) == token(TokenKeys(salt: [])) && !bare.isSecret)
    }

    @Test(
        "A literal, short, repeated or surplus secret stops the start, and no message shows it",
        arguments: [
            ("tokens: {secret: hunter2hunter2hunter2}", "key tokens.secret: expected ${VARIABLE} or file:PATH"),
            ("tokens: {secret: SECRET0}", "expected a secret of at least 16 bytes, found a shorter one"),
            ("tokens: {secret: [SECRET1, SECRET1]}", "expected distinct secrets, found one twice"),
            ("tokens: {secret: [SECRET1, SECRET2, SECRET3]}", "expected 1 to 2 secrets, found 3"),
            ("tokens: {secret: []}", "expected 1 to 2 secrets, found 0"),
            ("tokens: {secret: {a: SECRET1}}", "key tokens.secret: expected ${VARIABLE} or file:PATH, found a map"),
            ("tokens: {secrets: SECRET1}", "key tokens.secrets"), ("tokens: {secret: [[SECRET1]]}", "found a list"),
        ]
    )
    func faults(yaml: String, message: String) throws {
        let secrets = ["hunter2", "hunter2 hunter2 hunter2", "hunter2 hunter2 hunter3", "hunter2 hunter2 hunter4"]
        do {
            _ = try read(yaml, secrets: secrets)
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains(message), "\(error)")
            #expect(!"\(error)".contains("hunter2"))
        }
    }

    @Test("A dump of a worker's configuration shows no secret")
    func dumped() throws {
        let worker = try read("tokens: {secret: SECRET0}", secrets: ["hunter2 hunter2 hunter2"])
        var text = ""
        dump(worker, to: &text)
        #expect(!text.contains("hunter2"))
        #expect(!text.contains("\(Array("hunter2".utf8).map { Int($0) })".dropFirst().dropLast()))
    }
}
