public import EngineCore
public import Events
internal import Intake
internal import JSON
internal import StreamRuntime
internal import Vocabulary

/// Which dead letters are meant. What is left empty takes all.
public struct DeadLetterFilter: Sendable {
    /// Single letters.
    public var places: Set<DeadLetterPosition> = []
    /// The project that the refused value names; a value that cannot be read names none.
    public var project: String?
    /// Codes of reasons.
    public var codes: Set<String> = []
    /// Topics that records came from, with their prefix.
    public var origins: Set<String> = []
    /// Written at this moment or later, in milliseconds since 1970.
    public var since: Int64?
    /// Written before this moment, in milliseconds since 1970.
    public var until: Int64?

    public init() {}

    /// Whether every dead letter is meant.
    public var isEmpty: Bool {
        places.isEmpty && project == nil && codes.isEmpty && origins.isEmpty && since == nil && until == nil
    }

    /// Topics whose records become dead letters.
    public static let topics = IntakeProcessor.inputs + [Topic.journal]

    /// Every code that a dead letter of this build or an earlier one can have, sorted.
    public static let knownCodes: [String] = {
        let door = RecordRejection.Code.allCases.map(\.rawValue)
        let loop = EntryRejection.Code.allCases.filter(\.isDeadLetter).map(\.rawValue) + ["unreadable_entry"]
        return Set(door + loop).sorted()
    }()

    /// A topic as people name it, with or without the prefix; nil of one whose records never become dead letters.
    public static func topic(_ name: String, _ topics: TopicNames) -> String? {
        Self.topics.first { $0.rawValue == name || topics[$0] == name }.map { topics[$0] }
    }

    /// Whether a dead letter is meant.
    public func matches(_ letter: DeadLetter) -> Bool {
        guard places.isEmpty || places.contains(letter.place),
            codes.isEmpty || codes.contains(letter.code),
            origins.isEmpty || origins.contains(letter.origin.topic),
            since.map({ letter.writtenAt >= $0 }) ?? true,
            until.map({ letter.writtenAt < $0 }) ?? true
        else { return false }
        return project.map { $0 == Self.project(of: letter) } ?? true
    }

    /// The project that the refused value names, if it can be read.
    public static func project(of letter: DeadLetter) -> String? {
        guard let value = letter.value else { return nil }
        return try? JSONParser(maximumDepth: 64, maximumSize: 1 << 20).withDocument(of: value) { json in
            try Envelope(json).data.string("project")
        }
    }
}
