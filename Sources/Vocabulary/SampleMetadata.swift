/// Metadata that a product service adds to a sample besides its content: keys with short texts, such as
/// `source: scanner-7`.
public struct SampleMetadata: Hashable, Sendable {
    /// A key and its text.
    public struct Entry: Hashable, Sendable {
        public let key: String
        public let value: String

        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    /// Maximum number of entries of a sample.
    public static let entryLimit = 16
    /// Maximum number of bytes of a key.
    public static let longestKey = 64
    /// Maximum number of bytes of a text.
    public static let longestValue = 256
    /// Metadata of samples that have none.
    public static let none = SampleMetadata()

    /// By ascending key.
    public let entries: [Entry]

    private init() { entries = [] }

    /// Fails unless there are at most 16 entries, no key twice, keys of 1 to 64 and texts of at most 256 bytes.
    public init?(_ entries: [Entry]) {
        guard entries.count <= Self.entryLimit, Set(entries.map(\.key)).count == entries.count else { return nil }
        for entry in entries {
            guard (1...Self.longestKey).contains(entry.key.utf8.count), entry.value.utf8.count <= Self.longestValue
            else {
                return nil
            }
        }
        self.entries = entries.sorted { $0.key < $1.key }
    }

    /// The text at a key; nil if there is no such key.
    public subscript(key: String) -> String? { entries.first { $0.key == key }?.value }
}
