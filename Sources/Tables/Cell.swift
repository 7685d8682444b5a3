/// A single value with a record of whether it changed since the last commit and of its value before, as in a table.
///
/// The changelog sees a table of one row, which is absent until the value is first set.
public struct Cell<Value: Equatable & Sendable>: Sendable {
    @usableFromInline var current: Value
    @usableFromInline var isSet = false
    /// The value as of the last commit and whether it was set; nil while it has not been touched since.
    @usableFromInline var before: Before?

    @usableFromInline struct Before: Sendable {
        @usableFromInline let value: Value
        @usableFromInline let isSet: Bool

        @inlinable init(value: Value, isSet: Bool) {
            self.value = value
            self.isSet = isSet
        }
    }

    @inlinable public init(_ initial: Value) {
        current = initial
        self.initial = initial
    }

    @usableFromInline let initial: Value

    /// The value set last, or the initial one.
    @inlinable public var value: Value {
        get { current }
        _modify {
            touch()
            yield &current
        }
    }

    @inlinable mutating func touch() {
        if before == nil { before = Before(value: current, isSet: isSet) }
        isSet = true
    }

    // MARK: - Changelog

    /// Stored row of the cell; nil until the value is first set.
    @inlinable public var row: Value? { isSet ? current : nil }

    /// Whether the value to be stored differs from the last commit.
    @inlinable public var hasChanges: Bool {
        guard let before else { return false }
        return before.isSet != isSet || before.value != current
    }

    /// Marks the current value as stored.
    @inlinable public mutating func commit() { if before != nil { before = nil } }

    /// Returns to the last commit.
    @inlinable public mutating func undo() {
        guard let before else { return }
        (current, isSet) = (before.value, before.isSet)
        self.before = nil
    }

    /// Sets a value that was read back from the changelog; this does not count as a change.
    @inlinable public mutating func restore(_ row: Value?) {
        current = row ?? initial
        isSet = row != nil
    }
}
