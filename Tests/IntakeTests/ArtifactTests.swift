import Dispatch
import Events
import Flywheel
import Foundation
import JSON
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import Intake
@testable import Operations

/// Locations of models according to a trainer, and how they are checked.
@Suite("Artifacts of results")
struct ArtifactTests {
    private static let digest = String(repeating: "a", count: 64)

    private static func result(_ uri: String, _ more: String = "") -> [UInt8] {
        Array(
            #"{"project":"shapes","request":"r","trial":0,"repeat":0,"status":"finished","artifact":{"uri":"\#(uri)","size":3,"sha256":"\#(digest)"}\#(more)}"#
                .utf8
        )
    }

    private static func finished(_ path: String, size: Int64) -> TrainingResult {
        let file = ArtifactReference(uri: "file://" + path, size: size, sha256: digest)
        let outcome = TrainingResult.Outcome.finished(artifact: file, score: nil, itemsScored: 0, predictions: nil)
        return TrainingResult(request: RequestID("r"), trial: 0, repetition: 0, outcome: outcome)
    }

    /// Before: `http://evil.example/model.pkl` was on `model-releases` at once.
    @Test(
        "A result with a forbidden artifact location is a dead letter with its own code, and never an entry",
        arguments: [
            "http://evil.example/model.pkl", "https://good.example@evil.example/m", "ftp://evil.example/m", "model.pkl",
            "javascript:alert(1)", "data:,x", "file:///srv/../etc/passwd", "file://evil.example/m",
            "https://a.example/%2e%2e/m",
        ]
    )
    func forbidden(uri: String) throws {
        let pipeline = try Pipeline()
        try pipeline.send(.trainingResults, Self.result(uri))
        try pipeline.settle()
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.map { $0.header("flywheel.reason.code") } == ["forbidden_artifact"])
        #expect(deadLetters.first?.header("flywheel.reason.text")?.contains("artifact.uri: ") == true)
        #expect(!pipeline.journal().contains { $0.text.contains("training_result") })
    }

    /// Before: `file:///etc/passwd` was the champion.
    @Test(
        "An incumbent with a forbidden artifact location is not registered; an allowed one is",
        arguments: [false, true]
    )
    func incumbent(isAllowed: Bool) throws {
        let pipeline = try Pipeline()
        pipeline.artifactFolders = ArtifactFolders(roots: [pipeline.root + "/artifacts"])
        let uri = isAllowed ? "s3://models/theirs" : "file:///etc/passwd"
        let model = IncumbentModel(
            version: ModelVersion("theirs"),
            artifact: ArtifactReference(uri: uri, size: nil, sha256: nil),
            metrics: []
        )
        try pipeline.send(.commands, Wire.command("c1", .register(model)))
        try pipeline.settle()
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.map { $0.header("flywheel.reason.code") } == (isAllowed ? [] : ["forbidden_artifact"]))
        #expect(try pipeline.releases().map(\.champion.version.rawValue) == (isAllowed ? ["theirs"] : []))
    }

    @Test("A producer's claim of verification is ignored")
    func claims() throws {
        let pipeline = try Pipeline()
        try pipeline.send(.trainingResults, Self.result("s3://bucket/m", #","verified":true"#))
        try pipeline.makeIntake().settle()
        let entry = try #require(pipeline.journal().first { $0.text.contains("training_result") })
        let parser = JSONParser()
        let verified: Bool?? = try parser.withDocument(of: entry.value ?? []) {
            guard case .trainingResult(let result) = try JournalEntry(json: $0).body else { return nil }
            return .some(result.verified)
        }
        #expect(verified == .some(nil))
    }

    @Test("A release states whether its artifact was found, and replay reads that from the journal")
    func verified() throws {
        let pipeline = try Pipeline()
        pipeline.artifactFolders = ArtifactFolders(roots: [pipeline.root + "/artifacts"])
        var rounds = 0
        while rounds < 40, try pipeline.releases().isEmpty {
            try pipeline.round()
            rounds += 1
        }
        #expect(try pipeline.releases().first?.champion.verified == true)
        try FileManager.default.removeItem(atPath: pipeline.root + "/artifacts")
        let replay = Replay(transport: pipeline.cluster, topics: pipeline.topics)
        let report = try replay.verify(project: "shapes", partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    @Test("A file is found only with its size; a link that leads out of the folders is forbidden")
    func files() throws {
        let files = FileManager.default
        let folder = files.temporaryDirectory.appending(path: "artifacts-\(UUID().uuidString)").path
        let (inside, outside) = (folder + "/models", folder + "/elsewhere")
        for path in [inside, outside] { try files.createDirectory(atPath: path, withIntermediateDirectories: true) }
        defer { try? files.removeItem(atPath: folder) }
        try Data("abc".utf8).write(to: URL(filePath: inside + "/m"))
        try Data("abc".utf8).write(to: URL(filePath: outside + "/m"))
        for (link, target) in [
            ("out", outside), ("away", "/nowhere/at/all"), ("circle", inside + "/circle"), ("in", inside + "/m"),
        ] {
            try files.createSymbolicLink(atPath: "\(inside)/\(link)", withDestinationPath: target)
        }
        let usual = ArtifactPrefix.usual
        func check(_ path: String, _ size: Int64 = 3, _ folders: ArtifactFolders, _ allowed: [ArtifactPrefix]) -> Bool??
        {
            var gate = ArtifactGate(folders, FileInspector())
            do throws(RecordRejection) {
                return .some(try gate.check(Self.finished(path, size: size), allowed: allowed))
            } catch {
                #expect(error.code == .forbiddenArtifact)
                return nil
            }
        }
        let roots = ArtifactFolders(roots: [inside])
        #expect(check(inside + "/m", 3, roots, usual) == .some(true))
        #expect(check(inside + "/in", 3, roots, usual) == .some(true))
        #expect(check(inside + "/m", 4, roots, usual) == .some(false))
        #expect(check(inside + "/absent", 3, roots, usual) == .some(false))
        #expect(check(inside + "/m/under", 3, roots, usual) == .some(false))
        #expect(check(inside, 3, roots, usual) == .some(false))
        for path in [outside + "/m", inside + "/out/m", inside + "/out", inside + "/away", inside + "/circle", folder] {
            #expect(check(path, 3, roots, usual) == nil, "\(path)")
        }
        // A folder that a project names is allowed, though files are checked only below the roots.
        let named = [try #require(ArtifactPrefix("file://" + outside))]
        #expect(check(outside + "/m", 3, roots, named) == .some(nil))
        #expect(check(inside + "/m", 3, roots, named) == nil)
        #expect(check(inside + "/out/m", 3, roots, named) == nil)
        // No roots are named: any location is allowed, and only this worker's own folder is checked.
        let withoutRoots = ArtifactFolders(trainerFolder: inside)
        #expect(check(inside + "/m", 3, withoutRoots, usual) == .some(true))
        #expect(check(outside + "/m", 3, withoutRoots, usual) == .some(nil))
        #expect(check("/srv/nowhere/m", 3, withoutRoots, usual) == .some(nil))
        // Roots that do not exist on this machine, and an empty list of roots.
        #expect(check("/srv/nowhere/m", 3, ArtifactFolders(roots: ["/srv/nowhere"]), usual) == .some(nil))
        #expect(check(inside + "/m", 3, ArtifactFolders(roots: []), usual) == nil)
    }

    @Test("Paths and folders are compared byte by byte: names that are equivalent in Unicode are distinct")
    func paths() {
        let (composed, other) = ("/srv/\u{E9}", "/srv/e\u{301}")
        #expect(composed == other)
        for (path, folder, isIn) in [
            ("/srv/a", "/srv", true), ("/srv", "/srv/", true), ("/srv/", "/srv", true), ("/srvx", "/srv", false),
            ("/a", "/", true), ("/", "/", true), (composed, composed, true), (composed + "/m", composed + "/", true),
            (other + "/m", composed, false), (composed + "/m", other, false), (other, composed, false),
            ("/srv/e", other, false), (other, "/srv/e", false),
        ] {
            #expect(FileInspector.Finding.isPath(path, in: folder) == isIn, "\(path) in \(folder)")
        }
    }

    @Test("A disk that does not answer delays a cycle by a second in all, and later cycles by nothing")
    func slow() throws {
        let maximumWait = ArtifactGate.maximumWait
        let gateOpens = DispatchSemaphore(value: 0)
        let inspector = FileInspector { _ in
            gateOpens.wait()
            return FileInspector.Finding(isInside: true, exists: true)
        }
        var gate = ArtifactGate(ArtifactFolders(roots: ["/srv"]), inspector)
        let began = ContinuousClock.now
        for _ in 0..<50 {
            let verified = try gate.check(Self.finished("/srv/m", size: 3), allowed: ArtifactPrefix.usual)
            #expect(verified == nil)
            #expect(throws: RecordRejection.self) {
                try gate.check(Self.finished("/etc/m", size: 3), allowed: ArtifactPrefix.usual)
            }
        }
        gate.transactionEnded()
        #expect(try gate.check(Self.finished("/srv/m", size: 3), allowed: ArtifactPrefix.usual) == nil)
        let elapsed = ContinuousClock.now - began
        #expect(elapsed >= .milliseconds(maximumWait - 50))
        // Without a bound the wait would be a second for each check.
        #expect(elapsed < .milliseconds(maximumWait * 10), "\(elapsed)")
        // The first answer is too late for its own query; another query is sent anew.
        var verified: Bool?
        for _ in 0..<1_000 where verified == nil {
            // One signal for the query that hangs, one for the query after it.
            gateOpens.signal()
            gateOpens.signal()
            Thread.sleep(forTimeInterval: 0.005)
            gate.transactionEnded()
            verified = try gate.check(Self.finished("/srv/m", size: 3), allowed: ArtifactPrefix.usual)
        }
        #expect(verified == true)
    }
}
