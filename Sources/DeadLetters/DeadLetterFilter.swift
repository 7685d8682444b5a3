public import EngineCore
public import Events
internal import Intake
internal import JSON
internal import StreamRuntime
internal import Vocabulary

/// Selection of dead letters. An empty criterion matches all.
public struct DeadLetterFilter: Sendable {
    /// Positions of single dead letters.
    public var positions: Set<DeadLetterPosition> = []
    /// The project that the refused value names; a value that cannot be read names none.
    public var project: String?
    /// Codes of reasons.
    public var codes: Set<String> = []
    /// Topics from which records were read, with their prefix.
    public var origins: Set<String> = []
    /// Written at this time or later, in milliseconds since 1970.
    public var since: Int64?
    /// Written before this time, in milliseconds since 1970.
    public var until: Int64?

    public init() {}

    /// Whether the filter matches every dead letter.
    public var isEmpty: Bool {
        positions.isEmpty && project == nil && codes.isEmpty && origins.isEmpty && since == nil && until == nil
    }

    /// Topics whose records become dead letters.
    public static let topics = IntakeProcessor.inputs + [Topic.journal]

    /// Every code that a dead letter of this build or an earlier one can have, sorted.
    public static let knownCodes: [String] = {
        let intake = RecordRejection.Code.allCases.map(\.rawValue)
        let loop = EntryRejection.Code.allCases.filter(\.isDeadLetter).map(\.rawValue) + ["unreadable_entry"]
        return Set(intake + loop).sorted()
    }()

    /// Returns the topic of a name with or without the prefix; nil for a topic whose records never become dead letters.
    public static func topic(_ name: String, _ topics: TopicNames) -> String? {
        Self.topics.first { $0.rawValue == name || topics[$0] == name }.map { topics[$0] }
    }

    /// Whether the filter matches a dead letter.
    public func matches(_ deadLetter: DeadLetter) -> Bool {
        guard positions.isEmpty || positions.contains(deadLetter.position),
            codes.isEmpty || codes.contains(deadLetter.code),
            origins.isEmpty || origins.contains(deadLetter.origin.topic),
            since.map({ deadLetter.writtenAt >= $0 }) ?? true,
            until.map({ deadLetter.writtenAt < $0 }) ?? true
        else { return false }
        return project.map { $0 == Self.project(of: deadLetter) } ?? true
    }

    /// The project that the refused value names, if it can be read.
    public static func project(of deadLetter: DeadLetter) -> String? {
        guard let value = deadLetter.value else { return nil }
        return try? JSONParser(maximumDepth: 64, maximumSize: 1 << 20).withDocument(of: value) { json in
            try Envelope(json).data.string("project")
        }
    }
}
