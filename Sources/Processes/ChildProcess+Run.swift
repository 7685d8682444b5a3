import Glibc

/// Output and exit status of a process that has ended.
public struct CapturedRun: Sendable {
    /// Exit status; SIGKILL if the process ran past the timeout.
    public let status: ProcessExit
    /// Bytes that the process wrote to standard output, up to the limit.
    public let output: [UInt8]
    /// Bytes that the process wrote to standard error, up to the limit.
    public let errors: [UInt8]

    /// The output as text.
    public var outputText: String { String(decoding: output, as: UTF8.self) }
    /// The errors as text.
    public var errorText: String { String(decoding: errors, as: UTF8.self) }
}

extension ChildProcess {
    /// Starts a process, captures its output, and waits for it.
    ///
    /// - Parameters:
    ///   - executable: A path, or a name to look up in `PATH`.
    ///   - arguments: The arguments after the executable's own name.
    ///   - environment: Variables set in addition to those of this process.
    ///   - directory: Working directory; that of this process, if nil.
    ///   - timeout: Maximum run time before the process is killed.
    ///   - limit: Maximum number of bytes kept of each stream; the rest is read and dropped.
    /// - Returns: The output and exit status; a failure of the process itself is no error.
    /// - Throws: `ProcessError` if it cannot be started.
    public static func run(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        directory: String? = nil,
        timeout: Duration = .seconds(60),
        limit: Int = 16 << 20
    ) throws(ProcessError) -> CapturedRun {
        var output = try Pipe(limit: limit)
        var errors = try Pipe(limit: limit)
        let child = try ChildProcess(
            executable,
            arguments,
            environment: environment,
            directory: directory,
            output: .descriptor(output.writeEnd),
            errors: .descriptor(errors.writeEnd)
        )
        output.closeWriteEnd()
        errors.closeWriteEnd()
        let deadline = ContinuousClock.now + timeout
        while !(output.isAtEnd && errors.isAtEnd) {
            guard ContinuousClock.now < deadline else { break }
            // A grandchild may hold the streams open after the process itself has ended.
            let hasEnded = child.exitStatus != nil
            var descriptors = [output.pollDescriptor, errors.pollDescriptor]
            let count = poll(&descriptors, 2, hasEnded ? 50 : 20)
            if count == 0, hasEnded { break }
            if descriptors[0].revents != 0 { output.read() }
            if descriptors[1].revents != 0 { errors.read() }
        }
        let left = max(.zero, deadline - ContinuousClock.now)
        var status = child.wait(timeout: left)
        if status == nil {
            child.kill()
            status = child.wait()
        }
        return CapturedRun(status: status ?? .signaled(SIGKILL), output: output.bytes, errors: errors.bytes)
    }
}

/// One stream of a process: owns both ends of a pipe.
private struct Pipe: ~Copyable {
    private let readEnd: Int32
    private(set) var writeEnd: Int32
    private let limit: Int
    private(set) var bytes: [UInt8] = []
    private(set) var isAtEnd = false

    init(limit: Int) throws(ProcessError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ProcessError("make a pipe", code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        readEnd = ends[0]
        writeEnd = ends[1]
        self.limit = limit
    }

    deinit {
        close(readEnd)
        if writeEnd >= 0 { close(writeEnd) }
    }

    var pollDescriptor: pollfd { pollfd(fd: isAtEnd ? -1 : readEnd, events: Int16(POLLIN), revents: 0) }

    mutating func closeWriteEnd() {
        close(writeEnd)
        writeEnd = -1
    }

    mutating func read() {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(readEnd, &chunk, chunk.count)
        if count > 0 {
            bytes.append(contentsOf: chunk[..<min(count, limit - bytes.count)])
        } else if count == 0 || errno != EINTR {
            isAtEnd = true
        }
    }
}
