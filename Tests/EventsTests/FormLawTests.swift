import Acquisition
import Datasets
import Events
import Flywheel
import Forms
import Foundation
import JSON
import Labeling
import Rollout
import Strategies
import Testing
import Training
import Vocabulary

/// The law of every form: a value drawn from its ranges is written, reads back equal, and is written again to the same
/// bytes.
struct FormLaw: Sendable, CustomStringConvertible {
    let description: String
    /// A description of the failure for the value of a seed; nil if the law holds.
    let complaint: @Sendable (UInt64) -> String?

    init<T: Formed & JSONCodable>(_ type: T.Type) {
        description = "\(type)"
        complaint = { seed in
            let source = RandomValue(draws: Draws(seed: seed))
            var drawn: T?
            for _ in 0..<500 where drawn == nil { drawn = try? source.form(type) }
            guard let value = drawn else { return "no value was drawn" }
            let bytes = value.jsonBytes
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let read = try JSONParser().withDocument(of: bytes) { try T(json: $0) }
                guard read == value else { return "\(text) was read as \(read)" }
                return read.jsonBytes == bytes ? nil : "\(text) was written again as other bytes"
            } catch {
                return "\(text) was refused: \(error)"
            }
        }
    }

    static let all = [
        FormLaw(AcquisitionPolicy.self), FormLaw(AnnotatorReliability.self),
        FormLaw(AuditOrigin.self), FormLaw(AuditPairing.self), FormLaw(AuditVerdict.self),
        FormLaw(BakeEvidence.self), FormLaw(BatchPolicy.self),
        FormLaw(BucketTrust.self), FormLaw(BucketVerdict.self), FormLaw(BudgetLedger.self),
        FormLaw(BatchSchedule.self),
        FormLaw(IdleWatch.self),
        FormLaw(DatasetPolicy.self), FormLaw(Dispute.self), FormLaw(EmbeddingSpace.self),
        FormLaw(Era.self), FormLaw(EraBlock.self), FormLaw(EraCounts.self), FormLaw(ExplorationLevel.self),
        FormLaw(FeedbackPast.self), FormLaw(FeedbackWatch.self), FormLaw(FirstModelPolicy.self),
        FormLaw(LabelingPolicy.self), FormLaw(LogPosition.self),
        FormLaw(LoopPosition.self), FormLaw(PairBet.self), FormLaw(PairCounts.self), FormLaw(PendingCut.self),
        FormLaw(CutMark.self),
        FormLaw(FormerTestLabel.self),
        FormLaw(WindowLabel.self),
        FormLaw(PredictedShares.self),
        FormLaw(Question.self), FormLaw(Hyperparameters.self), FormLaw(ReleaseTrust.self), FormLaw(RolloutPolicy.self),
        FormLaw(RateGuess.self), FormLaw(RolloutRing.self), FormLaw(RolloutStep.self), FormLaw(RowPair.self),
        FormLaw(ScorePart.self), FormLaw(SliceAccount.self), FormLaw(CyclePhaseTime.self), FormLaw(StreamFilter.self),
        FormLaw(Suspicion.self),
        FormLaw(TrainingPolicy.self), FormLaw(UnregisteredTraffic.self), FormLaw(Suppression.self),
        FormLaw(UserBucket.self),
        FormLaw(Voice.self), FormLaw(VoiceBlock.self), FormLaw(VoiceComparison.self), FormLaw(VoiceWatch.self),
        FormLaw(VoteCost.self), FormLaw(ProjectConfiguration.self),
    ]
}

/// Forms with faults that the law must detect.
private struct WrongGetter: Formed, JSONCodable {
    var least: Int
    var most: Int

    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        least = try f("least", \.least, Count(0...100))
        most = try f("most", \.least, Count(0...100))
    }
}

private struct SameKeyTwice: Formed, JSONCodable {
    var least: Int
    var most: Int

    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        least = try f("count", \.least, Count(0...100))
        most = try f("count", \.most, Count(0...100))
    }
}

private struct WrongImplied: Formed, JSONCodable {
    var count: Int

    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        count = try f("count", \.count, Count(0...2), absent: 1, implied: 2)
    }
}

@Suite("Forms of records")
struct FormLawTests {
    @Test("A form reads what it wrote, and writes it again to the same bytes", arguments: FormLaw.all, 0..<40)
    func law(form: FormLaw, seed: UInt64) {
        #expect(form.complaint(seed) == nil)
    }

    @Test("The law is checked for every form of a record")
    func coverage() throws {
        let path = "Sources/Events/Forms/Formed+JSON.swift"
        let root = SchemaFiles.root.deletingLastPathComponent()
        let text = String(decoding: try Data(contentsOf: root.appendingPathComponent(path)), as: UTF8.self)
        let names = text.matches(of: #/(?m)^extension (\w+): JSONCodable \{/#).map { String($0.output.1) }
        #expect(names == FormLaw.all.map(\.description))
    }

    @Test(
        "The law detects a wrong getter, a duplicate key, and two values for one absent member",
        arguments: [FormLaw(WrongGetter.self), FormLaw(SameKeyTwice.self), FormLaw(WrongImplied.self)]
    )
    func finds(form: FormLaw) {
        #expect((0..<40).contains { form.complaint($0) != nil })
    }
}
