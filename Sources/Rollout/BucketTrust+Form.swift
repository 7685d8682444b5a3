public import Forms
internal import Vocabulary

extension BucketTrust: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let count = Integer<Int32>(0...Self.maximumCount)
        agreed = try f("agreed", \.agreed, count, implied: 0)
        contradicted = try f("contradicted", \.contradicted, count, implied: 0)
    }
}

extension BucketVerdict: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        bucket = try f("bucket", \.bucket, Count(0...RolloutState.maximumBuckets - 1))
        version = try f("version", \.version, ID())
        isNegative = try f("negative", \.isNegative, Flag())
    }
}

extension Dispute: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        number = try f("number", \.number, Count.counted)
        sample = try f("sample", \.sample, ID())
        bucket = try f("bucket", \.bucket, Count(0...RolloutState.maximumBuckets - 1))
        version = try f("version", \.version, ID())
    }
}
