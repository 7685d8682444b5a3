import Kinds
import Rollout
import Tables
import Testing
import Vocabulary

@Suite("Suppressed classes are no longer answers")
struct SuppressionTests {
    private static let question = Question.choice(LabelSchema(question: "Which?", classes: ["cat", "dog", "cow"]))
    private static let command = Evidence.command(id: "c", by: "ada", reason: "noon")

    private static func suppress(
        _ name: String,
        _ isSuppressed: Bool = true,
        in state: inout RolloutState,
        at milliseconds: Int64 = 1_000
    ) -> Result<ModelRelease?, EntryRejectionError> {
        state.suppress(isSuppressed, class: name, of: question, evidence: command, at: time(milliseconds))
    }

    @Test("A release names the suppressed class, its audit labels are no longer compared, and two classes remain")
    func rules() throws {
        var state = RolloutState(models: 1...2)
        // Labels of class 1, dog.
        state.pair("a", champion: false, challenger: true)
        state.pair("b", champion: false, challenger: true)
        #expect(state.pairs.value.challengerOnly == 2)
        let release = try #require(try Self.suppress("dog", in: &state).get())
        #expect(release.cause == .suppression && release.champion == model(1) && release.evidence == Self.command)
        #expect(state.suppressedClasses == ["dog"])
        #expect(state.pairs.value.labels == 0 && state.rows[SampleID("a")] == nil)
        #expect(
            state.namesSuppressedClass(right, of: Self.question)
                && !state.namesSuppressedClass(wrong, of: Self.question)
        )
        for (isSuppressed, name, text) in [
            (true, "dog", "suppressed already"), (true, "cat", "one of the last two"), (true, "ox", "not in"),
            (false, "cat", "not suppressed"),
        ] {
            guard case .failure(let error) = Self.suppress(name, isSuppressed, in: &state) else {
                Issue.record("\(name) was taken")
                continue
            }
            #expect(error.refusal.code == .suppressionRefused && error.refusal.text.contains(text), "\(error)")
        }
        _ = try Self.suppress("dog", false, in: &state).get()
        #expect(state.suppressedClasses.isEmpty && !state.namesSuppressedClass(right, of: Self.question))
        var empty = RolloutState()
        #expect(try Self.suppress("dog", in: &empty).get() == nil && empty.suppressedClasses == ["dog"])
    }

    @Test("A live version that predicts the class after a minute is reported once, at the tenth prediction")
    func ignored() throws {
        var state = RolloutState(models: 1...2)
        func note(_ version: Int, _ label: Label, at milliseconds: Int64) -> Notice? {
            state.noteIgnored(by: model(version).version, label, of: Self.question, predictedAt: time(milliseconds))
        }
        #expect(note(1, right, at: 100_000) == nil && state.suppression.value.ignored == 0)
        _ = try Self.suppress("dog", in: &state).get()
        // Within the minute, of another class, of a version that does not serve.
        for (version, label, at) in [(1, right, 61_000), (1, wrong, 99_000), (2, right, 99_000)]
            as [(Int, Label, Int64)]
        {
            #expect(note(version, label, at: at) == nil)
        }
        #expect(state.suppression.value.ignored == 0)
        let reported = (0..<30).compactMap { _ in note(1, right, at: 61_001) }
        #expect(reported.count == 1 && reported.first?.kind == .suppressionIgnored)
        #expect(reported.first?.text.contains("10 candidates of v1") == true)
    }
}
