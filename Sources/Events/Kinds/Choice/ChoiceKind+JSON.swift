internal import JSON
internal import Kinds
internal import Vocabulary

/// The JSON form of kind `choice`: a class is written by its name outside, by its position inside.
extension ChoiceKind: KindCodec {
    /// Range of the positions that a record may contain.
    private static let positions = 0...9_999

    // MARK: - Inside

    static func write(_ output: ClassDistribution, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.array("classes", of: output.entries.map(\.label.rawValue))
            writer.array("probabilities", of: output.entries.map(\.probability))
            writer.member("remainder", output.remainder)
        }
    }

    static func write(answer: ClassIndex, to writer: inout JSONWriter) { writer.value(answer.rawValue) }
    static func write(label: ClassIndex, to writer: inout JSONWriter) { writer.value(label.rawValue) }

    static func output(_ json: JSONValue) throws(JSONError) -> ClassDistribution {
        let object = try json.object()
        let probabilities = try object.doubles("probabilities")
        let classes = try object.decode("classes") { (element) throws(JSONError) in try element.int(in: positions) }
        guard classes.count == probabilities.count else {
            throw object.failure("classes", "expected one for each probability")
        }
        var entries: [ClassDistribution.Entry] = []
        for (label, probability) in zip(classes, probabilities) {
            entries.append(.init(label: ClassIndex(label), probability: probability))
        }
        guard let distribution = ClassDistribution(entries, remainder: try object.double("remainder")) else {
            throw object.failure("probabilities", "expected probabilities that sum to 1")
        }
        return distribution
    }

    static func answer(_ json: JSONValue) throws(JSONError) -> ClassIndex { ClassIndex(try json.int(in: positions)) }
    static func label(_ json: JSONValue) throws(JSONError) -> ClassIndex { ClassIndex(try json.int(in: positions)) }

    // MARK: - Decisions

    static func writeMembers(question: LabelSchema, to writer: inout JSONWriter) {
        writer.member("text", question.question)
        writer.array("classes", of: question.classes)
    }

    static func question(_ object: JSONObject) throws(JSONError) -> LabelSchema {
        LabelSchema(question: try object.string("text"), classes: try object.strings("classes"))
    }

    static func writeMembers(label: ClassIndex, names: [String], hasPositions: Bool, to writer: inout JSONWriter) {
        writer.member("class", names.first ?? "")
        if hasPositions { writer.member("index", label.rawValue) }
    }

    static func namedLabel(_ object: JSONObject) throws(JSONError) -> (label: ClassIndex, names: [String]) {
        (ClassIndex(try object.int("index", in: positions)), [try object.string("class")])
    }

    // MARK: - Outside

    static func output(
        _ object: JSONObject,
        of event: JSONObject,
        under question: LabelSchema
    ) throws(RecordRejection) -> ClassDistribution {
        var entries: [ClassDistribution.Entry] = []
        var remainder = 0.0
        do throws(JSONError) {
            remainder = try object.optionalDouble("remainder") ?? 0
            for member in try object.object("probabilities") {
                guard let label = question.index(of: member.name) else {
                    throw JSONError(
                        .invalidValue,
                        path: "output.probabilities",
                        reason: "class \"\(member.name.prefix(64))\" is not in the label schema"
                    )
                }
                entries.append(.init(label: label, probability: try member.value.double()))
            }
        } catch {
            if error.path == "output.probabilities", error.kind == .invalidValue {
                throw RecordRejection(.unknownClass, error.description)
            }
            let isNumber = error.path.hasPrefix("output.probabilities.") || error.path == "output.remainder"
            if isNumber {
                throw RecordRejection(.badProbabilities, error.description)
            }
            throw RecordRejection(error)
        }
        guard let distribution = ClassDistribution(entries, remainder: remainder) else {
            let fault = DistributionFault(entries.map { ($0.label, $0.probability) }, remainder: remainder, question)
            throw RecordRejection(.badProbabilities, fault.text(at: "output.probabilities", "output.remainder"))
        }
        return distribution
    }

    static func writeMembers(output: ClassDistribution, under question: LabelSchema, to writer: inout JSONWriter) {
        writer.object("probabilities") { writer in
            for entry in output.entries {
                writer.key(named: question.name(of: entry.label))
                writer.value(entry.probability)
            }
        }
        if output.remainder > 0 { writer.member("remainder", output.remainder) }
    }

    static func detail(
        _ event: JSONObject,
        under question: LabelSchema,
        hasOutput: Bool,
        minimumExtent: Int,
        _ remarks: inout Remarks
    ) throws(RecordRejection) -> PredictionDetail {
        try PredictionDetail(event, question, hasOutput: hasOutput, minimumExtent: minimumExtent, &remarks)
    }

    static func writeMembers(detail: PredictionDetail, under question: LabelSchema, to writer: inout JSONWriter) {
        detail.writeMembers(to: &writer, schema: question)
    }

    static func answer(
        _ object: JSONObject,
        at key: StaticString,
        under question: LabelSchema,
        acceptsProposal: Bool
    ) throws(RecordRejection) -> GivenAnswer<ClassIndex> {
        let name: String
        do throws(JSONError) { name = try object.string("class") } catch { throw RecordRejection(error) }
        if let label = question.index(of: name) { return .answer(label) }
        guard acceptsProposal else {
            throw RecordRejection(
                .unknownClass,
                "\(key).class: class \"\(name.prefix(64))\" is not in the label schema"
            )
        }
        return .proposal(name)
    }

    static func writeMembers(answer: ClassIndex, under question: LabelSchema, to writer: inout JSONWriter) {
        writer.member("class", question.name(of: answer))
    }

    static func label(
        _ object: JSONObject,
        at key: StaticString,
        under question: LabelSchema
    ) throws(RecordRejection) -> ClassIndex {
        guard case .answer(let label) = try answer(object, at: key, under: question, acceptsProposal: false) else {
            preconditionFailure("proposals are not taken")
        }
        return label
    }

    static func writeMembers(label: ClassIndex, under question: LabelSchema, to writer: inout JSONWriter) {
        writeMembers(answer: label, under: question, to: &writer)
    }

    static func predictions(_ object: JSONObject) throws(JSONError) -> [ClassIndex] {
        let classes = try object.array("classes")
        let limit = TrainingResult.predictionLimit
        guard classes.count <= limit else {
            throw object.failure("classes", "expected at most \(limit) positions, found \(classes.count)")
        }
        return try classes.decode { (element) throws(JSONError) in ClassIndex(try element.int(in: positions)) }
    }

    static func writeMembers(predictions: [ClassIndex], to writer: inout JSONWriter) {
        writer.array("classes", of: predictions.map(\.rawValue))
    }
}
