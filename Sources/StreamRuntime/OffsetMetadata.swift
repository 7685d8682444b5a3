/// Metadata of a committed offset: the state of the committer's work in the partition.
///
/// It is written with every transaction, so it costs nothing. A partition that is found without `clean` was left by a
/// worker that died or was considered dead, unless `OffsetAttribute.released` states that it was released in order.
///
/// ```swift
/// let text = OffsetMetadata.few(from: 40, until: 44).text
/// let metadata = OffsetMetadata(text)
/// let unknown = OffsetMetadata("asleep")
/// ```
public enum OffsetMetadata: Hashable, Sendable {
    /// Released in order: no record was in process.
    case clean
    /// At work, with any number of records in process.
    case open
    /// At work in small slices: only records from the first offset to below the second are in process.
    case few(from: Int64, until: Int64)
    /// About to process the record at this offset alone; `deaths` is the number of workers that died with it before.
    case one(Int64, deaths: Int)

    /// Limit on the number of deaths that is accepted from metadata; a record is quarantined long before.
    private static let mostDeaths = 1_000_000

    /// Fails if this build does not know the mark. Words with an equals sign are `OffsetAttribute`s and are ignored.
    public init?(_ text: String) {
        let parts = text.split(separator: " ").filter { !$0.contains("=") }
        switch (parts.first, parts.count) {
        case ("clean", 1): self = .clean
        case ("open", 1): self = .open
        case ("few", 3):
            guard let from = Int64(parts[1]), let until = Int64(parts[2]), from >= 0, from < until else { return nil }
            self = .few(from: from, until: until)
        case ("one", 3):
            // Any client that may commit for the group can write anything here.
            guard let offset = Int64(parts[1]), let deaths = Int(parts[2]), (0..<Int64.max).contains(offset),
                (0...Self.mostDeaths).contains(deaths)
            else { return nil }
            self = .one(offset, deaths: deaths)
        default: return nil
        }
    }

    /// The metadata as it is stored.
    public var text: String {
        switch self {
        case .clean: "clean"
        case .open: "open"
        case .few(let from, let until): "few \(from) \(until)"
        case .one(let offset, let deaths): "one \(offset) \(deaths)"
        }
    }
}
