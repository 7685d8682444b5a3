package import Storage
internal import Synchronization

/// Records the effects of a store on its disk, and lets them fail as planned.
package final class Disk: Sendable {
    /// End of the process before or after the effect with a number, counted from 0.
    package struct Crash: Sendable, CustomStringConvertible {
        package let number: Int
        package let isAfter: Bool
        package var description: String { "crash \(isAfter ? "after" : "before") effect \(number)" }
    }

    private struct State {
        var effects: [StorageEffect] = []
        var done: Set<Int> = []
        var hasCrashed = false
        var isFull = false
        var refusals = 0
    }

    private let crash: Crash?
    private let state = Mutex(State())

    package init(crash: Crash? = nil) { self.crash = crash }

    package var effects: [StorageEffect] { state.withLock { $0.effects } }
    /// All crashes to test on a run like this one: an effect that could not be executed has no crash after it.
    package var crashes: [Crash] {
        state.withLock { state in
            state.effects.indices.flatMap { number in
                (state.done.contains(number) ? [false, true] : [false]).map { Crash(number: number, isAfter: $0) }
            }
        }
    }
    package var hasCrashed: Bool { state.withLock { $0.hasCrashed } }
    package var refusals: Int { state.withLock { $0.refusals } }
    /// Whether nothing more can be written.
    package var isFull: Bool {
        get { state.withLock { $0.isFull } }
        set { state.withLock { $0.isFull = newValue } }
    }

    package func store(_ root: String) throws -> FolderStore {
        try FolderStore(root: root) { [self] effect throws(StorageError) in try handle(effect) }
    }

    private func handle(_ effect: StorageEffect) throws(StorageError) {
        let error = state.withLock { state -> StorageError? in
            // Not an error that may succeed later: no process is left to retry.
            let processEnded = StorageError.processEnded
            if state.hasCrashed { return processEnded }
            if effect.isDone {
                state.done.insert(state.effects.count - 1)
            } else {
                state.effects.append(effect)
            }
            if let crash, state.effects.count == crash.number + 1, crash.isAfter == effect.isDone {
                state.hasCrashed = true
                return processEnded
            }
            guard state.isFull, !effect.isDone, effect.kind == .append || effect.kind == .makeFolder else { return nil }
            state.refusals += 1
            return StorageError("write", effect.path, code: 28)
        }
        if let error { throw error }
    }
}

extension StorageError {
    /// Error of every call of a process that has ended.
    package static var processEnded: StorageError {
        do {
            _ = try FolderStore(root: "")
            preconditionFailure("a store without a folder")
        } catch {
            return error
        }
    }
}

extension ObjectStore {
    /// The content of all objects, by name.
    package var contents: [String: [UInt8]] {
        get throws {
            var contents: [String: [UInt8]] = [:]
            for name in try list() { contents[name] = try read(name) }
            return contents
        }
    }
}
