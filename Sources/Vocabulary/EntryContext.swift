/// Facts that a reducer may use about the entry it is applied to, beside the entry: everything else would not
/// replay.
public struct EntryContext {
    public let project: ProjectID
    /// Entries of a project are counted by Loop itself, from 1.
    public let entryNumber: UInt64
    public let time: StreamTime
    /// For generators: derived from project and entry number.
    public let seed: UInt64
    private var index: UInt32 = 0

    public init(project: ProjectID, entryNumber: UInt64, time: StreamTime, seed: UInt64) {
        self.project = project
        self.entryNumber = entryNumber
        self.time = time
        self.seed = seed
    }

    /// The id of the next decision of this entry: project, entry number, index.
    public mutating func nextID() -> String {
        let id = "\(project.rawValue)-\(entryNumber)-\(index)"
        index += 1
        return id
    }
}
