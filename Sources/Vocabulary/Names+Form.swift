public import Forms

/// A name given from outside.
public struct ID<Value: Identifier>: ValueKind {
    @inlinable public init(_: Value.Type = Value.self) {}
    public var placeholder: Value { Value("x") }
    public var shape: Shape { .text(1...256, note: Self.expected) }
    @usableFromInline static var expected: String { "1 to 256 bytes without control characters" }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Value {
        let text = try source.text(0...Int.max)
        guard let id = Value(checking: text) else { throw source.failure(Self.expected, found: text.quoted) }
        if let expected = source.fault(ofName: text) { throw source.failure(expected, found: nil) }
        return id
    }
    @inlinable public func write<S: ValueSink>(_ value: Value, to sink: inout S) { sink.text(value.rawValue) }
}

extension ValueKind where Self == Name<ProjectID> {
    /// A project's name.
    public static var project: Self {
        let expected = "1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first"
        return Name(
            expected,
            bytes: 1...64,
            placeholder: ProjectID("x"),
            make: { ProjectID(checking: $0) },
            text: { $0.rawValue }
        )
    }
}

/// A time, in milliseconds.
public struct Time: ValueKind {
    @inlinable public init() {}
    public var placeholder: StreamTime { StreamTime(milliseconds: 0) }
    public var shape: Shape { .integer(.min ... .max) }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> StreamTime {
        StreamTime(milliseconds: try source.integer(.min ... .max))
    }
    @inlinable public func write<S: ValueSink>(_ value: StreamTime, to sink: inout S) {
        sink.integer(value.milliseconds)
    }
}

extension ValueKind where Self == Name<ArtifactPrefix> {
    /// An allowed location of artifacts.
    public static var artifactPrefix: Self {
        let expected =
            "a scheme (s3) or a URI without user, query and '..' segments (s3://bucket/folder, file:///folder)"
        let usual = ArtifactPrefix.usual[0]
        return Name(
            expected,
            bytes: 1...1_024,
            placeholder: usual,
            make: { $0.utf8.count <= 1_024 ? ArtifactPrefix($0) : nil },
            text: { $0.text }
        )
    }
}
