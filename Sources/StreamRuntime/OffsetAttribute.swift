/// A word `NAME=VALUE` after the mark stored with a committed offset.
///
/// A build that does not know a name ignores the word, and keeps it when it writes the metadata again.
public struct OffsetAttribute: Hashable, Sendable {
    /// Name, without spaces and equals signs.
    public let name: String
    /// Value, without spaces.
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Attribute of a partition that was released in order by a worker that had not processed all suspicious records.
    /// It does not count as another death.
    static let released = OffsetAttribute("left", "suspicious")

    /// Maximum number of bytes of words that are written again: any client that may commit for the group can write
    /// anything here, and a broker accepts 4,096 bytes.
    private static let mostBytes = 256

    var word: String { "\(name)=\(value)" }

    /// The value of the first word of that name; nil if there is none.
    public static func value(of name: String, in metadata: String) -> String? {
        metadata.split(separator: " ").first { $0.hasPrefix("\(name)=") }.map {
            String($0.dropFirst(name.utf8.count + 1))
        }
    }

    /// Words of metadata to write again: all attributes except those with the given names; none if they are too long.
    static func words(in metadata: String, except names: [String]) -> [String] {
        let words = metadata.split(separator: " ").filter { word in
            word.contains("=") && !names.contains { word.hasPrefix("\($0)=") }
        }
        guard words.reduce(0, { $0 + $1.utf8.count + 1 }) <= mostBytes else { return [] }
        return words.map(String.init)
    }
}

/// Disagreement between a partition's last owner and this member about an attribute in which all members of a group
/// must agree.
public struct OffsetDisagreement: Error, Hashable, Sendable, CustomStringConvertible {
    public let partition: TopicPartition
    public let found: OffsetAttribute
    public let own: OffsetAttribute

    public var description: String {
        "the metadata of the group's offset of \(partition) contains \(found.word), and this worker has \(own.word)"
    }

    /// Nil if the metadata agrees, or does not contain the attribute.
    public init?(_ metadata: String, of partition: TopicPartition, own: OffsetAttribute) {
        guard let value = OffsetAttribute.value(of: own.name, in: metadata), value != own.value else { return nil }
        self.partition = partition
        found = OffsetAttribute(own.name, value)
        self.own = own
    }
}
