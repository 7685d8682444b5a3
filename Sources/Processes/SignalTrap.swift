import Dispatch
import Glibc

/// Turns signals into calls of a closure, on a queue of its own and not in a signal handler, until it is cancelled or
/// released; then the signals have their default effect again.
public final class SignalTrap: Sendable {
    private let signals: [Int32]
    // Dispatch sources may be cancelled from any thread, and cancelling is the only operation on them.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    /// Traps `signals`; the handler gets the signal's number, one call at a time.
    public init(_ signals: [Int32], handler: @escaping @Sendable (Int32) -> Void) {
        self.signals = signals
        let queue = DispatchQueue(label: "signals")
        sources = signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { handler(number) }
            // Waits, because a signal would be ignored and lost before the source is registered.
            let registered = DispatchSemaphore(value: 0)
            source.setRegistrationHandler { registered.signal() }
            source.resume()
            registered.wait()
            return source
        }
    }

    /// Traps SIGINT and SIGTERM, which request the end of a process.
    public convenience init(handler: @escaping @Sendable (Int32) -> Void) {
        self.init([SIGINT, SIGTERM], handler: handler)
    }

    deinit { cancel() }

    /// Stops calling the handler and restores the signals' default effect.
    public func cancel() {
        for source in sources { source.cancel() }
        for number in signals { signal(number, SIG_DFL) }
    }
}
