/// Facts about an entry that a reducer may use besides the entry itself; with any other input, a replay would not be
/// reproducible.
public struct EntryContext {
    public let project: ProjectID
    /// Number of the entry within its project; Loop itself counts the entries, from 1.
    public let entryNumber: UInt64
    public let time: StreamTime
    /// Seed for random number generators, derived from project and entry number.
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
