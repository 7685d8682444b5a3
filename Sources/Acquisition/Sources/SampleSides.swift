internal import Hashing
public import Tables
public import Vocabulary

/// Contents and groups of samples that were queried or imported: the same text under another name is not queried a
/// second time, and members of a group are all on the side of the first.
///
/// Inline contents are distinguished by 8 bytes of their SHA-256, for which no second text can be found; contents
/// behind a URI are not compared, which is left to their owner. By the birthday bound the probability that any two of a
/// million contents are mistaken for the same one is 3e-8.
public struct SampleSides: Sendable {
    /// The purpose of the first sample of a content or group, by the bits of its hash. There are at most two rows per
    /// sample, so the size of the table is bounded by what the budget has paid for, and by imports.
    public var known = Table<Int, TaskPurpose>()

    public init() {}

    /// Reason why a sample may not be queried.
    public enum Obstacle: Hashable, Sendable {
        /// Another sample with the same content was queried, or imported.
        case copy(TaskPurpose)
        /// Another sample of its group is on another side: training, validation or test.
        case group(TaskPurpose)
    }

    /// Whether a sample may still be queried on the side that a purpose puts it on.
    ///
    /// - Complexity: O(*n*) in the bytes of its content.
    public func obstacle(_ sample: Sample, _ purpose: TaskPurpose) -> Obstacle? {
        guard known.count > 0 else { return nil }
        if let key = Self.contentKey(sample), let first = known[key] { return .copy(first) }
        if let key = Self.groupKey(sample), let first = known[key], first.split != purpose.split {
            return .group(first)
        }
        return nil
    }

    /// Records the side of a sample. The first sample of a content or group determines the side.
    mutating func note(_ sample: Sample, _ purpose: TaskPurpose) {
        // A disputed sample is on no side, so its group may still be on either.
        let group = purpose.split == nil ? nil : Self.groupKey(sample)
        for key in [Self.contentKey(sample), group].compactMap({ $0 }) where known[key] == nil {
            known[key] = purpose
        }
    }

    private static func contentKey(_ sample: Sample) -> Int? {
        // The media type is ignored: the same text may be sent as plain text or as Markdown.
        guard case .inline(_, let text)? = sample.content else { return nil }
        return key("content\0\(text)")
    }

    private static func groupKey(_ sample: Sample) -> Int? {
        sample.group.map { key("group\0\($0.rawValue)") }
    }

    /// The first 8 bytes of SHA-256: with an invertible hash a text, or a group, could be constructed that blocks
    /// another one.
    private static func key(_ text: String) -> Int {
        Int(bitPattern: SHA256Digest(of: text.utf8).bytes.prefix(8).reduce(UInt(0)) { $0 << 8 | UInt($1) })
    }
}
