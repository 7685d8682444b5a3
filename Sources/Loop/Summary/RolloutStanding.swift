internal import Events
internal import Flywheel
public import JSON
internal import Rollout
internal import Statistics
internal import Tables
internal import Telemetry
public import Vocabulary

/// Progress of a rollout by steps.
public struct RolloutStanding: Hashable, Sendable {
    /// Models that serve beside the champion, as published to services.
    public let staging: Staging
    /// Time at which the step began; nil until the next entry.
    public let since: StreamTime?
    /// Voices about the canary at this step.
    public let voices: Int
    /// Voices among these that found a prediction wrong.
    public let negative: Int
    /// Number of voices that the step requires.
    public let voicesNeeded: Int
    /// Milliseconds that the step lasts at least.
    public let bake: Int64
    /// Whether it waits for a person's approval.
    public let isApprovalRequested: Bool
    /// Number of the newest answers of services that were compared with a trainer's, and in `differing` how many of
    /// them differ; 0 where none were compared.
    public let compared: Int
    public let differing: Int
    /// Audit labels of samples that the canary had served, which are evidence about it.
    public let labels: Int
    /// Natural logarithm of the evidence against the canary by these labels; at `labelThreshold` it is rolled back.
    public let logEvidence: Double
    public let labelThreshold: Double

    init?(_ state: RolloutState, _ policy: RolloutPolicy) {
        guard let rollout = state.progress.value.rollout, let staging = state.staging(policy) else { return nil }
        let step = policy.steps[min(rollout.step, policy.steps.count) - 1]
        self.staging = staging
        since = rollout.since
        voices = rollout.voices
        negative = rollout.negative
        voicesNeeded = step.voices
        bake = step.bake
        isApprovalRequested = rollout.isApprovalRequested && rollout.approvedBy == nil
        (compared, differing) = (rollout.compared, rollout.differing)
        labels = rollout.bake?.counts.labels ?? 0
        logEvidence = rollout.bake?.logCapital ?? 0
        labelThreshold = policy.rollbackAlpha > 0 ? -Reproducible.log(policy.rollbackAlpha) : 0
    }

    /// The progress on one line, for people.
    public var text: String {
        guard let canary = staging.canary else { return "none" }
        let audience =
            canary.ring.map { "ring \(ForeignText.line("\($0.key)=\($0.value)", limit: 340))" }
            ?? "share \(canary.share ?? 0)"
        let state =
            staging.pause.map { ", paused: \($0.rawValue)" } ?? (isApprovalRequested ? ", waits for approval" : "")
        let time = since.map { " since \(RFC3339.text(milliseconds: $0.milliseconds))" } ?? ""
        let answers =
            compared > 0 ? ", of the newest \(compared) answers of services compared \(differing) differ" : ""
        let evidence =
            labelThreshold > 0
            ? ", \(labels) audit labels of what it served, log e against it \(Self.rounded(logEvidence)) of \(Self.rounded(labelThreshold))"
            : ""
        return
            "\(ForeignText.line(canary.version.rawValue, limit: 300)): step \(canary.step) (\(audience))\(time), \(voices) of \(voicesNeeded) voices, \(negative) reject\(evidence)\(answers)\(state)"
    }

    /// Writes the progress as one JSON object.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("version", ifPresent: staging.canary?.version.rawValue)
            writer.member("state", staging.state.rawValue)
            writer.member("paused", ifPresent: staging.pause?.rawValue)
            writer.member("step", ifPresent: staging.canary?.step)
            writer.member("share", ifPresent: staging.canary?.share)
            if let ring = staging.canary?.ring {
                writer.object("ring") { writer in
                    writer.member("key", ring.key)
                    writer.member("value", ring.value)
                }
            }
            writer.member("since_ms", ifPresent: since?.milliseconds)
            writer.member("bake_ms", bake)
            writer.member("voices", voices)
            writer.member("voices_needed", voicesNeeded)
            writer.member("negative", negative)
            if labelThreshold > 0 {
                writer.member("labels", labels)
                writer.member("log_e_by_labels", logEvidence)
                writer.member("log_e_threshold", labelThreshold)
            }
            writer.member("waits_for_approval", isApprovalRequested)
            if compared > 0 {
                writer.member("compared", compared)
                writer.member("differing", differing)
            }
        }
    }

    /// Rounds to hundredths; 0 has no sign.
    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 + 0 }
}
