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
        let named = Mapped(entries, placeholder: [], { $0.map { Share(slice: $0.name, share: $0.value) } }) {
            $0.map { Entry($0.slice, $0.share) }
        }
        key = try f(
            "key",
            \.key,
            Text(1...SampleMetadata.longestKey),
            doc: "Key of the samples' metadata whose text names a sample's slice."
        )
        share = try f(
            "share",
            \.share,
            .share,
            doc: "Share of a window's votes for each slice that `shares` does not name."
        )
        shares = try f("shares", \.shares, named, implied: [], doc: "Slices with separate shares.")
            .sorted { $0.slice < $1.slice }
        newShare = try f.optional(
            "new_share",
            \.newShare,
            .share,
            doc:
                "Share of a window's votes for each new slice that `shares` does not name; without the key, `share` applies."
        )
        let new: StaticString = "How long a slice counts as new after its first task."
        newFor = try f("new_for", \.newFor, Span(), default: 86_400_000, doc: new)
    }
}
