public import Forms

extension ValueKind {
    /// A name given from outside.
    public static func id<ID: Identifier>(_: ID.Type = ID.self) -> Self where Self == Name<ID> {
        Name("1 to 256 bytes without control characters", 1...256, sample: ID("x"), { ID(checking: $0) }) {
            $0.rawValue
        }
    }
}

extension ValueKind where Self == Name<ProjectID> {
    /// A project's name.
    public static var project: Self {
        let expected = "1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first"
        return Name(expected, 1...64, sample: ProjectID("x"), { ProjectID(checking: $0) }, { $0.rawValue })
    }
}

/// A class: its position in a record, its name in a file.
public struct ClassPosition: ValueKind {
    public init() {}
    public var sample: ClassIndex { ClassIndex(0) }
    public var shape: Shape { .position }
    public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> ClassIndex { ClassIndex(try source.position()) }
    public func write<S: ValueSink>(_ value: ClassIndex, to sink: inout S) { sink.integer(Int64(value.rawValue)) }
}
