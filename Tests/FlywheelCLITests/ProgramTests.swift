import Foundation
import Processes
import Synchronization
import Testing

/// The compiled program, in the cases in which it contacts no broker.
@Suite("Messages of the program before it contacts a broker")
struct ProgramTests {
    private var program: String {
        let beside = Bundle.main.bundleURL.appendingPathComponent("flywheel").path
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let built = root.appendingPathComponent(".build/debug/flywheel").path
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : built
    }

    private func flywheel(_ words: [String], _ environment: [String: String] = [:]) throws -> CapturedRun {
        try ChildProcess.run(program, words, environment: environment)
    }

    private func check(_ text: String) throws -> CapturedRun {
        let path = NSTemporaryDirectory() + "flywheel-\(UUID().uuidString).yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try flywheel(["config", "check", path])
    }

    @Test("--version prints the build")
    func version() throws {
        let run = try flywheel(["--version"])
        #expect(run.status == .exited(0))
        #expect(run.outputText.wholeMatch(of: #/flywheel \d+\.\d+\.\d+\n/#) != nil, "\(run.outputText)")
    }

    @Test("Output to a full disk fails", arguments: ["config reference", "--help"])
    func fullDisk(words: String) throws {
        // A shell redirects the output to the device that is always full; output of `ChildProcess` goes to a pipe.
        let shell = try ChildProcess.run("/bin/sh", ["-c", "\"$0\" \(words) > /dev/full", program])
        #expect(shell.status == .exited(1))
        #expect(shell.errorText.contains("could not be written, No space left on device"), "\(shell.errorText)")
    }

    @Test("A literal password and properties that librdkafka refuses are reported with their lines")
    func faults() throws {
        let run = try check(
            "kafka:\n  bootstrap.servers: x:1\n  sasl.password: hunter2\n  aks: all\n  linger.ms: soon\n"
        )
        #expect(run.status == .exited(1))
        for text in [
            ":3: key kafka.sasl.password: expected ${VARIABLE} or file:PATH",
            ":4: key kafka.aks: aks is not known to librdkafka",
            ":5: key kafka.linger.ms: linger.ms does not accept “soon”",
        ] {
            #expect(run.errorText.contains(text), "\(text) not in \(run.errorText)")
        }
        #expect(!run.errorText.contains("hunter2"))
        #expect(try check("kafka:\n  bootstrap.servers: x:1\n  linger.ms: 5\n").status == .exited(0))
    }

    /// Before, only `project apply` said so.
    @Test("config check notes that the classes leave no room for a sample on a task")
    func manyClasses() throws {
        let classes = (0..<6_300).map { "\($0)-" + String(repeating: "c", count: 120) }
        let run = try check("project: pets\nquestion: Which?\nclasses:\n" + classes.map { "  - \($0)\n" }.joined())
        #expect(run.status == .exited(0), "\(run.errorText)")
        #expect(run.outputText.contains("note: question and classes take "), "\(run.outputText)")
    }

    /// Before, `config check` called all of these valid files of a worker.
    @Test(
        "A file that run refuses before it contacts a broker is refused by config check in the same words",
        arguments: [
            ("topics:\n  prefix: \"my topics.\"\n", "topics.prefix: expected letters, digits, full stops"),
            ("topics:\n  prefix: \(String(repeating: "p", count: 240))\n", "Kafka allows at most 249"),
            ("instance: \"\"\n", "instance: expected a name"),
            ("instance: \"..\"\n", "instance: expected a name"),
            ("roles: []\n", "roles: expected at least one of intake, loop, materializer, trainer, console"),
            (
                "console:\n  port: 9000\n  health_port: 9000\n",
                "console.health_port: expected another port than console.port"
            ),
            ("console:\n  host: localhost\n", "console.host: expected an IPv4 address in digits, found \"localhost\""),
            (
                "kafka:\n  enable.auto.commit: \"true\"\n",
                "kafka: property enable.auto.commit must be false, found true"
            ),
            (
                "kafka:\n  enable.idempotence: \"false\"\n",
                "kafka: property enable.idempotence must be true, found false"
            ),
            ("kafka:\n  isolation.level: read_uncommitted\n", "kafka: property isolation.level must be read_committed"),
            ("kafka:\n  session.timeout.ms: 400000\n", "kafka: "),
            ("kafka:\n  security.protocol: ssl\n  ssl.ca.location: /nowhere/ca.pem\n", "kafka: "),
        ]
    )
    func refused(_ file: String, _ message: String) throws {
        let path = NSTemporaryDirectory() + "flywheel-\(UUID().uuidString).yaml"
        try file.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let check = try flywheel(["config", "check", path])
        let began = ContinuousClock.now
        let run = try flywheel(["run", "--config", path, "--bootstrap", "127.0.0.1:1"])
        #expect(began.duration(to: .now) < .seconds(10))
        #expect(check.status == .exited(1) && run.status == .exited(1))
        #expect(check.errorText.contains(message), "\(check.errorText)")
        #expect(check.errorText == run.errorText)
    }

    @Test("An option replaces an invalid value of the file, and the error about an unknown log level quotes it")
    func replaced() throws {
        let path = NSTemporaryDirectory() + "flywheel-\(UUID().uuidString).yaml"
        try "instance: \"..\"\nroles: []\n".write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let run = ["run", "--config", path, "--bootstrap", "127.0.0.1:1", "--log-level", "loud"]
        let file = try flywheel(run)
        #expect(file.status == .exited(1) && file.errorText.contains(":1: key instance: "), "\(file.errorText)")
        let options = try flywheel(run + ["--instance", "w", "--roles", "intake"])
        #expect(options.status == .exited(2))
        #expect(options.errorText.contains("--log-level: expected one of trace"), "\(options.errorText)")
        #expect(options.errorText.contains("found \"loud\""))
        // Without the console one port is no conflict.
        try "console: {port: 9000, health_port: 9000}\n".write(toFile: path, atomically: true, encoding: .utf8)
        let ports = try flywheel(run + ["--roles", "intake"])
        #expect(ports.errorText.contains("--log-level") && !ports.errorText.contains("health_port"))
        let wrong = try flywheel(run.dropLast(2) + ["--instance", "", "--roles", "intake"])
        #expect(
            wrong.status == .exited(1) && wrong.errorText.contains("could not run a worker: instance: expected a name")
        )
    }

    @Test(
        "An empty address and a prefix that topics cannot have are usage errors of every command",
        arguments: ["status", "project list", "topics acls --role operator --principal User:x", "run"]
    )
    func addresses(words: String) throws {
        let command = words.split(separator: " ").map(String.init)
        let prefix = try flywheel(command + ["--bootstrap", "127.0.0.1:1", "--prefix", "a b"])
        #expect(prefix.status == .exited(2), "\(prefix.errorText)")
        #expect(prefix.errorText.contains("--prefix: expected letters"), "\(prefix.errorText)")
        let empty = try flywheel(command + ["--bootstrap", ""])
        #expect(empty.status == .exited(2) && empty.errorText.contains("--bootstrap: expected HOST:PORT"))
    }

    @Test("An option that librdkafka refuses is a usage error")
    func option() throws {
        let run = try flywheel(["status", "--bootstrap", "x:1", "--kafka", "aks=all"])
        #expect(run.status == .exited(2))
        #expect(run.errorText.contains("--kafka: aks is not known to librdkafka"), "\(run.errorText)")
    }

    @Test("Codes and topics that no dead letter can have, and contradictory options, are usage errors")
    func deadLetters() throws {
        for command in ["list", "redrive"] {
            for (words, text) in [
                (["--code", "nonsense"], "--code: no dead letter has the code \"nonsense\"; there are bad_envelope, "),
                (["--code", "not_json", "--code", "duplicate"], "the code \"duplicate\""),
                (["--topic", "nonsense"], "comes from \"nonsense\"; there are predictions, feedback, annotations, "),
                (["--topic", "labeling-tasks"], "comes from \"labeling-tasks\""),
                (["--prefix", "ours.", "--topic", "flywheel.predictions"], "comes from \"flywheel.predictions\""),
                (["--since", "1h", "--until", "2h"], "--since must be earlier than --until"),
            ] {
                let run = try flywheel(["dead-letters", command, "--bootstrap", "127.0.0.1:1"] + words)
                #expect(run.status == .exited(2) && run.errorText.contains(text), "\(words): \(run.errorText)")
            }
        }
        let all = try flywheel(["dead-letters", "redrive", "--bootstrap", "127.0.0.1:1", "--all", "--code", "not_json"])
        #expect(all.status == .exited(2) && all.errorText.contains("--all means every dead letter"), "\(all.errorText)")
        // A valid combination contacts the broker, which is not there.
        let known = ["--code", "unreadable_entry", "--topic", "journal", "--topic", "flywheel.commands"]
        let run = try flywheel(["dead-letters", "list", "--bootstrap", "127.0.0.1:1"] + known)
        #expect(run.status == .exited(1), "\(run.errorText)")
    }

    @Test("A label change without a reason, with an invalid split or class, or with an invalid id is a usage error")
    func changes() throws {
        for (words, text) in [
            (["retract", "s"], "--reason"), (["revise", "s", "--reason", "x"], "--to"),
            (["move", "s", "--reason", "x", "--to", "window"], "--to: expected training, validation or test"),
            (["revise", "s", "--reason", "x", "--to", ""], "--to: expected a class of 1 to 128 bytes"),
            (["retract", "a\u{1B}b", "--reason", "x"], "SAMPLE: expected 1 to 256 bytes without control characters"),
        ] {
            let run = try flywheel(["dataset"] + words + ["--project", "digits", "--bootstrap", "127.0.0.1:1"])
            #expect(run.status == .exited(2) && run.errorText.contains(text), "\(words): \(run.errorText)")
        }
    }

    @Test("A missing project or version, or an invalid time, in a command about releases is a usage error")
    func releases() throws {
        for (words, text) in [
            (["log"], "missing argument project"), (["why", "digits"], "missing argument version"),
            (["compare", "digits", "v1"], "missing argument second"),
            (["freeze", "digits"], "--reason"), (["unfreeze", "--reason", "x"], "missing argument project"),
            (["log", "digits", "--at", "yesterday"], "--at: expected a time of RFC 3339 with its zone"),
            (["log", "digits", "--at", "2026-03-01T12:00:00"], "--at: expected a time of RFC 3339 with its zone"),
            (["log", "digits", "--at", "9999-01-01T00:00:00Z"], "is in the future"),
        ] {
            let run = try flywheel(["releases"] + words + ["--bootstrap", "127.0.0.1:1"])
            #expect(run.status == .exited(2) && run.errorText.contains(text), "\(words): \(run.errorText)")
        }
    }

    @Test("FLYWHEEL_BOOTSTRAP names the brokers if no option or file does")
    func environment() throws {
        let none = try flywheel(["status"], ["FLYWHEEL_BOOTSTRAP": ""])
        #expect(none.status == .exited(2))
        #expect(none.errorText.contains("which brokers?"), "\(none.errorText)")
        // No broker listens at this address, and the error reports it.
        let named = try flywheel(["status"], ["FLYWHEEL_BOOTSTRAP": "127.0.0.1:1"])
        #expect(named.status == .exited(1))
        #expect(named.errorText.contains("check bootstrap.servers and that the brokers run"), "\(named.errorText)")
    }

    /// Before: nothing for 14 s, and no metric until later still.
    @Test("Without an answering broker, log, health and a metric that exists from the start report it within 5 s")
    func unreachable() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "down-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let port = try freePort()
        let worker = try ChildProcess(
            program,
            [
                "run", "--bootstrap", "127.0.0.1:1", "--roles", "loop,console", "--port", "\(port)", "--state",
                folder + "/state",
            ],
            output: .file(folder + "/out"),
            errors: .file(folder + "/err")
        )
        defer { worker.stop(grace: .seconds(30)) }
        func get(_ path: String) throws -> String {
            try ChildProcess.run("curl", ["-s", "http://127.0.0.1:\(port)\(path)"]).outputText
        }
        func wait(_ limit: Duration, until condition: () throws -> Bool) rethrows -> Bool {
            let end = ContinuousClock.now + limit
            while ContinuousClock.now < end {
                if try condition() { return true }
                Thread.sleep(forTimeInterval: 0.02)
            }
            return false
        }
        let began = ContinuousClock.now
        let name = #"flywheel_brokers_unreachable{role="loop"}"#
        #expect(try wait(.seconds(2)) { try get("/metrics").contains("\(name) 0") }, "it is not there from the start")
        let isReported = try wait(.seconds(5)) { try get("/metrics").contains("\(name) 1") }
        let took = began.duration(to: .now)
        #expect(isReported && took < .seconds(5), "\(took)")
        #expect(try get("/health/ready").contains("no broker at 127.0.0.1:1 has answered"))
        let log = try String(contentsOfFile: folder + "/err", encoding: .utf8)
        #expect(log.contains("no broker answers"), "\(log)")
        print("told after \(took)")
    }

    /// Before, these commands took 14 to 34 s, printed six different messages, and `dead-letters redrive` never ended.
    @Test("Without a broker every command prints the same error, within 10 s")
    func down() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appendingPathComponent("docs/examples/project.yaml").path
        let commands = [
            ["topics", "create"], ["topics", "check"], ["project", "apply", file], ["project", "list"],
            ["project", "show", "digits"], ["project", "resume", "digits"], ["status"],
            ["status", "--json", "--watch"],
            ["dataset", "log", "--project", "digits"], ["dataset", "log", "--changes", "--project", "digits"],
            ["dataset", "retract", "s", "--project", "digits", "--reason", "x"], ["replay"],
            ["replay", "--verify", "--project", "digits"],
            ["releases", "log", "digits"], ["releases", "show", "digits"], ["releases", "why", "digits", "v1"],
            ["releases", "compare", "digits", "v1", "v2"],
            ["releases", "freeze", "digits", "--reason", "x"],
            ["explain", "s", "--project", "digits"], ["dead-letters", "list"], ["dead-letters", "show", "0/1"],
            ["dead-letters", "redrive", "--all"], ["participant", "product", "--project", "digits"],
            ["participant", "label-tool"], ["run", "--project", file, "--port", "0"], ["demo", "--quick"],
        ]
        let group = DispatchGroup()
        let found = Mutex<[String: (run: CapturedRun, took: Duration)]>([:])
        for command in commands {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                let began = ContinuousClock.now
                guard let run = try? flywheel(command + ["--bootstrap", "127.0.0.1:1"]) else { return }
                let took = began.duration(to: .now)
                found.withLock { $0[command.joined(separator: " ")] = (run, took) }
            }
        }
        group.wait()
        for command in commands {
            let name = command.joined(separator: " ")
            let (run, took) = try #require(found.withLock { $0[name] }, "\(name) could not be run")
            #expect(run.status == .exited(1), "\(name)")
            let expected =
                "flywheel: could not connect to 127.0.0.1:1: no broker has answered within 7 s (_ALL_BROKERS_DOWN); "
                + "check bootstrap.servers and that the brokers run"
            #expect(run.errorText.split(separator: "\n").last.map(String.init) == expected, "\(name): \(run.errorText)")
            #expect(took < .seconds(10), "\(name) takes \(took)")
        }
    }
}
