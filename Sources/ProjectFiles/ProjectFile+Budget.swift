internal import Acquisition
internal import Configuration
internal import Events
internal import Flywheel
internal import Vocabulary

/// What a project may spend beside votes, and the asking one by one.
extension ProjectFile {
    static func readBudget(_ reader: ConfigurationReader, into policy: inout AcquisitionPolicy) {
        let longest = Duration.milliseconds(ProjectConfiguration.longestSpan)
        policy.time = reader.optionalDuration("time_per_window", in: .zero...longest)
            .map { milliseconds($0) }
        policy.money = reader.optionalInt("money_per_window_micros", in: 0...Int(AcquisitionPolicy.highestMoney))
            .map { Int64($0) }
        policy.carriedWindows = reader.int(
            "carry_windows",
            default: policy.carriedWindows,
            in: 0...AcquisitionPolicy.mostCarriedWindows
        )
        if reader.contains("vote_cost") { policy.voteCost = cost(reader.section("vote_cost")) }
        if let complaint = policy.costComplaint { reader.report("vote_cost", complaint) }
        if reader.contains("slices") { policy.slices = slices(reader.section("slices")) }
        if reader.contains("stream") { policy.stream = stream(reader.section("stream")) }
    }

    private static func cost(_ reader: ConfigurationReader) -> VoteCost {
        let longest = Duration.milliseconds(VoteCost.longestTime)
        let time = reader.optionalDuration("maximum_time", in: .zero...longest) ?? .zero
        let price = 0...Int(VoteCost.highestPrice)
        return VoteCost(
            maximumTime: milliseconds(time),
            perVote: Int64(reader.int("vote_micros", default: 0, in: price)),
            perSecond: Int64(reader.int("second_micros", default: 0, in: price))
        )
    }

    private static func slices(_ reader: ConfigurationReader) -> SlicePolicy {
        let key = reader.requiredString("key")
        if reader.contains("key"), !(1...SampleMetadata.longestKey).contains(key.utf8.count) {
            reader.report("key", "expected 1 to \(SampleMetadata.longestKey) bytes, found \(key.utf8.count)")
        }
        let shares = reader.sections("shares").map { entry in
            SlicePolicy.Share(
                slice: entry.requiredString("slice"),
                share: LabelShare(entry.requiredDouble("share", in: 0...1)) ?? LabelShare(millionths: 0)
            )
        }
        if shares.count > SlicePolicy.shareLimit || Set(shares.map(\.slice)).count < shares.count {
            reader.report("shares", "expected at most \(SlicePolicy.shareLimit) slices, none of them twice")
        }
        let newFor = reader.optionalDuration(
            "new_for",
            in: .milliseconds(1) ... .milliseconds(ProjectConfiguration.longestSpan)
        )
        return SlicePolicy(
            key: key,
            share: LabelShare(reader.requiredDouble("share", in: 0...1)) ?? LabelShare(millionths: 0),
            shares: shares,
            newShare: reader.optionalDouble("new_share", in: 0...1).flatMap { LabelShare($0) },
            newFor: newFor.map { milliseconds($0) } ?? 86_400_000
        )
    }

    private static func stream(_ reader: ConfigurationReader) -> StreamPolicy {
        var policy = StreamPolicy()
        policy.strategy = reader.choice("strategy", default: policy.strategy)
        let share = reader.double("share", default: policy.share.value, in: 0...1)
        policy.share = LabelShare(share) ?? policy.share
        policy.burst = reader.int("burst", default: policy.burst, in: 0...StreamPolicy.longestSavings)
        policy.savings = reader.optionalInt("savings", in: 1...StreamPolicy.longestSavings)
        return policy
    }
}
