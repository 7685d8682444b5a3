import Foundation
import KafkaClient
import KafkaTesting
import Processes
import Testing

@Suite(
    "A worker that must not run reports the reason and exits",
    .serialized,
    .enabled(if: Bench.isAvailable, "no broker or no program, see above")
)
struct WorkerStartTests {
    private func get(_ port: UInt16, _ path: String) throws -> String {
        try ChildProcess.run("curl", ["-s", "http://127.0.0.1:\(port)\(path)"]).outputText
    }

    private func start(
        _ bench: Bench,
        _ name: String,
        as instance: String? = nil,
        roles: String,
        port: UInt16,
        _ more: [String] = []
    ) throws -> ChildProcess {
        try bench.start(
            name,
            arguments: [
                "run", "--roles", roles, "--instance", instance ?? name, "--port", "\(port)", "--store",
                bench.path("datasets"),
                "--artifacts", bench.path("artifacts"), "--state", bench.path("state"),
            ] + more
        )
    }

    private func isReady(_ bench: Bench, _ port: UInt16) throws -> Bool {
        try bench.wait { try get(port, "/health/ready").contains(#""status":"ready""#) }
    }

    private func workerFile(_ bench: Bench, salt: String?) throws -> String {
        let path = bench.path("worker-\(UUID().uuidString).yaml")
        var text = "commit:\n  intake: 50ms\n"
        if let salt {
            try salt.write(toFile: path + ".salt", atomically: true, encoding: .utf8)
            text += "salt: file:\(path).salt\n"
        }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test("A missing or different salt ends the worker with the reason; the group's own is accepted")
    func salt() throws {
        let bench = try Bench()
        #expect(try bench.flywheel("topics", "create").status.isSuccess)
        let originalFile = try workerFile(bench, salt: "pepper")
        let first = try start(bench, "first", roles: "intake,loop,console", port: 0, ["--config", originalFile])
        // Refused records are committed, too, and the digest of the salt is stored with the offsets.
        try bench.write(20, to: "commands") {
            KafkaOutputRecord(topic: bench.prefix + "commands", partition: Int32($0 % 4), value: [0x7B])
        }
        #expect(try bench.wait { try bench.headers("dead-letters").count == 20 }, "\(bench.text("first.err"))")
        let status = try bench.flywheel("status", "--json").outputText
        #expect(status.contains(#""lag":{"intake":0,"loop":0,"materializer":0}"#), "\(status)")
        #expect(status.contains(#""dead_letters":20,"dead_letters_sent_again":0"#), "\(status)")
        for (name, salt) in [("other", "vinegar" as String?), ("none", nil)] {
            let file = try workerFile(bench, salt: salt)
            // The other roles of the worker, which do not depend on the salt, do not join their groups either.
            let wrong = try start(bench, name, roles: "intake,materializer,console", port: 0, ["--config", file])
            let began = ContinuousClock.now
            #expect(wrong.wait(timeout: .seconds(30)) == .exited(1), "\(bench.text("\(name).err"))")
            print("refused after \(began.duration(to: .now))")
            #expect(
                bench.text("\(name).err").contains("could not start the role intake"),
                "\(bench.text("\(name).err"))"
            )
            #expect(!bench.text("\(name).err").contains("partitions assigned"))
        }
        #expect(!bench.text("first.err").contains("partitions revoked"), "a worker that was refused moved partitions")
        first.stop(grace: .seconds(20))
        // It starts under the same name: noida-db waits forever for a former member with another name.
        let again = try start(
            bench,
            "again",
            as: "first",
            roles: "intake,loop,console",
            port: 0,
            ["--config", originalFile]
        )
        #expect(bench.wait { bench.text("again.err").contains("partitions assigned") }, "\(bench.text("again.err"))")
        #expect(!bench.text("again.err").contains("died or was fenced"))
        again.stop(grace: .seconds(20))
        // If the group's notes contain no salt, any worker may start: a reset by Kafka's own tool removes the digest
        // too.
    }

    @Test("A port in use, even by another worker, ends the start; a worker with only the console is ready")
    func port() throws {
        let bench = try Bench()
        #expect(try bench.flywheel("topics", "create").status.isSuccess)
        let port = try freePort()
        let console = try start(bench, "console", roles: "console", port: port)
        #expect(try isReady(bench, port), "\(bench.text("console.err"))")
        let second = try start(bench, "second", roles: "loop,console", port: port)
        #expect(second.wait(timeout: .seconds(30)) == .exited(1), "\(bench.text("second.err"))")
        #expect(bench.text("second.err").contains("Address already in use"), "\(bench.text("second.err"))")
        let answers = try (0..<20).map { _ in try get(port, "/health/ready") }
        #expect(answers.allSatisfy { $0.contains("console") && !$0.contains("loop") })
        console.stop(grace: .seconds(10))
    }

    @Test("A worker whose folder of snapshots, versions or models has another prefix is not ready, and states why")
    func folders() throws {
        let (bench, other) = (try Bench(), try Bench())
        for bench in [bench, other] { #expect(try bench.flywheel("topics", "create").status.isSuccess) }
        let first = try start(bench, "first", roles: "loop,materializer,trainer,console", port: 0)
        #expect(bench.wait { bench.text("first.err").components(separatedBy: "partitions assigned").count == 4 })
        first.stop(grace: .seconds(20))
        for (role, folder) in [("loop", "state"), ("materializer", "store"), ("trainer", "artifacts")] {
            let subfolder = ["loop": "state/first", "materializer": "datasets", "trainer": "artifacts"][role] ?? ""
            let path = bench.path(subfolder)
            let before = try? FileManager.default.contentsOfDirectory(atPath: path).sorted()
            let name = "of-\(role)"
            let wrong = try other.start(
                name,
                arguments: [
                    "run", "--roles", role, "--instance", "first", "--\(folder)",
                    role == "loop" ? bench.path("state") : path,
                ]
            )
            let text = "it holds the files of cluster"
            #expect(other.wait { other.text("\(name).err").contains(text) }, "\(other.text("\(name).err"))")
            #expect(!other.text("\(name).err").contains("partitions assigned"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == before)
            wrong.stop(grace: .seconds(10))
        }
    }
}
