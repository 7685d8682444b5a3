import Glibc
import Synchronization

/// Destination of log records. It is called from any thread.
public protocol LogSink: Sendable {
    /// Writes a record; must not throw, block for long or log.
    func write(_ record: LogRecord)
}

/// Writes records to standard error, each by one `write`, so that lines of several threads do not mix.
public struct StandardErrorSink: LogSink {
    private let format: LogFormat

    /// Creates a sink of the given format; by default text on a terminal and JSON lines otherwise.
    public init(format: LogFormat? = nil) {
        self.format = format ?? (isatty(STDERR_FILENO) == 1 ? .text : .json)
    }

    /// Writes the record's line; a line that cannot be written is lost.
    public func write(_ record: LogRecord) {
        format.line(of: record).withUnsafeBytes { bytes in
            var rest = bytes
            while let start = rest.baseAddress, !rest.isEmpty {
                let count = Glibc.write(STDERR_FILENO, start, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}

/// Keeps records in memory; for tests.
public final class MemoryLogSink: LogSink {
    private let stored = Mutex<[LogRecord]>([])

    /// An empty sink.
    public init() {}

    /// All records so far.
    public var records: [LogRecord] { stored.withLock { $0 } }

    /// Keeps the record.
    public func write(_ record: LogRecord) { stored.withLock { $0.append(record) } }
}

/// Drops everything.
public struct NullLogSink: LogSink {
    /// Creates the sink.
    public init() {}
    /// Does nothing.
    public func write(_ record: LogRecord) {}
}
