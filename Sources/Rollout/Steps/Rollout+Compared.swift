internal import Statistics
internal import Tables
internal import Vocabulary

/// Comparison of a version with another that serves at the same time: a change of the world affects both, and is no
/// evidence.
extension RolloutState {
    /// Expected voices about the compared version: if seven were expected, by the number of voices about the other
    /// version, and none was received, the compared version counts as not served.
    private static let expected = 7.0

    /// Whether voices about the compared version are received, or there are too few voices to decide.
    func isAnswered(_ comparison: VoiceComparison, by rival: ModelVersion, _ policy: RolloutPolicy) -> Bool {
        let share = max(0.001, share(of: rival, policy) ?? 0.5)
        return Double(comparison.unanswered) <= Self.expected / share
    }

    /// Returns the number of voices about each version that make a block.
    func blockSize(_ version: ModelVersion, beside rival: ModelVersion, _ policy: RolloutPolicy) -> BlockSize {
        BlockSize(share(of: version, policy), share(of: rival, policy))
    }

    /// Adds a voice about the judged version to the comparison.
    ///
    /// - Returns: Whether it completes a block.
    mutating func addVoice(_ voice: Voice, into watch: inout VoiceWatch, _ size: BlockSize) -> Bool {
        var comparison = watch.compared ?? VoiceComparison()
        comparison.unanswered += 1
        comparison.waiting = (comparison.waiting + [voice]).suffix(size.judged)
        watch.compared = comparison
        return complete(&watch, size)
    }

    /// Adds a voice about the other version to the comparison of the judged one.
    ///
    /// - Returns: Whether it completes a block.
    mutating func addOtherVoice(_ isNegative: Bool, into watch: inout VoiceWatch, _ size: BlockSize) -> Bool {
        var comparison = watch.compared ?? VoiceComparison()
        comparison.unanswered = 0
        comparison.otherWaiting = (comparison.otherWaiting + [isNegative]).suffix(size.other)
        watch.compared = comparison
        return complete(&watch, size)
    }

    private mutating func complete(_ watch: inout VoiceWatch, _ size: BlockSize) -> Bool {
        guard var comparison = watch.compared, comparison.waiting.count >= size.judged,
            comparison.otherWaiting.count >= size.other
        else { return false }
        // The shares may have changed since the voices began to wait.
        let block = VoiceBlock(
            comparison.waiting.suffix(size.judged),
            beside: comparison.otherWaiting.suffix(size.other)
        )
        comparison.waiting = []
        comparison.otherWaiting = []
        comparison.blocks += 1
        comparison.kept = min(comparison.kept + 1, Self.voiceCapacity / size.judged)
        comparison.total += block.buckets.count
        comparison.negative += block.rejecting.nonzeroBitCount
        comparison.otherTotal += block.otherTotal
        comparison.otherNegative += block.otherNegative
        blocks[Self.slot(comparison.blocks, watch)] = block
        watch.compared = comparison
        return true
    }

    /// Adds the newest block to the evidence.
    ///
    /// - Returns: Whether a voice in it rejects the judged version.
    func observe(_ tolerance: Double, _ watch: inout VoiceWatch) -> Bool {
        guard var comparison = watch.compared, let block = blocks[Self.slot(comparison.blocks, watch)] else {
            return false
        }
        ComparedRates(tolerance: tolerance)
            .observe(
                .init(block.rejecting.nonzeroBitCount, of: block.buckets.count),
                beside: .init(block.otherNegative, of: block.otherTotal),
                otherRate: comparison.guess.rate,
                number: comparison.blocks,
                weight: block.weight,
                into: &comparison.evidence
            )
        comparison.guess.add(block.otherNegative, of: block.otherTotal)
        watch.compared = comparison
        return block.rejecting != 0
    }

    /// Returns the evidence of the blocks kept, without the voices of the buckets that rejected the judged version
    /// most: as many as `robustEvidence` leaves out for a version by itself.
    ///
    /// - Returns: The evidence, started at 0 with the first block kept, each block under its own number; and the number
    ///   of remaining buckets that rejected.
    /// - Complexity: O(`voiceCapacity`).
    func robustComparison(_ watch: VoiceWatch, tolerance: Double) -> (evidence: RisingRate.Evidence, rejecting: Int) {
        var evidence = RisingRate.Evidence()
        guard let comparison = watch.compared else { return (evidence, 0) }
        var newest: [(number: Int, block: VoiceBlock)] = []
        let first = comparison.blocks - comparison.kept + 1
        for number in stride(from: first, through: comparison.blocks, by: 1) {
            if let block = blocks[Self.slot(number, watch)] { newest.append((number, block)) }
        }
        let leftOut = Self.mostRejecting(
            newest.lazy.flatMap { number, block in
                block.buckets.indices.map { (number, block.buckets[$0], block.rejects($0)) }
            }
        )
        let rates = ComparedRates(tolerance: tolerance)
        var guess = RateGuess()
        for (number, block) in newest {
            var (rejecting, total) = (0, 0)
            for (index, bucket) in block.buckets.enumerated() where !leftOut.buckets.contains(bucket) {
                total += 1
                if block.rejects(index) { rejecting += 1 }
            }
            if total > 0 {
                rates.observe(
                    .init(rejecting, of: total),
                    beside: .init(block.otherNegative, of: block.otherTotal),
                    otherRate: guess.rate,
                    number: number,
                    weight: block.weight,
                    into: &evidence
                )
            }
            guess.add(block.otherNegative, of: block.otherTotal)
        }
        return (evidence, leftOut.others)
    }
}
