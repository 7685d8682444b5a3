public import JSON
public import Vocabulary

/// A sample and what a model said about it; or a sample that no model has seen yet.
public struct PredictionEvent: Hashable, Sendable {
    public let project: ProjectID
    public let sample: Sample
    public let model: ModelReference?
    public let output: ClassDistribution?
    /// What some strategies judge beside the output.
    public let detail: PredictionDetail
    /// When the model predicted, in milliseconds since 1970, if the service says.
    public let predictedAt: Int64?

    public init(
        project: ProjectID,
        sample: Sample,
        model: ModelReference?,
        output: ClassDistribution?,
        predictedAt: Int64?,
        detail: PredictionDetail = PredictionDetail()
    ) {
        self.detail = detail
        self.project = project
        self.sample = sample
        self.model = model
        self.output = output
        self.predictedAt = predictedAt
    }

    /// Reads an event whose project and schema are known.
    public init(_ object: JSONObject, project: ProjectID, schema: LabelSchema) throws(Rejection) {
        do throws(JSONError) {
            self.project = project
            sample = try object.value("sample")
            model = try object.optionalValue("model")
            predictedAt = try object.optionalInt64("predicted_at_ms")
        } catch {
            throw Embedding.isNotFinite(error) ? Rejection(.wrongSpace, error.description) : Rejection(error)
        }
        output = try Self.output(object, schema)
        guard (output == nil) == (model == nil) else {
            throw Rejection(.schema, "output and model go together: a sample that no model has seen carries neither")
        }
        detail = try PredictionDetail(object, schema, hasOutput: output != nil)
    }

    /// The output of an event, and its model's version and role: what scoring needs.
    public static func output(_ object: JSONObject, _ schema: LabelSchema) throws(Rejection) -> ClassDistribution? {
        guard object.optional("output") != nil else { return nil }
        var entries: [ClassDistribution.Entry] = []
        var remainder = 0.0
        do throws(JSONError) {
            let output = try object.object("output")
            try output.requireKind("choice")
            remainder = try output.optionalDouble("remainder") ?? 0
            for member in try output.object("probabilities") {
                guard let label = schema.index(of: member.name) else {
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
                throw Rejection(.unknownClass, error.description)
            }
            let isNumber = error.path.hasPrefix("output.probabilities.") || error.path == "output.remainder"
            if isNumber {
                throw Rejection(.badProbabilities, error.description)
            }
            throw Rejection(error)
        }
        guard let distribution = ClassDistribution(entries, remainder: remainder) else {
            var sum = remainder
            for entry in entries { sum += entry.probability }
            throw Rejection(
                .badProbabilities,
                "output.probabilities: expected numbers in 0...1 that sum to 1 within 0.01, found \(entries.count) that sum to \(sum)"
            )
        }
        return distribution
    }

    /// Writes the event, classes by name.
    public func write(to writer: inout JSONWriter, schema: LabelSchema) {
        writer.object { writer in
            writer.member("project", project)
            writer.member("sample", sample)
            writer.member("model", ifPresent: model)
            if let output {
                writer.object("output") { writer in
                    writer.member("kind", "choice")
                    writer.object("probabilities") { writer in
                        for entry in output.entries {
                            writer.key(named: schema.name(of: entry.label))
                            writer.value(entry.probability)
                        }
                    }
                    if output.remainder > 0 { writer.member("remainder", output.remainder) }
                }
            }
            detail.writeMembers(to: &writer, schema: schema)
            writer.member("predicted_at_ms", ifPresent: predictedAt)
        }
    }
}
