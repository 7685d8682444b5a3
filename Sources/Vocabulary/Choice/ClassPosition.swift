public import Forms

/// Value kind of a class, which is written as its position in a record, and as its name in a file.
public struct ClassPosition: ValueKind {
    @inlinable public init() {}
    public var placeholder: ClassIndex { ClassIndex(0) }
    public var shape: Shape { .position }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> ClassIndex {
        ClassIndex(try source.position())
    }
    @inlinable public func write<S: ValueSink>(_ value: ClassIndex, to sink: inout S) {
        sink.integer(Int64(value.rawValue))
    }
}
