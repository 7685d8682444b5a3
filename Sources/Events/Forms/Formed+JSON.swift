public import Acquisition
public import Datasets
public import Flywheel
public import Forms
public import JSON
public import Labeling
public import Rollout
public import Strategies
public import Training
public import Vocabulary

/// The JSON form of types that are described by their own module.
extension JSONCodable where Self: Formed {
    public init(json: JSONValue) throws(JSONError) {
        var fields = JSONFormReader<Self>(try json.object())
        try self.init(fields: &fields)
    }

    public func write(to writer: inout JSONWriter) {
        var sink = JSONFormSink(writer: writer)
        writer = JSONWriter(capacity: 0)
        sink.form(self)
        writer = sink.writer
    }
}

extension AcquisitionPolicy: JSONCodable {}
extension AnnotatorReliability: JSONCodable {}
extension AuditOrigin: JSONCodable {}
extension AuditPairing: JSONCodable {}
extension AuditVerdict: JSONCodable {}
extension BakeEvidence: JSONCodable {}
extension BatchPolicy: JSONCodable {}
extension BucketTrust: JSONCodable {}
extension BucketVerdict: JSONCodable {}
extension BudgetLedger: JSONCodable {}
extension BatchSchedule: JSONCodable {}
extension IdleWatch: JSONCodable {}
extension DatasetPolicy: JSONCodable {}
extension Dispute: JSONCodable {}
extension EmbeddingSpace: JSONCodable {}
extension Era: JSONCodable {}
extension EraBlock: JSONCodable {}
extension EraCounts: JSONCodable {}
extension ExplorationLevel: JSONCodable {}
extension FeedbackPast: JSONCodable {}
extension FeedbackWatch: JSONCodable {}
extension FirstModelPolicy: JSONCodable {}
extension LabelingPolicy: JSONCodable {}
extension LogPosition: JSONCodable {}
extension LoopPosition: JSONCodable {}
extension PairBet: JSONCodable {}
extension PairCounts: JSONCodable {}
extension PendingCut: JSONCodable {}
extension CutMark: JSONCodable {}
extension FormerTestLabel: JSONCodable {}
extension WindowLabel: JSONCodable {}
extension PredictedShares: JSONCodable {}
extension Question: JSONCodable {}
extension Hyperparameters: JSONCodable {}
extension ReleaseTrust: JSONCodable {}
extension RolloutPolicy: JSONCodable {}
extension RateGuess: JSONCodable {}
extension RolloutRing: JSONCodable {}
extension RolloutStep: JSONCodable {}
extension RowPair: JSONCodable {}
extension ScorePart: JSONCodable {}
extension SliceAccount: JSONCodable {}
extension CyclePhaseTime: JSONCodable {}
extension StreamFilter: JSONCodable {}
extension Suspicion: JSONCodable {}
extension TrainingPolicy: JSONCodable {}
extension UnregisteredTraffic: JSONCodable {}
extension Suppression: JSONCodable {}
extension UserBucket: JSONCodable {}
extension Voice: JSONCodable {}
extension VoiceBlock: JSONCodable {}
extension VoiceComparison: JSONCodable {}
extension VoiceWatch: JSONCodable {}
extension VoteCost: JSONCodable {}

/// The kind of its question is checked first: an unknown kind is from a newer build.
extension ProjectConfiguration: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        _ = try KindName(of: object.object("label_schema"))
        var fields = JSONFormReader<Self>(object)
        try self.init(fields: &fields)
    }
}
