/// A large value that is stored once, however often it is passed on: a copy is only another reference.
///
/// Two boxes that share one value are equal without a comparison of its parts.
public struct Boxed<Value: Hashable & Sendable>: Hashable, Sendable {
    @usableFromInline final class Box: Sendable {
        @usableFromInline let value: Value
        @inlinable init(_ value: Value) { self.value = value }
    }

    @usableFromInline let box: Box

    @inlinable public init(_ value: Value) { box = Box(value) }

    @inlinable public var value: Value { box.value }

    @inlinable public static func == (a: Self, b: Self) -> Bool { a.box === b.box || a.box.value == b.box.value }

    @inlinable public func hash(into hasher: inout Hasher) { box.value.hash(into: &hasher) }
}
