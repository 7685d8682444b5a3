import Rollout
import Tables
import Testing
import Vocabulary

/// The rules before eras and voices: one challenger is judged by all known labels, and feedback counts as in revisions
/// without `rollback_alpha`.
let unshadowed = RolloutPolicy(minimumShadow: 0, userWindow: 3_600_000, bound: .challenger, rollbackAlpha: 0)
/// The default policy, except that a challenger needs no live predictions and is judged as before eras.
let voiced = RolloutPolicy(minimumShadow: 0, bound: .challenger)

func time(_ milliseconds: Int64) -> StreamTime { StreamTime(milliseconds: milliseconds) }

func model(_ number: Int) -> ReleasedModel {
    ReleasedModel(
        version: ModelVersion("v\(number)"),
        artifact: ArtifactReference(uri: "file:///v\(number)", size: 1, sha256: String(repeating: "0", count: 64)),
        datasetVersionNumber: number,
        newestSampleAt: time(0)
    )
}

extension RolloutState {
    var champion: String? { roles.value.champion?.version.rawValue }
    var challenger: String? { roles.value.challenger?.version.rawValue }

    /// Creates a state in which models were registered in order, at the times 1, 2, ….
    init(models: ClosedRange<Int>) {
        self.init()
        for number in models { _ = register(model(number), policy: .init(), at: time(Int64(number))) }
    }

    /// Adds a labelled audit sample of class 1 that the champion and the challenger predict right or wrong.
    mutating func pair(_ sample: String, champion: Bool, challenger: Bool) {
        let state = roles.value
        if let version = state.champion?.version {
            predicted(
                .choice(ClassIndex(champion ? 1 : 0)),
                of: SampleID(sample),
                by: version,
                draw: 0.5,
                isLive: true,
                at: time(0)
            )
        }
        if let version = state.challenger?.version {
            predicted(
                .choice(ClassIndex(challenger ? 1 : 0)),
                of: SampleID(sample),
                by: version,
                draw: 0.5,
                isLive: true,
                at: time(0)
            )
        }
        labelled(SampleID(sample), .choice(ClassIndex(1)), at: time(0))
    }

    /// Makes the challenger champion: seven wins and no loss.
    mutating func promote(policy: RolloutPolicy = unshadowed, samples prefix: String) -> ModelRelease? {
        for number in 0..<7 { pair("\(prefix)\(number)", champion: false, challenger: true) }
        return promoteIfBetter(policy: policy)
    }

    /// Adds one feedback record; it has a key and a user of its own unless they are given.
    mutating func receiveFeedback(
        _ verdict: Feedback.Verdict,
        _ number: Int,
        user: Int? = nil,
        about version: String? = nil,
        policy: RolloutPolicy = unshadowed,
        at milliseconds: Int64 = 0
    ) -> Result<FeedbackOutcome, EntryRejectionError> {
        let feedback = Feedback(
            key: UInt64(number),
            sample: SampleID("s\(number)"),
            modelVersion: ModelVersion(version ?? champion ?? ""),
            user: UserDigest("u\(user ?? number)"),
            verdict: verdict,
            answer: nil
        )
        return receive(feedback, userHash: UInt64(user ?? number), policy: policy, at: time(milliseconds))
    }
}

extension Result<FeedbackOutcome, EntryRejectionError> {
    var refusal: EntryRejection.Code? { if case .failure(let error) = self { error.refusal.code } else { nil } }
    /// The release, if there was one.
    var release: ModelRelease? { if case .success(let outcome) = self { outcome.release } else { nil } }
    /// The notice to operators, if there is one.
    var notice: Notice? { if case .success(let outcome) = self { outcome.notice } else { nil } }
}

/// Like `#expect(found == expected)`, for calls that mutate the value they are called on.
func expect<T: Equatable>(_ found: T, is expected: T, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found == expected, sourceLocation: sourceLocation)
}
