import Foundation
import Processes
import Testing

@Suite struct ChildProcessTests {
    @Test("A run returns output, errors and exit code")
    func capture() throws {
        let run = try ChildProcess.run("sh", ["-c", "echo out; echo err >&2; exit 3"])
        #expect(run.outputText == "out\n")
        #expect(run.errorText == "err\n")
        #expect(run.status == .exited(3))
        #expect(!run.status.isSuccess)
    }

    @Test("Arguments are passed unchanged, and the environment is the parent's with additions")
    func argumentsAndEnvironment() throws {
        let script = "printf '%s|' \"$@\" \"$FLYWHEEL_TEST\" \"${PATH:+path}\""
        let run = try ChildProcess.run(
            "sh",
            ["-c", script, "sh", "a b", "$x", ""],
            environment: ["FLYWHEEL_TEST": "é=1"]
        )
        #expect(run.outputText == "a b|$x||é=1|path|")
    }

    @Test("The working directory is the requested one")
    func directory() throws {
        #expect(try ChildProcess.run("pwd", directory: "/").outputText == "/\n")
        #expect(throws: ProcessError.self) { try ChildProcess.run("pwd", directory: "/nowhere/at/all") }
    }

    @Test("More output than a pipe holds arrives complete, and output beyond the limit is dropped")
    func largeOutput() throws {
        let script = "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"
        let run = try ChildProcess.run("sh", ["-c", script], limit: 2_000_000)
        #expect(run.output.count == 2_000_000)
        #expect(run.errors.count == 2_000_000)
        #expect(run.status.isSuccess)
    }

    @Test("A process that runs too long is killed")
    func timeout() throws {
        let run = try ChildProcess.run("sleep", ["60"], timeout: .milliseconds(100))
        #expect(run.status == .signaled(SIGKILL))
    }

    @Test("A grandchild that keeps the streams open does not block the caller")
    func grandchild() throws {
        let start = ContinuousClock.now
        let run = try ChildProcess.run("sh", ["-c", "sleep 5 & echo done"])
        #expect(run.outputText == "done\n")
        #expect(ContinuousClock.now - start < .seconds(4))
    }

    @Test("A program that cannot be started is an error that names it")
    func missing() {
        let error = #expect(throws: ProcessError.self) { try ChildProcess("/no/such/program") }
        #expect(error.map { "\($0)" } == "could not start /no/such/program: No such file or directory")
        #expect(throws: ProcessError.self) { try ChildProcess("sh", ["a\u{0}b"]) }
    }

    @Test("Signals are neither blocked nor ignored in the child, whatever the parent has set")
    func cleanSignals() throws {
        signal(SIGUSR2, SIG_IGN)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGUSR1)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let status = try ChildProcess.run("grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"]).outputText
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        signal(SIGUSR2, SIG_DFL)
        // glibc uses signals 32 and 33 itself, and ignores them in every process that it spawns.
        let masks = status.split(separator: "\n").map { (UInt64($0.suffix(16), radix: 16) ?? .max) & ~0x1_8000_0000 }
        #expect(masks == [0, 0])
    }

    @Test("The child is in the parent's process group and has none of its files open")
    func groupAndFiles() throws {
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        let run = try ChildProcess.run(
            "sh",
            ["-c", "ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat; ls /proc/$$/fd"]
        )
        let lines = run.outputText.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(lines.first == "\(getpgrp())")
        #expect(!lines.dropFirst().contains("\(file)") || file < 3)
    }

    @Test("A process can be paused, resumed, terminated and killed")
    func signals() throws {
        let child = try ChildProcess("sleep", ["60"], output: .null, errors: .null)
        #expect(child.exitStatus == nil)
        child.pause()
        #expect(child.wait(timeout: .milliseconds(20)) == nil)
        #expect(child.stop() == .signaled(SIGTERM))
        #expect(child.wait() == .signaled(SIGTERM))
        child.kill()
        let stubborn = try ChildProcess("sh", ["-c", "trap '' TERM; while :; do sleep 0.05; done"], output: .null)
        #expect(stubborn.wait(timeout: .milliseconds(200)) == nil)
        #expect(stubborn.stop(grace: .milliseconds(100)) == .signaled(SIGKILL))
    }

    @Test("Streams can be redirected to files")
    func files() throws {
        let path = NSTemporaryDirectory() + "flywheel-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for text in ["one", "two"] {
            let child = try ChildProcess("echo", [text], output: .file(path, appending: true))
            #expect(child.wait(timeout: .seconds(10))?.isSuccess == true)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "one\ntwo\n")
        let reader = try ChildProcess("sh", ["-c", "read a; [ \"$a\" = one ]"], input: .file(path))
        #expect(reader.wait(timeout: .seconds(10)) == .exited(0))
    }

    @Test("Many threads that wait for one process all get its status")
    func waiters() async throws {
        let child = try ChildProcess("sh", ["-c", "sleep 0.05; exit 7"])
        await withTaskGroup(of: Optional<ProcessExit>.self) { group in
            for _ in 0..<4 { group.addTask { child.wait(timeout: .seconds(10)) } }
            for await status in group { #expect(status == .exited(7)) }
        }
    }

    @Test("A trapped signal calls the handler and not the default action")
    func signalTrap() async {
        let received = AsyncStream<Int32>.makeStream()
        let trap = SignalTrap([SIGUSR1]) { received.continuation.yield($0) }
        kill(getpid(), SIGUSR1)
        var iterator = received.stream.makeAsyncIterator()
        #expect(await iterator.next() == SIGUSR1)
        trap.cancel()
    }

    @Test("Free ports can be allocated")
    func ports() throws {
        let port = try freePort()
        #expect(port > 1_023)
    }
}
