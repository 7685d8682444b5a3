public import Glibc
import Synchronization

/// A child process. The code that starts it must wait for it: a process that is not waited for remains in the process
/// table.
///
/// It starts with no signal blocked or ignored, in the process group of this process (so that Ctrl-C reaches both),
/// with the environment of this process and additions to it, and without the open files of this process except the
/// three standard streams. Safe from any thread; once it has been waited for, its number is never signalled again.
public final class ChildProcess: Sendable {
    /// Number of the process in the process table.
    public let pid: pid_t
    /// Executable that was started, for messages.
    public let executable: String
    private let ending = Mutex<ProcessExit?>(nil)

    /// Starts a process.
    ///
    /// - Parameters:
    ///   - executable: A path, or a name to look up in `PATH`.
    ///   - arguments: The arguments after the executable's own name.
    ///   - environment: Variables set in addition to those of this process, or instead of those with the same name.
    ///   - directory: Working directory; that of this process, if nil.
    ///   - input: Its standard input.
    ///   - output: Its standard output.
    ///   - errors: Its standard error.
    /// - Throws: `ProcessError` if there is no such executable, or the system has no free capacity.
    public init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        directory: String? = nil,
        input: ProcessStream = .null,
        output: ProcessStream = .inherit,
        errors: ProcessStream = .inherit
    ) throws(ProcessError) {
        let operation = "start \(executable)"
        let all = [executable] + arguments + environment.flatMap { [$0.key, $0.value] }
        guard !executable.isEmpty, !all.contains(where: { $0.utf8.contains(0) }) else {
            throw ProcessError(operation, reason: "the executable is empty or a text holds a zero byte")
        }
        var request = try SpawnRequest(operation: operation)
        try request.connect(STDIN_FILENO, to: input)
        try request.connect(STDOUT_FILENO, to: output)
        try request.connect(STDERR_FILENO, to: errors)
        if let directory { try request.changeDirectory(to: directory) }
        self.executable = executable
        pid = try request.spawn([executable] + arguments, environment: Self.merged(environment))
    }

    /// The environment of this process with additions.
    private static func merged(_ additions: [String: String]) -> [String] {
        var result: [String] = []
        var entry = environ
        while let text = entry.pointee {
            let variable = String(cString: text)
            let name = variable.prefix { $0 != "=" }
            if additions[String(name)] == nil { result.append(variable) }
            entry += 1
        }
        for (name, value) in additions.sorted(by: { $0.key < $1.key }) { result.append("\(name)=\(value)") }
        return result
    }

    /// Exit status of the process; nil while it runs.
    public var exitStatus: ProcessExit? {
        ending.withLock { ending in
            if ending == nil {
                var status: Int32 = 0
                if waitpid(pid, &status, WNOHANG) == pid { ending = ProcessExit(waitStatus: status) }
            }
            return ending
        }
    }

    /// Waits until the process has ended, for at most `timeout`, or without a limit if nil.
    ///
    /// - Returns: The exit status; nil if the process still runs.
    public func wait(timeout: Duration? = nil) -> ProcessExit? {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        var pause: UInt32 = 500
        while true {
            if let status = exitStatus { return status }
            if let deadline, ContinuousClock.now >= deadline { return nil }
            usleep(pause)
            pause = min(pause * 2, 10_000)
        }
    }

    /// Requests the end of the process (SIGTERM). Has no effect if it has ended.
    public func terminate() { send(SIGTERM) }

    /// Ends the process (SIGKILL). Has no effect if it has ended.
    public func kill() { send(SIGKILL) }

    /// Pauses the process (SIGSTOP).
    public func pause() { send(SIGSTOP) }

    /// Continues the paused process (SIGCONT).
    public func resume() { send(SIGCONT) }

    /// Sends a signal to the process, unless it has been waited for.
    public func send(_ signal: Int32) {
        ending.withLock { ending in
            if ending == nil { _ = Glibc.kill(pid, signal) }
        }
    }

    /// Requests the end of the process, and kills it if it has not ended after `grace`.
    ///
    /// - Returns: The exit status.
    @discardableResult
    public func stop(grace: Duration = .seconds(5)) -> ProcessExit? {
        terminate()
        resume()
        if let status = wait(timeout: grace) { return status }
        kill()
        return wait()
    }
}
