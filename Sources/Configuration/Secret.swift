/// Text that never appears in descriptions, dumps and messages; only `reveal` returns it.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Wraps a secret.
    public init(_ text: String) {
        self.text = text
    }

    /// The secret itself, for the one call that needs it.
    public func reveal() -> String { text }

    /// Reports only that there is a secret.
    public var description: String { "(secret)" }
    /// Reports only that there is a secret.
    public var debugDescription: String { description }
    /// Shows nothing inside.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
