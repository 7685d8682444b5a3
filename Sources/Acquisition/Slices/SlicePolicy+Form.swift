public import Forms
internal import Strategies
internal import Vocabulary

extension SlicePolicy: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let entries = Entries(
            name: "slice",
            nameBytes: 0...SampleMetadata.longestValue,
            value: "share",
            kind: .share,
            counts: 0...Self.shareLimit
        )
        let named = Mapped(entries, sample: [], { $0.map { Share(slice: $0.name, share: $0.value) } }) {
            $0.map { Entry($0.slice, $0.share) }
        }
        key = try f(
            "key",
            \.key,
            Text(1...SampleMetadata.longestKey),
            doc: "The key of metadata whose text names a slice."
        )
        share = try f("share", \.share, .share, doc: "Share of a window's votes, for each slice not named in `shares`.")
        shares = try f("shares", \.shares, named, implied: [], doc: "Slices with shares of their own.")
            .sorted { $0.slice < $1.slice }
        newShare = try f.optional("new_share", \.newShare, .share, doc: "Share of a slice that is new and not named.")
        let new: StaticString = "How long a slice is new after its first task."
        newFor = try f("new_for", \.newFor, Span(), default: 86_400_000, doc: new)
    }
}
