internal import Statistics
internal import Tables
internal import Vocabulary

/// A version that serves against another that serves at the same time: a change of the world is in both, and no evidence.
extension RolloutState {
    /// Voices about a version that would hold seven about the one beside it: so many without one, and it is taken for not served.
    private static let expected = 7.0

    /// Whether the version beside is heard, or too few voices have come to tell.
    func isAnswered(_ comparison: VoiceComparison, by rival: ModelVersion, _ policy: RolloutPolicy) -> Bool {
        let share = max(0.001, share(of: rival, policy) ?? 0.5)
        return Double(comparison.unanswered) <= Self.expected / share
    }

    /// A voice about a version that is judged beside another one.
    ///
    /// - Returns: Whether it completes a block.
    mutating func compare(_ voice: Voice, into watch: inout VoiceWatch) -> Bool {
        var comparison = watch.compared ?? VoiceComparison()
        comparison.unanswered += 1
        comparison.waiting = voice
        watch.compared = comparison
        guard let other = comparison.otherWaiting else { return false }
        complete(voice, other, &watch)
        return true
    }

    /// A voice about a version beside which another one is judged.
    ///
    /// - Returns: Whether it completes a block.
    mutating func answer(_ isNegative: Bool, into watch: inout VoiceWatch) -> Bool {
        var comparison = watch.compared ?? VoiceComparison()
        comparison.unanswered = 0
        comparison.otherWaiting = isNegative
        watch.compared = comparison
        guard let voice = comparison.waiting else { return false }
        complete(voice, isNegative, &watch)
        return true
    }

    private mutating func complete(_ voice: Voice, _ other: Bool, _ watch: inout VoiceWatch) {
        guard var comparison = watch.compared else { return }
        comparison.waiting = nil
        comparison.otherWaiting = nil
        comparison.blocks += 1
        comparison.kept = min(comparison.kept + 1, Self.voiceCapacity)
        if voice.isNegative { comparison.negative += 1 }
        if other { comparison.otherNegative += 1 }
        let block = VoiceBlock(bucket: voice.bucket, isNegative: voice.isNegative, isOtherNegative: other)
        blocks[Self.slot(comparison.blocks, watch)] = block
        watch.compared = comparison
    }

    /// Takes the newest block into the evidence.
    ///
    /// - Returns: Whether its voice rejects the judged version.
    func observe(_ tolerance: Double, _ watch: inout VoiceWatch) -> Bool {
        guard var comparison = watch.compared, let block = blocks[Self.slot(comparison.blocks, watch)] else {
            return false
        }
        ComparedRates(tolerance: tolerance)
            .observe(
                block.isNegative,
                beside: block.isOtherNegative,
                otherRate: comparison.guess.rate,
                number: comparison.blocks,
                into: &comparison.evidence
            )
        comparison.guess.add(block.isOtherNegative)
        watch.compared = comparison
        return block.isNegative
    }

    /// The evidence of the blocks kept, without those of the buckets that rejected the judged version most: as many as
    /// `robustEvidence` of a version by itself leaves out.
    ///
    /// - Returns: The evidence, begun at 0 with the first block kept, each under its own number; and how many of the buckets
    ///   that are left rejected.
    /// - Complexity: O(`voiceCapacity`).
    func robustComparison(_ watch: VoiceWatch, tolerance: Double) -> (evidence: RisingRate.Evidence, rejecting: Int) {
        var evidence = RisingRate.Evidence()
        guard let comparison = watch.compared else { return (evidence, 0) }
        var newest: [(number: Int, block: VoiceBlock)] = []
        let first = comparison.blocks - comparison.kept + 1
        for number in stride(from: first, through: comparison.blocks, by: 1) {
            if let block = blocks[Self.slot(number, watch)] { newest.append((number, block)) }
        }
        let leftOut = Self.mostRejecting(newest.lazy.map { ($0.number, $0.block.bucket, $0.block.isNegative) })
        let rates = ComparedRates(tolerance: tolerance)
        var guess = RateGuess()
        for (number, block) in newest {
            if !leftOut.buckets.contains(block.bucket) {
                rates.observe(
                    block.isNegative,
                    beside: block.isOtherNegative,
                    otherRate: guess.rate,
                    number: number,
                    into: &evidence
                )
            }
            guess.add(block.isOtherNegative)
        }
        return (evidence, leftOut.others)
    }
}
