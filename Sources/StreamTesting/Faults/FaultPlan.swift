internal import StreamRuntime
internal import Synchronization

/// Plan that makes a worker fail at one of its effects, and counts the effects.
public final class FaultPlan: Sendable {
    /// Operations of a worker that another worker could observe, or that a restart repeats.
    public enum Operation: String, Hashable, Sendable, CaseIterable {
        case initialize, begin, send, sendOffsets, commit, abort, committedOffsets, assign, read
    }

    /// Kind of failure.
    public enum Fault: String, Hashable, Sendable, CaseIterable {
        /// The process has ended: every later call of its clients fails, and none of them is closed.
        case crash
        case retry
        case abortable
        /// The producer is of no further use.
        case fatal
        /// The outcome of the call remains unknown: this call and every later one of the producer request a retry.
        case unanswered
    }

    /// When, seen from the effect.
    public enum Moment: String, Hashable, Sendable, CaseIterable {
        case before
        /// Half of several records are written; any other effect does not happen.
        case halfway
        case after
    }

    /// One fault at one effect.
    public struct Step: Hashable, Sendable, CustomStringConvertible {
        /// Number of the effect, counted from 0.
        public let number: Int
        /// Kind of failure at the effect.
        public let fault: Fault
        /// When, seen from the effect.
        public let moment: Moment

        /// A fault at the effect of that number.
        public init(_ number: Int, _ fault: Fault, _ moment: Moment = .before) {
            self.number = number
            self.fault = fault
            self.moment = moment
        }

        /// The step in words, as in `crash before effect 7`.
        public var description: String { "\(fault.rawValue) \(moment.rawValue) effect \(number)" }
    }

    private struct State: Sendable {
        var effects: [Operation] = []
        var isCrashed = false
        var hasStruck = false
    }

    private let step: Step?
    private let state = Mutex(State())
    /// Called once, on the thread of the worker, which is the thread of the test: no other thread accesses it.
    private nonisolated(unsafe) var interlude: (number: Int, body: () -> Void)?

    /// A plan with one step; without a step, it only counts the effects.
    public init(_ step: Step? = nil) {
        self.step = step
        interlude = nil
    }

    /// A plan that suspends a worker right before an effect, and resumes it after `meanwhile`.
    public init(suspendedAt number: Int, meanwhile: @escaping () -> Void) {
        step = nil
        interlude = (number, meanwhile)
    }

    /// The effects so far.
    public var effects: [Operation] { state.withLock(\.effects) }
    /// Whether the process has crashed.
    public var isCrashed: Bool { state.withLock(\.isCrashed) }
    /// Whether the step has been reached.
    public var hasStruck: Bool { state.withLock(\.hasStruck) }

    /// Whether a client could fail in this way at this point: a send is not retried once it is done, a completed commit
    /// is never abortable.
    public static func canHappen(_ fault: Fault, _ moment: Moment, at operation: Operation) -> Bool {
        if moment == .halfway { return operation == .send && fault != .retry }
        switch fault {
        case .crash: return true
        case .retry:
            switch operation {
            case .begin, .send: return moment == .before
            case .assign, .read: return false
            case .initialize, .sendOffsets, .commit, .abort, .committedOffsets: return true
            }
        case .abortable:
            switch operation {
            case .send, .sendOffsets: return true
            case .commit: return moment == .before
            default: return false
            }
        case .fatal:
            switch operation {
            case .committedOffsets, .assign, .read: return false
            default: return true
            }
        case .unanswered: return operation == .commit
        }
    }

    /// Returns every step that can happen in a run with these effects.
    public static func steps(_ effects: [Operation], _ faults: [Fault] = Fault.allCases) -> [Step] {
        var steps: [Step] = []
        for (number, operation) in effects.enumerated() {
            for fault in faults {
                for moment in Moment.allCases where canHappen(fault, moment, at: operation) {
                    steps.append(Step(number, fault, moment))
                }
            }
        }
        return steps
    }

    /// Counts an effect, and returns the step if it is due at this effect.
    func reach(_ operation: Operation) -> Step? {
        if let interlude, interlude.number == effects.count {
            self.interlude = nil
            interlude.body()
            state.withLock { $0.hasStruck = true }
        }
        return state.withLock { state in
            state.effects.append(operation)
            guard let step, !state.hasStruck, step.number == state.effects.count - 1 else { return nil }
            state.hasStruck = true
            return step
        }
    }

    /// The code of an outcome that stays unknown.
    static let unanswered = "_UNANSWERED"

    func strike(_ step: Step, _ operation: Operation) -> StreamError {
        if step.fault == .crash { state.withLock { $0.isCrashed = true } }
        let disposition: StreamError.Disposition =
            switch step.fault {
            case .crash, .fatal: .fatal
            case .retry, .unanswered: .retry
            case .abortable: .abortTransaction
            }
        let code =
            switch step.fault {
            case .crash: "_CRASHED"
            case .unanswered: Self.unanswered
            default: "_INJECTED"
            }
        return StreamError(disposition, operation: operation.rawValue, code: code, reason: "\(step)")
    }

    func checkAlive(_ operation: String) throws(StreamError) {
        guard !isCrashed else {
            throw StreamError(.fatal, operation: operation, code: "_CRASHED", reason: "the process is gone")
        }
    }
}
