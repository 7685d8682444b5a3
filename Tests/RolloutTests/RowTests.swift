import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite struct RowTests {
    /// The state as it would be restored from its changelog.
    static func restored(_ state: RolloutState) -> RolloutState {
        var copy = RolloutState()
        copy.roles.restore(state.roles.row)
        copy.pairs.restore(state.pairs.row)
        copy.watch.restore(state.watch.row)
        copy.past.restore(state.past.row)
        for (key, row) in state.watches.sortedRows { copy.watches.restore(key, row) }
        for (key, row) in state.voices.sortedRows { copy.voices.restore(key, row) }
        for (key, row) in state.suspicions.sortedRows { copy.suspicions.restore(key, row) }
        for (key, row) in state.buckets.sortedRows { copy.buckets.restore(key, row) }
        for (key, row) in state.seen.sortedRows { copy.seen.restore(key, row) }
        for (key, row) in state.rows.sortedRows { copy.rows.restore(key, row) }
        return copy
    }

    @Test(
        "A full table evicts the same rows whether it was restored before every step or never",
        arguments: 0..<6 as Range<UInt64>
    )
    func leaving(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var state = RolloutState(models: 1...2)
        for step in 0..<(2 * RolloutState.rowCapacity) {
            var other = step > RolloutState.rowCapacity - 10 ? Self.restored(state) : state
            let sample = SampleID("s\(generator.next(below: 3_000))")
            let number = 1 + generator.next(below: 2)
            let draw = generator.nextUnit()
            // In half of the runs there are too many labels, in the others few.
            let isLabel = generator.next(below: 10) < (seed % 2 == 0 ? 2 : 9)
            func apply(_ state: inout RolloutState) {
                if isLabel {
                    state.labelled(sample, .choice(ClassIndex(step % 2)), at: time(Int64(step)))
                } else {
                    state.predicted(
                        .choice(ClassIndex(step % 2)),
                        of: sample,
                        by: ModelVersion("v\(number)"),
                        draw: draw,
                        isLive: true,
                        at: time(Int64(step))
                    )
                }
            }
            apply(&state)
            apply(&other)
            let rows = (state.rows.sortedRows, other.rows.sortedRows)
            guard rows.0.map(\.key) == rows.1.map(\.key), state.pairs.value == other.pairs.value else {
                Issue.record("seed \(seed), step \(step): another row left")
                return
            }
            if step % 7 == 0 { state.rows.undo() } else if step % 3 == 0 { state.rows.commit() }
        }
        #expect(state.rows.count == RolloutState.rowCapacity)
    }
}
