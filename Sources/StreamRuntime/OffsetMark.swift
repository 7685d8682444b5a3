/// What stands beside a committed offset: how whoever committed it was at work there.
///
/// It is written with every transaction, so it costs nothing; a partition that is found without `clean` was left by a worker
/// that died, or was thought dead.
public enum OffsetMark: Hashable, Sendable {
    /// Left in order: nothing was in hand.
    case clean
    /// At work, with any number of records in hand.
    case open
    /// At work with care: at most `Caution.few` records in hand.
    case few
    /// About to take the record at this offset, alone, which so many workers did not survive before.
    case one(Int64, deaths: Int)

    /// Nil for what this build does not know.
    public init?(_ note: String) {
        let parts = note.split(separator: " ")
        switch (parts.first, parts.count) {
        case ("clean", 1): self = .clean
        case ("open", 1): self = .open
        case ("few", 1): self = .few
        case ("one", 3):
            guard let offset = Int64(parts[1]), let deaths = Int(parts[2]), offset >= 0, deaths >= 0 else { return nil }
            self = .one(offset, deaths: deaths)
        default: return nil
        }
    }

    /// As it is stored.
    public var note: String {
        switch self {
        case .clean: "clean"
        case .open: "open"
        case .few: "few"
        case .one(let offset, let deaths): "one \(offset) \(deaths)"
        }
    }
}
