internal import Foundation
internal import Synchronization

/// A thread of one role: everything that the role owns is made, used and freed on it.
final class RoleThread: Sendable {
    private final class Flag: Sendable { let isRaised = Atomic(false) }

    let name: String
    private let ended = Flag()

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        let ended = ended
        let thread = Thread {
            body()
            ended.isRaised.store(true, ordering: .releasing)
        }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    var hasEnded: Bool { ended.isRaised.load(ordering: .acquiring) }
}
