import Acquisition
import Flywheel
import Strategies
import Tables
import Testing
import Vocabulary

@Suite("Slices of another key")
struct SliceKeyTests {
    @Test("A revision with another slice key starts without accounts; any other keeps them")
    func otherKey() {
        var state = ProjectState(project: ProjectID("pets"))
        func apply(_ revision: Int, key: String?, votes: Int = 50) {
            var policy = configuration().acquisition
            policy.votes = votes
            policy.slices = key.map { SlicePolicy(key: $0, share: LabelShare(millionths: 500_000)) }
            let known = configuration()
            let entry = JournalEntry(
                project: known.project,
                body: .configured(
                    ProjectConfiguration(
                        project: known.project,
                        revision: revision,
                        partition: 3,
                        schema: known.schema,
                        acquisition: policy
                    )
                )
            )
            _ = state.apply(entry, appendedAt: StreamTime(milliseconds: 1_000))
        }
        apply(1, key: "shelter")
        let account = SliceAccount(
            firstQueriedAt: StreamTime(milliseconds: 1_000),
            windowStart: StreamTime(milliseconds: 1_000),
            votes: 9
        )
        state.acquisition.accounts.slices["=north"] = account
        apply(2, key: "shelter", votes: 60)
        #expect(state.acquisition.accounts.slices["=north"] == account)
        apply(3, key: "breed")
        #expect(state.acquisition.accounts.slices.isEmpty)
        state.acquisition.accounts.slices["=north"] = account
        apply(3, key: "shelter")
        #expect(state.acquisition.accounts.slices.count == 1, "a revision that is known changes nothing")
        apply(4, key: nil)
        #expect(state.acquisition.accounts.slices.isEmpty)
    }
}
