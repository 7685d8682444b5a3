internal import JSON
internal import Vocabulary

extension PredictionDetail {
    /// Reads the members, logits and score of a prediction.
    ///
    /// - Parameters:
    ///   - object: The prediction.
    ///   - schema: Names the classes; lists have a number for each of them, in its order.
    ///   - hasOutput: Whether there is an output; members and logits belong to one.
    ///   - minimumExtent: The number of classes that the project began with, at least 2. A model trained before
    ///     classes were appended predicts nothing for these: a list may have between `minimumExtent` numbers and
    ///     one for every class. It applies to the first classes; the others have probability 0.
    ///   - remarks: Receives a remark on an invalid score.
    /// - Throws: `RecordRejection` that names the member of the event, what was expected and what was found.
    init(
        _ object: JSONObject,
        _ schema: LabelSchema,
        hasOutput: Bool,
        minimumExtent: Int,
        _ remarks: inout Remarks
    ) throws(RecordRejection) {
        let members = try Self.members(object, schema, minimumExtent)
        let logits = try Self.logits(object, schema, minimumExtent)
        self.init(members: members, logits: logits, score: object.informativeShare("score", &remarks))
        guard hasOutput || (members == nil && logits == nil) else {
            throw RecordRejection(.schema, "members and logits belong to an output: there is none")
        }
    }

    private static func members(
        _ object: JSONObject,
        _ schema: LabelSchema,
        _ minimumExtent: Int
    ) throws(RecordRejection) -> EnsembleOutput? {
        let array: JSONArray
        do throws(JSONError) {
            guard let found = try object.optionalArray("members") else { return nil }
            array = found
        } catch {
            throw RecordRejection(error)
        }
        let limit = EnsembleOutput.memberLimit
        guard (1...limit).contains(array.count) else {
            throw RecordRejection(.schema, "members: expected 1 to \(limit), found \(array.count)")
        }
        var rows: [[Double]] = []
        var labels: [ClassIndex] = []
        var position = 0
        for element in array {
            let row = try Row(element, schema, minimumExtent, at: "members.\(position)")
            if position == 0 { labels = row.labels }
            guard row.labels.count == labels.count else {
                throw RecordRejection(
                    .schema,
                    "members.\(position): expected \(labels.count) probabilities as in the first member, found \(row.labels.count)"
                )
            }
            guard let numbers = row.numbers(for: labels) else {
                throw RecordRejection(.schema, "members.\(position): expected the classes that the first member names")
            }
            guard EnsembleOutput.isDistribution(numbers) else {
                let fault = DistributionFault(Array(zip(labels, numbers)), remainder: nil, schema)
                throw RecordRejection(.badProbabilities, fault.text(at: "members.\(position)"))
            }
            rows.append(numbers)
            position += 1
        }
        guard let members = EnsembleOutput(rows, labels: labels) else {
            throw RecordRejection(.badProbabilities, "members: expected a probability for at least one class")
        }
        return members
    }

    private static func logits(
        _ object: JSONObject,
        _ schema: LabelSchema,
        _ minimumExtent: Int
    ) throws(RecordRejection) -> [Double]? {
        guard let element = object.optional("logits") else { return nil }
        let row = try Row(element, schema, minimumExtent, at: "logits")
        let count = row.labels.count
        guard count >= minimumExtent, let numbers = row.numbers(for: (0..<count).map { ClassIndex($0) }) else {
            // The first missing class is more informative than a count.
            let given = Set(row.labels)
            let missing = schema.classes.indices.map { ClassIndex($0) }.first { !given.contains($0) }
            let name = missing.map { "none for \"\(schema.name(of: $0).prefix(64))\"" } ?? "\(count)"
            throw RecordRejection(
                .schema,
                "logits: expected one for each of \(Row.expected(minimumExtent, schema)) classes, found \(count), \(name)"
            )
        }
        return numbers
    }

    /// Writes the details that are present as members of an open object.
    func writeMembers(to writer: inout JSONWriter, schema: LabelSchema) {
        let all = schema.classes.indices.map { ClassIndex($0) }
        if let members {
            writer.array("members") { writer in
                for member in 0..<members.count {
                    if members.labels == all {
                        writer.array { writer in for number in members[member] { writer.value(number) } }
                    } else {
                        writer.object { writer in
                            for (label, number) in zip(members.labels, members[member]) {
                                writer.key(named: schema.name(of: label))
                                writer.value(number)
                            }
                        }
                    }
                }
            }
        }
        if let logits { writer.array("logits", of: logits) }
        writer.member("score", ifPresent: score)
    }
}

/// Numbers for classes: an object by class name, or a list with one number for each class of the schema, or for the
/// first classes, in its order.
private struct Row {
    let labels: [ClassIndex]
    private let values: [Double]

    init(_ element: JSONValue, _ schema: LabelSchema, _ minimumExtent: Int, at path: String) throws(RecordRejection) {
        var labels: [ClassIndex] = []
        var values: [Double] = []
        do throws(JSONError) {
            guard let object = element.objectView else {
                values = try element.array().doubles()
                guard values.count >= minimumExtent, values.count <= schema.classes.count else {
                    let expected = Self.expected(minimumExtent, schema)
                    throw JSONError(
                        .wrongType,
                        path: path,
                        reason: "expected one number for each of \(expected) classes, found \(values.count)"
                    )
                }
                self.labels = values.indices.map { ClassIndex($0) }
                self.values = values
                return
            }
            for member in object {
                guard let label = schema.index(of: member.name) else {
                    throw JSONError(
                        .invalidValue,
                        path: path,
                        reason: "class \"\(member.name.prefix(64))\" is not in the label schema"
                    )
                }
                labels.append(label)
                values.append(try member.value.double())
            }
        } catch {
            guard error.path == path, error.kind == .invalidValue else { throw RecordRejection(error) }
            throw RecordRejection(.unknownClass, error.description)
        }
        if let repeated = DistributionFault.repeated(labels) {
            throw RecordRejection(.schema, "\(path): class \"\(schema.name(of: repeated).prefix(64))\" stands twice")
        }
        self.labels = labels
        self.values = values
    }

    /// The permitted number of classes, for messages: `10`, or `8 to 10`.
    static func expected(_ minimumExtent: Int, _ schema: LabelSchema) -> String {
        let count = schema.classes.count
        return minimumExtent < count ? "\(minimumExtent) to \(count)" : "\(count)"
    }

    /// The numbers in the order of `wanted`; nil if the classes differ.
    func numbers(for wanted: [ClassIndex]) -> [Double]? {
        if labels == wanted { return values }
        var positions: [ClassIndex: Int] = [:]
        for (position, label) in labels.enumerated() { positions[label] = position }
        var numbers: [Double] = []
        for label in wanted {
            guard let position = positions[label] else { return nil }
            numbers.append(values[position])
        }
        return numbers
    }
}
