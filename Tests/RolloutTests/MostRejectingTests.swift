import Testing

@testable import Rollout

@Suite("Buckets that are left out of an alarm")
struct MostRejectingTests {
    /// Before: the order of a dictionary decided, which differs between processes, so that a replay computed other
    /// figures.
    @Test("Among buckets with equal rejections in one block the lower ones are first, in any order of the voices")
    func ties() {
        for step in [1, 7, 31, 137] {
            let voices = (0..<200).map { (number: 4, bucket: ($0 * step) % 200, isNegative: true) }
            let found = RolloutState.mostRejecting(voices)
            #expect(found.buckets == Set(0..<10) && found.others == 190)
        }
        // Buckets with more rejections are first, then those with earlier rejections.
        let voices = [(1, 50, true), (2, 3, true), (3, 9, true), (4, 9, true), (5, 1, false)]
            .map { (number: $0.0, bucket: $0.1, isNegative: $0.2) }
        let many = voices + (10..<40).map { (number: 6, bucket: $0 + 100, isNegative: true) }
        let found = RolloutState.mostRejecting(many)
        #expect(found.buckets == [9, 50, 3, 110, 111])
    }
}
