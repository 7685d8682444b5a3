import Acquisition
import Flywheel
import Hashing
import Statistics
import Strategies
import Vocabulary

/// Predictions such as products make: many projects and models, classes as strings, members in varying order, a
/// sample's metadata beside its id, and occasionally a record that is not a prediction.
struct IntakeTraffic {
    static let projectCount = 20
    static let auditCutoff = 0.01
    static let classes = ["shoe", "coat", "bag", "hat", "belt", "sock", "ring", "scarf", "glove", "shirt"]
    private static let models: [(version: String, role: ModelRole, share: Double)] = [
        ("m1", .champion, 0.6), ("m2", .challenger, 0.3), ("m0", .champion, 0.1),
    ]

    /// Coordinates of each sample; 0 for none.
    let embedding: Int
    /// Share of records that are not predictions.
    let bad: Double
    private var generator: SplitMix64
    private let auditHashes: [StableHash]
    private var number = 0
    private(set) var ledger = IntakeLedger()
    private var order: [Int] = Array(0..<classes.count)

    init(embedding: Int, bad: Double, seed: UInt64) {
        self.embedding = embedding
        self.bad = bad
        generator = SplitMix64(seed: seed)
        auditHashes = (0..<Self.projectCount).map { StableHash(project: Self.project($0), purpose: "audit") }
    }

    static func project(_ index: Int) -> String { index < 10 ? "shop-0\(index)" : "shop-\(index)" }

    /// Returns the configurations of the projects: the budget of a busy team, an audit sample of one in a hundred, and
    /// a trigger for samples that look like a shirt but may not be one.
    static func configurations(revision: Int = 0) throws -> [ProjectConfiguration] {
        (0..<projectCount).map { index in
            var policy = AcquisitionPolicy()
            policy.auditCutoff = auditCutoff
            policy.votes = 5_000
            if let doubtful = TriggerBounds(below: 0.6), let shirt = classes.firstIndex(of: "shirt") {
                policy.triggers = [
                    Trigger(name: "doubtful-shirt", condition: .confidence(ClassIndex(shirt), doubtful), perHour: 600)
                ]
            }
            return ProjectConfiguration(
                project: ProjectID(project(index)),
                revision: revision,
                partition: 0,
                schema: LabelSchema(question: "What is it?", classes: classes),
                acquisition: policy
            )
        }
    }

    /// Returns the key and the value of the next record.
    mutating func next() -> (key: [UInt8]?, value: [UInt8]) {
        let project = generator.next(below: Self.projectCount)
        let id = "s-\(100_000_000 + number)"
        number += 1
        let key = number % 2 == 0 ? Array(id.utf8) : nil
        if generator.nextUnit() < bad {
            ledger.bad += 1
            return (key, badValue(Self.project(project), id))
        }
        let draw = generator.nextUnit()
        let model = draw < 0.6 ? Self.models[0] : draw < 0.9 ? Self.models[1] : Self.models[2]
        let name = Self.project(project)
        ledger.predictions["\(name)/\(model.version)/\(model.role.rawValue)", default: 0] += 1
        if auditHashes[project].unit(key: id) < Self.auditCutoff { ledger.audits += 1 }
        return (key, value(project: name, id: id, version: model.version, role: model.role, output: probabilities()))
    }

    /// Returns the class probabilities of a prediction; nine in ten predictions are confident.
    private mutating func probabilities() -> String {
        let isSure = generator.nextUnit() < 0.9
        let top = isSure ? 0.9 + 0.099 * generator.nextUnit() : 0.3 + 0.6 * generator.nextUnit()
        let first = generator.next(below: Self.classes.count)
        // Two members are swapped each time, because producers do not all order members alike.
        let swapped = generator.next(below: Self.classes.count - 1)
        order.swapAt(swapped, generator.next(below: Self.classes.count))
        var text = ""
        var left = 1 - top
        let last = order.last { $0 != first }
        for index in order {
            var probability = top
            if index != first {
                probability = index == last ? left : left * 0.5 * generator.nextUnit()
                left -= probability
            }
            text += text.isEmpty ? "{" : ","
            text += "\"\(Self.classes[index])\":\(Self.fraction(probability))"
        }
        return text + "}"
    }

    /// Formats a probability with five decimals.
    private static func fraction(_ value: Double) -> String {
        let digits = String(Int(max(0, value) * 100_000 + 0.5))
        return digits.count > 5 ? "1.0" : "0." + String(repeating: "0", count: 5 - digits.count) + digits
    }

    private mutating func value(
        project: String,
        id: String,
        version: String,
        role: ModelRole,
        output: String
    ) -> [UInt8] {
        let country = ["de", "fr", "it", "pl", "se"][generator.next(below: 5)]
        var sample = "\"sample\":{\"id\":\"\(id)\",\"metadata\":{\"country\":\"\(country)\"}"
        if embedding > 0 {
            sample += ",\"embedding\":["
            for position in 0..<embedding {
                sample += position == 0 ? "" : ","
                sample += (generator.next(below: 2) == 0 ? "-" : "") + Self.fraction(generator.nextUnit() * 0.9)
            }
            sample += "]"
        }
        sample += "}"
        let project = "\"project\":\"\(project)\""
        let model = "\"model\":{\"version\":\"\(version)\",\"role\":\"\(role.rawValue)\"}"
        let output = "\"output\":{\"kind\":\"choice\",\"probabilities\":\(output)}"
        let parts =
            switch generator.next(below: 3) {
            case 0: [project, sample, model, output]
            case 1: [project, model, output, sample]
            default: [sample, output, project, model]
            }
        return Array("{\(parts.joined(separator: ","))}".utf8)
    }

    private mutating func badValue(_ project: String, _ id: String) -> [UInt8] {
        let good = String(
            decoding: value(project: project, id: id, version: "m1", role: .champion, output: probabilities()),
            as: UTF8.self
        )
        switch generator.next(below: 6) {
        case 0: return Array(good.utf8.dropLast(20))
        case 1: return Array(good.replacing(project, with: "no-such-shop").utf8)
        case 2: return Array(good.replacing("\"shoe\":", with: "\"spoon\":").utf8)
        case 3: return Array(good.replacing("\"hat\":0.", with: "\"hat\":1.").utf8)
        case 4: return Array("<html>502 Bad Gateway</html>".utf8)
        default: return Array(good.replacing("\"\(id)\"", with: "17").utf8)
        }
    }
}
