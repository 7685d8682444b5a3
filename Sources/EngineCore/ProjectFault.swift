/// A record of `projects` that no project can follow.
public struct ProjectFault: Hashable, Sendable {
    /// The project that the record's key names; nil where it names none.
    public let project: String?
    /// Offset of the record on `projects`.
    public let offset: Int64
    /// Reason why it cannot be followed, and the remedy.
    public let reason: String

    public init(project: String?, offset: Int64, reason: String) {
        self.project = project
        self.offset = offset
        self.reason = reason
    }

    /// One line for people.
    public var text: String {
        "\(project.map { "project \($0)" } ?? "a record without a project's name"), offset \(offset) of projects: \(reason)"
    }
}
