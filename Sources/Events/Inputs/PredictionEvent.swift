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
    public var predictedAt: Int64?
    /// What was read otherwise than it stands, or left out.
    public var remarks = Remarks()

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
    ///
    /// - Parameters:
    ///   - object: The event.
    ///   - project: Whose it is.
    ///   - schema: Names the classes.
    ///   - initialClasses: Classes that the project began with: lists may be as short, see `PredictionDetail`. Nil for as many
    ///     as it has now.
    /// - Throws: `Rejection` where a member that decides is missing or wrong.
    public init(
        _ object: JSONObject,
        project: ProjectID,
        schema: LabelSchema,
        initialClasses: Int? = nil
    ) throws(Rejection) {
        var remarks = Remarks()
        do throws(JSONError) {
            self.project = project
            sample = try Sample(try object.required("sample"), &remarks)
            if let model = object.optional("model") {
                self.model = try ModelReference(model, &remarks)
            } else {
                model = nil
            }
            predictedAt = object.informingMilliseconds("predicted_at_ms", &remarks)
        } catch {
            throw Embedding.isNotFinite(error) ? Rejection(.wrongSpace, error.description) : Rejection(error)
        }
        output = try Self.output(object, schema)
        guard (output == nil) == (model == nil) else {
            throw Rejection(.schema, "output and model go together: a sample that no model has seen carries neither")
        }
        detail = try PredictionDetail(
            object,
            schema,
            hasOutput: output != nil,
            shortest: initialClasses ?? schema.classes.count,
            &remarks
        )
        self.remarks = remarks
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
            let fault = DistributionFault(entries.map { ($0.label, $0.probability) }, remainder: remainder, schema)
            throw Rejection(.badProbabilities, fault.text(at: "output.probabilities", "output.remainder"))
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
