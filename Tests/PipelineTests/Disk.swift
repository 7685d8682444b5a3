import Storage
import Synchronization

/// Effects of a store on its disk: counted, and made to fail.
final class Disk: Sendable {
    /// The process ends before or after the effect of a number, counted from 0.
    struct Crash: Sendable, CustomStringConvertible {
        let number: Int
        let isAfter: Bool
        var description: String { "crash \(isAfter ? "after" : "before") effect \(number)" }
    }

    private struct State {
        var effects: [StorageEffect] = []
        var done: Set<Int> = []
        var isGone = false
        var isFull = false
        var refusals = 0
    }

    private let crash: Crash?
    private let state = Mutex(State())

    init(crash: Crash? = nil) { self.crash = crash }

    var effects: [StorageEffect] { state.withLock { $0.effects } }
    /// Every crash worth trying on a run like this one: what could not be done has no moment after it.
    var crashes: [Crash] {
        state.withLock { state in
            state.effects.indices.flatMap { number in
                (state.done.contains(number) ? [false, true] : [false]).map { Crash(number: number, isAfter: $0) }
            }
        }
    }
    var isGone: Bool { state.withLock { $0.isGone } }
    var refusals: Int { state.withLock { $0.refusals } }
    /// Whether nothing more can be written.
    var isFull: Bool {
        get { state.withLock { $0.isFull } }
        set { state.withLock { $0.isFull = newValue } }
    }

    func store(_ root: String) throws -> FolderStore {
        try FolderStore(root: root) { [self] effect throws(StorageError) in try meet(effect) }
    }

    private func meet(_ effect: StorageEffect) throws(StorageError) {
        let error = state.withLock { state -> StorageError? in
            // Not one that may work later: nobody is there to try again.
            let gone = StorageError.gone
            if state.isGone { return gone }
            if effect.isDone {
                state.done.insert(state.effects.count - 1)
            } else {
                state.effects.append(effect)
            }
            if let crash, state.effects.count == crash.number + 1, crash.isAfter == effect.isDone {
                state.isGone = true
                return gone
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
    static var gone: StorageError {
        do {
            _ = try FolderStore(root: "")
            fatalError("a store without a folder")
        } catch {
            return error
        }
    }
}

extension ObjectStore {
    /// Everything that is in it.
    var contents: [String: [UInt8]] {
        get throws {
            var contents: [String: [UInt8]] = [:]
            for name in try list() { contents[name] = try read(name) }
            return contents
        }
    }
}
