/// How much of a window's votes one slice of the samples may take: none crowds out the others, however uncertain it is.
public struct SlicePolicy: Hashable, Sendable {
    /// A slice and its own share.
    public struct Share: Hashable, Sendable {
        public let slice: String
        public let share: LabelShare

        public init(slice: String, share: LabelShare) {
            self.slice = slice
            self.share = share
        }
    }

    /// Slices with a share of their own.
    public static let shareLimit = 100
    /// Slices that are told apart; samples of further ones count together.
    public static let sliceLimit = 1_000

    /// The key of a sample's metadata whose text names its slice. Samples without it are a slice together.
    public var key: String
    /// Of a window's votes, for each slice that is not named below.
    public var share: LabelShare
    /// At most `shareLimit`, by ascending slice, none twice.
    public var shares: [Share]
    /// Of a window's votes, for each slice that is new; nil: as if it were not.
    public var newShare: LabelShare?
    /// How long a slice is new after its first task, in milliseconds.
    public var newFor: Int64

    public init(
        key: String,
        share: LabelShare,
        shares: [Share] = [],
        newShare: LabelShare? = nil,
        newFor: Int64 = 86_400_000
    ) {
        self.key = key
        self.share = share
        self.shares = shares.sorted { $0.slice < $1.slice }
        self.newShare = newShare
        self.newFor = newFor
    }

    /// The share of a slice that was first asked about so many milliseconds ago; nil: never.
    func share(of slice: String, age: Int64?) -> LabelShare {
        if let named = shares.first(where: { $0.slice == slice }) { return named.share }
        guard let newShare, (age ?? 0) < newFor else { return share }
        return newShare
    }
}
