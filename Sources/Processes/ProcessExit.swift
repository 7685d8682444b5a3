/// How a process ended.
public enum ProcessExit: Hashable, Sendable, CustomStringConvertible {
    /// It ended itself, with this code in 0...255.
    case exited(Int32)
    /// A signal ended it, as in 9 for SIGKILL.
    case signaled(Int32)

    /// From what `waitpid` reports of a process that has ended.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited(waitStatus >> 8 & 0xff) : .signaled(signal)
    }

    /// Whether it ended itself with code 0.
    public var isSuccess: Bool { self == .exited(0) }

    /// The ending in words.
    public var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signaled(let signal): "signal \(signal)"
        }
    }
}
