internal import Foundation

/// A thread of one role: everything that the role owns is made, used and freed on it.
final class RoleThread: Sendable {
    private let finished = DispatchSemaphore(value: 0)

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let finished = finished
        let thread = Thread {
            body()
            finished.signal()
        }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Waits until the thread has ended. Call once.
    func join() { finished.wait() }
}
