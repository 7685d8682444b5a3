public import JSON
public import Vocabulary

/// Result of one repeat of one trial, as the trainer reports it.
public struct TrainingResultEvent: Hashable, Sendable {
    public let project: ProjectID
    public let result: TrainingResult
    /// The token of the request, if it is given back.
    public let token: RequestToken?
    /// Members that were read otherwise than they were written, or left out.
    public var remarks = Remarks()

    public init(project: ProjectID, result: TrainingResult, token: RequestToken? = nil) {
        self.project = project
        self.result = result
        self.token = token
    }

    public init(_ object: JSONObject, project: ProjectID, kind: KindName = .choice) throws(RecordRejection) {
        var remarks = Remarks()
        do throws(JSONError) {
            self.project = project
            result = try TrainingResult(object.value, kind: kind, &remarks)
            token = try RequestToken(of: object)
        } catch {
            throw RecordRejection(error)
        }
        self.remarks = remarks
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("project", project)
            result.writeMembers(to: &writer)
            writer.member("token", ifPresent: token)
        }
    }
}

extension TrainingResult: JSONCodable {
    /// Reads a result without `verified`: a producer's claim about it is ignored. See `JournalEntry`.
    public init(json: JSONValue) throws(JSONError) {
        var remarks = Remarks()
        try self.init(json, kind: nil, &remarks)
    }

    /// Reads a result as its trainer sends it, of the kind of its project; without a kind, as the journal contains it,
    /// of any kind.
    init(_ json: JSONValue, kind: KindName?, _ remarks: inout Remarks) throws(JSONError) {
        let object = try json.object()
        let outcome: Outcome
        switch try object.string("status") {
        case "failed": outcome = .failed(object.informativeText("error", &remarks) ?? "")
        case "finished":
            let score = try object.optionalObject("score")
            if let score, try score.string("metric") != "accuracy" {
                throw score.failure("metric", "expected accuracy; no other metric is built yet")
            }
            var value = try score?.double("value")
            if let given = value {
                let tolerance = ClassDistribution.rounding
                guard given >= -tolerance, given <= 1 + tolerance else {
                    throw object.failure("score", "expected an accuracy in 0...1, found \(given)")
                }
                value = given < 0 ? 0 : min(1, given)
            }
            outcome = .finished(
                artifact: try object.value("artifact"),
                score: value,
                itemsScored: try score?.int("items", in: 0...Int.max) ?? 0,
                predictions: try Self.predictions(object, kind)
            )
        case let status: throw object.failure("status", "expected finished or failed, found \"\(status.prefix(64))\"")
        }
        self.init(
            request: try object.id("request"),
            trial: try object.int("trial", in: 0...9_999),
            repetition: try object.int("repeat", in: 0...9_999),
            outcome: outcome,
            duration: object.informativeMilliseconds("duration_ms", &remarks),
            reason: Self.reason(object, &remarks),
            leftOut: try object.optional("left_out").map { (value) throws(JSONError) in
                try LeftOutLabels(value, &remarks)
            },
            dataset: try object.optionalID("dataset_version"),
            validation: Self.validation(object, &remarks)
        )
    }

    /// Reads a trainer's score on validation labels, which is only informative.
    private static func validation(_ object: JSONObject, _ remarks: inout Remarks) -> ValidationScore? {
        guard object.optional("validation") != nil else { return nil }
        guard let score = try? object.object("validation"), (try? score.string("metric")) == "accuracy",
            let items = try? score.int("items", in: 1...Counting.limit),
            let value = score.informativeShare("value", &remarks)
        else {
            remarks.note("validation", "expected metric accuracy, a value in 0...1 and items from 1: left out")
            return nil
        }
        return ValidationScore(value: value, items: items)
    }

    private static func reason(_ object: JSONObject, _ remarks: inout Remarks) -> String? {
        guard let reason = object.informativeText("reason", &remarks) else { return nil }
        let isCode = reason.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
        guard isCode, (1...64).contains(reason.utf8.count) else {
            remarks.note(object.failure("reason", "expected 1 to 64 of a-z, 0-9 and '_': left out"))
            return nil
        }
        return reason
    }

    /// Maximum number of test labels for which a result may contain predictions.
    public static let predictionLimit = 20_000

    private static func predictions(_ object: JSONObject, _ kind: KindName?) throws(JSONError) -> [Label]? {
        guard let packed = try object.optionalObject("predictions") else { return nil }
        if let kind {
            try packed.requireKind(kind.rawValue)
            return try kind.predictions(packed)
        }
        return try KindName(of: packed).predictions(packed)
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in writeMembers(to: &writer) }
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.member("request", request)
        writer.member("trial", trial)
        writer.member("repeat", repetition)
        writer.member("dataset_version", ifPresent: dataset)
        switch outcome {
        case .failed(let error):
            writer.member("status", "failed")
            writer.member("error", error)
            writer.member("reason", ifPresent: reason)
        case .finished(let artifact, let score, let items, let predictions):
            writer.member("status", "finished")
            writer.member("artifact", artifact)
            if let score {
                writer.object("score") { writer in
                    writer.member("metric", "accuracy")
                    writer.member("value", score)
                    writer.member("items", items)
                }
            }
            if let predictions { KindName.write(predictions, to: &writer) }
        }
        writer.member("validation", ifPresent: validation)
        writer.member("left_out", ifPresent: leftOut)
        writer.member("duration_ms", ifPresent: duration)
        writer.member("verified", ifPresent: verified)
    }
}

extension LeftOutLabels: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        var remarks = Remarks()
        try self.init(json, &remarks)
    }

    fileprivate init(_ json: JSONValue, _ remarks: inout Remarks) throws(JSONError) {
        let object = try json.object()
        let test = try object.int("test", in: 0...Int.max)
        var positions: [Int] = []
        if let array = try object.optionalArray("test_positions") {
            guard array.count <= min(test, TrainingResult.predictionLimit) else {
                let most = min(test, TrainingResult.predictionLimit)
                throw object.failure("test_positions", "expected at most \(most) positions, found \(array.count)")
            }
            let indices = 0...(TrainingResult.predictionLimit - 1)
            for element in array {
                let position = try element.int(in: indices)
                guard position > positions.last ?? -1 else {
                    throw object.failure("test_positions", "expected them ascending, found \(position) twice or late")
                }
                positions.append(position)
            }
        }
        self.init(
            training: try object.int("training", in: 0...Int.max),
            test: test,
            testPositions: positions,
            example: object.informativeText("example", &remarks) ?? ""
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("training", training)
            writer.member("test", test)
            if !testPositions.isEmpty { writer.array("test_positions", of: testPositions) }
            writer.member("example", example)
        }
    }
}

extension ValidationScore: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(value: try object.double("value"), items: try object.int("items", in: 1...Counting.limit))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("metric", "accuracy")
            writer.member("value", value)
            writer.member("items", items)
        }
    }
}
