/// Metadata beside a committed offset: how its committer was at work in the partition.
///
/// It is written with every transaction, so it costs nothing; a partition that is found without `clean` was left by a worker
/// that died, or was thought dead.
///
/// ```swift
/// let note = OffsetMetadata.few(from: 40, until: 44).note
/// let metadata = OffsetMetadata(note)
/// let unknown = OffsetMetadata("asleep")
/// ```
public enum OffsetMetadata: Hashable, Sendable {
    /// Left in order: nothing was in hand.
    case clean
    /// At work, with any number of records in hand.
    case open
    /// At work with care: no records in hand but those from the one offset to below the other.
    case few(from: Int64, until: Int64)
    /// About to process the record at this offset, alone; this many workers did not survive it before.
    case one(Int64, deaths: Int)

    /// A record is isolated long before.
    private static let mostDeaths = 1_000_000

    /// Nil for what this build does not know. Words with an equals sign are `OffsetAttribute`s and passed over.
    public init?(_ note: String) {
        let parts = note.split(separator: " ").filter { !$0.contains("=") }
        switch (parts.first, parts.count) {
        case ("clean", 1): self = .clean
        case ("open", 1): self = .open
        case ("few", 3):
            guard let from = Int64(parts[1]), let until = Int64(parts[2]), from >= 0, from < until else { return nil }
            self = .few(from: from, until: until)
        case ("one", 3):
            // Whoever may commit for the group may write anything here.
            guard let offset = Int64(parts[1]), let deaths = Int(parts[2]), (0..<Int64.max).contains(offset),
                (0...Self.mostDeaths).contains(deaths)
            else { return nil }
            self = .one(offset, deaths: deaths)
        default: return nil
        }
    }

    /// As it is stored.
    public var note: String {
        switch self {
        case .clean: "clean"
        case .open: "open"
        case .few(let from, let until): "few \(from) \(until)"
        case .one(let offset, let deaths): "one \(offset) \(deaths)"
        }
    }
}
