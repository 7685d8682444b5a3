/// A record of `projects` that no project can follow.
public struct ProjectFault: Hashable, Sendable {
    /// The project that the record's key names; nil where it names none.
    public let project: String?
    /// Key of a record that names no project, for people; empty if it has none.
    public let key: String
    /// Offset of the record on `projects`.
    public let offset: Int64
    /// Reason why it cannot be followed, and the remedy.
    public let reason: String

    public init(project: String?, key: String = "", offset: Int64, reason: String) {
        self.project = project
        self.key = key
        self.offset = offset
        self.reason = reason
    }

    /// One line for people.
    public var text: String {
        let name =
            project.map { "project \($0)" } ?? "a record \(key.isEmpty ? "without a key" : "of the key \"\(key)\"")"
        let remedy =
            project == nil && !key.isEmpty
            ? "; no project can have that name: write a null value under the same key" : ""
        return "\(name), offset \(offset) of projects: \(reason)\(remedy)"
    }
}
