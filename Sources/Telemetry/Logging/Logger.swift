import Glibc

/// Logs events, with a module's name in every record. It is a value that is passed as an argument; there is no global
/// logger.
///
/// Messages and fields below the level are not even computed.
public struct Logger: Sendable {
    /// The module that logs.
    public let module: String
    /// Records below this level are dropped.
    public let level: LogLevel
    private let sink: any LogSink
    private let fields: [LogField]
    private let clock: @Sendable () -> Int64

    /// Creates a logger.
    ///
    /// - Parameters:
    ///   - module: The module that logs.
    ///   - level: Records below this level are dropped.
    ///   - sink: Destination of the records.
    ///   - clock: Returns the current time, in nanoseconds since 1970.
    public init(
        module: String,
        level: LogLevel = .info,
        sink: any LogSink = StandardErrorSink(),
        clock: @escaping @Sendable () -> Int64 = systemNanoseconds
    ) {
        self.init(module: module, level: level, sink: sink, fields: [], clock: clock)
    }

    private init(
        module: String,
        level: LogLevel,
        sink: any LogSink,
        fields: [LogField],
        clock: @escaping @Sendable () -> Int64
    ) {
        self.module = module
        self.level = level
        self.sink = sink
        self.fields = fields
        self.clock = clock
    }

    /// A logger that drops everything.
    public static var disabled: Logger { Logger(module: "", level: .critical, sink: NullLogSink()) }

    /// Returns this logger for another module.
    public func forModule(_ module: String) -> Logger {
        Logger(module: module, level: level, sink: sink, fields: fields, clock: clock)
    }

    /// Returns this logger with fields that are added to every record.
    public func with(_ fields: LogFields) -> Logger {
        Logger(module: module, level: level, sink: sink, fields: self.fields + fields.list, clock: clock)
    }

    /// Logs a record, if the level includes it.
    public func log(
        _ level: LogLevel,
        _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> LogFields = [:]
    ) {
        guard level >= self.level else { return }
        let all = self.fields + fields().list
        sink.write(LogRecord(time: clock(), level: level, module: module, message: message(), fields: all))
    }
}

/// The time in nanoseconds since 1970 (UTC), by the system's clock.
@Sendable public func systemNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
