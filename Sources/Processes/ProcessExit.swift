/// Exit status of a process.
public enum ProcessExit: Hashable, Sendable, CustomStringConvertible {
    /// The process exited with this code, in 0...255.
    case exited(Int32)
    /// A signal with this number ended the process, as in 9 for SIGKILL.
    case signaled(Int32)

    /// Decodes the status that `waitpid` reports for a process that has ended.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited(waitStatus >> 8 & 0xff) : .signaled(signal)
    }

    /// Whether the process exited with code 0.
    public var isSuccess: Bool { self == .exited(0) }

    /// The exit status in words.
    public var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signaled(let signal): "signal \(signal)"
        }
    }
}
