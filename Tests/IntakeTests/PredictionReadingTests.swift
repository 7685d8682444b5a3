import Acquisition
import Events
import Flywheel
import JSON
import Kinds
import PipelineTesting
import Statistics
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import Intake

/// A scan of a prediction and a full parse of it must agree: a result of the scan alone is never written.
@Suite("Predictions that are scanned and predictions that are parsed")
struct PredictionReadingTests {
    private static let time: Int64 = 1_767_225_600_000
    private let parser = JSONParser(maximumDepth: 64, maximumSize: IntakeProcessor.recordLimit)
    private let readerNames = PredictionReader.Names()

    private func table(_ function: AcquisitionFunction = .margin) -> ProjectTable {
        let table = ProjectTable()
        var policy = AcquisitionPolicy(function: function)
        policy.auditCutoff = 0.1
        let configuration = ProjectConfiguration(
            project: Scenario.project,
            revision: 1,
            partition: 0,
            question: .choice(Scenario.schema),
            acquisition: policy
        )
        table.set(IntakeProject(configuration, salt: []))
        return table
    }

    private struct ScannedPrediction: Equatable {
        var sample: String
        var version: String
        var role: ModelRole?
        var predictedAt: Int64?
        var top: Int?
        var score: Double?
    }

    private func scan(_ bytes: [UInt8], _ table: ProjectTable) -> ScannedPrediction? {
        bytes.withUnsafeBytes { bytes in
            var reading = PredictionReading()
            guard let scan = parser.scan(bytes), readerNames.reader.read(scan, table.view, into: &reading),
                let configuration = reading.project?.pointee.configuration
            else { return nil }
            let output = reading.hasOutput ? reading.output : nil
            return ScannedPrediction(
                sample: String(decoding: reading.sample, as: UTF8.self),
                version: String(decoding: reading.version, as: UTF8.self),
                role: reading.role,
                predictedAt: reading.predictedAt,
                top: output?.top,
                score: output?.score(
                    configuration.acquisition.function,
                    classes: configuration.schema.classes.count
                )
            )
        }
    }

    private func parse(_ bytes: [UInt8], _ table: ProjectTable) -> ScannedPrediction? {
        bytes.withUnsafeBytes { bytes in
            guard let envelope = try? Envelope(parser.parse(bytes)),
                (try? envelope.data.string("project")) == Scenario.project.rawValue,
                let event = try? PredictionEvent(
                    envelope.data,
                    project: Scenario.project,
                    question: .choice(Scenario.schema)
                )
            else { return nil }
            guard let configuration = table[Scenario.project.rawValue]?.pointee.configuration else { return nil }
            return ScannedPrediction(
                sample: event.sample.id.rawValue,
                version: event.model?.version.rawValue ?? "",
                role: event.model?.role,
                predictedAt: event.predictedAt,
                top: event.output?.distribution?.top.label.rawValue,
                score: event.output?.distribution.map {
                    configuration.acquisition.function.score($0, classes: configuration.schema.classes.count)
                }
            )
        }
    }

    private func agree(_ a: ScannedPrediction, _ b: ScannedPrediction) -> Bool {
        var (a, b) = (a, b)
        let isClose = abs((a.score ?? 0) - (b.score ?? 0)) < 1e-12 && (a.score == nil) == (b.score == nil)
        (a.score, b.score) = (nil, nil)
        return isClose && a == b
    }

    private static func plain(_ generator: inout SplitMix64) -> String {
        var weights = Scenario.schema.classes.map { _ in generator.nextUnit() + 1e-9 }
        if generator.next(below: 4) == 0 { weights[1] = weights[0] }
        let named = 1 + generator.next(below: weights.count)
        let total = weights.reduce(0, +)
        var members: [String] = []
        var remainder = 1.0
        for index in SeededSampling.permutation(of: weights.count, using: &generator).prefix(named) {
            let probability = weights[index] / total
            remainder -= probability
            members.append("\"\(Scenario.schema.classes[index])\":\(probability)")
        }
        let remainderMember = named < weights.count ? ",\"remainder\":\(max(0, remainder))" : ""
        let output =
            "\"output\":{\"kind\":\"choice\",\"probabilities\":{\(members.joined(separator: ","))}\(remainderMember)}"
        var parts = [
            "\"project\":\"\(Scenario.project)\"",
            "\"sample\":{\"metadata\":{\"a\":\"b\"},\"id\":\"s\(generator.next(below: 1_000))\",\"embedding\":[1,2.5]}",
            "\"model\":{\"name\":\"n\",\"version\":\"v\(generator.next(below: 3))\",\"role\":\"challenger\"}", output,
            "\"predicted_at_ms\":\(time)", "\"extra\":[true,null,{\"project\":\"other\"}]",
        ]
        if generator.next(below: 5) == 0 { parts.removeSubrange(2...3) }
        SeededSampling.shuffle(&parts, using: &generator)
        let text = "{\(parts.joined(separator: generator.next(below: 2) == 0 ? "," : " , "))}"
        return generator.next(below: 4) == 0 ? text.replacing(":", with: " :\t") + "\n" : text
    }

    @Test("Plain predictions are read by a scan, with the same result", arguments: AcquisitionFunction.allCases)
    func plainOnes(_ function: AcquisitionFunction) throws {
        let table = table(function)
        var generator = SplitMix64(seed: 1)
        for _ in 0..<500 {
            let bytes = Array(Self.plain(&generator).utf8)
            let scanned = try #require(scan(bytes, table), "\(String(decoding: bytes, as: UTF8.self))")
            let parsed = try #require(parse(bytes, table))
            #expect(agree(scanned, parsed), "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test(
        "Metadata names are scanned only if unique, not empty, short, unescaped and, if several, ASCII",
        arguments: [
            (#"{}"#, true), (#"{"a":"b"}"#, true), (#"{"a":"b","c":1,"d":true}"#, true), (#"{"é":"b"}"#, true),
            ("{\"\u{7F}\":\"b\"}", true), (#"{"a":"b","a":"c"}"#, false), (#"{"a":"b","c":"d","a":"c"}"#, false),
            (#"{"":"b"}"#, false), (#"{"a":"b","":"c"}"#, false), (#"{"\u0061":"b"}"#, false),
            (#"{"a":"b","é":"c"}"#, false), (#"{"é":"b","a":"c"}"#, false), (#"{"a":{}}"#, false),
            (#"{"a":"\q"}"#, false),
            ("{\"\(String(repeating: "n", count: 64))\":\"b\"}", true),
            ("{\"\(String(repeating: "n", count: 65))\":\"b\"}", false),
            ("{\((0..<16).map { "\"n\($0)\":\"v\"" }.joined(separator: ","))}", true),
            ("{\((0..<17).map { "\"n\($0)\":\"v\"" }.joined(separator: ","))}", false),
        ]
    )
    func metadata(_ text: String, _ isScanned: Bool) {
        let bytes = Array(
            """
            {"project":"\(Scenario.project)","sample":{"id":"s","metadata":\(text)},"model":{"version":"v"},\
            "output":{"kind":"choice","probabilities":{"\(Scenario.schema.classes[0])":1}}}
            """.utf8
        )
        let table = table()
        #expect((scan(bytes, table) != nil) == isScanned)
        // The parser refuses no prediction that a scan accepts.
        if isScanned { #expect(parse(bytes, table) != nil) }
    }

    @Test("Of equally likely classes the top one has the lowest index", arguments: AcquisitionFunction.allCases)
    func tied(_ function: AcquisitionFunction) throws {
        let names = (0..<100).map { "class-\($0)" }
        let schema = LabelSchema(question: "Which?", classes: names)
        let table = ProjectTable()
        let configuration = ProjectConfiguration(
            project: Scenario.project,
            revision: 1,
            partition: 0,
            schema: schema,
            acquisition: AcquisitionPolicy(function: function)
        )
        table.set(IntakeProject(configuration, salt: []))
        var generator = SplitMix64(seed: 3)
        for _ in 0..<300 {
            let order = SeededSampling.permutation(of: 100, using: &generator)
            let tied = order.prefix(2 + generator.next(below: 2))
            let highest = (1 - 0.001 * Double(100 - tied.count)) / Double(tied.count)
            let members = SeededSampling.permutation(of: 100, using: &generator)
                .map { "\"\(names[$0])\":\(tied.contains($0) ? highest : 0.001)" }
            let bytes = Array(
                """
                {"project":"\(Scenario.project)","sample":{"id":"s"},"model":{"version":"v"},\
                "output":{"kind":"choice","probabilities":{\(members.joined(separator: ","))}}}
                """.utf8
            )
            let scanned = try #require(scan(bytes, table))
            let event = try bytes.withUnsafeBytes {
                try PredictionEvent(parser.parse($0).object(), project: Scenario.project, question: .choice(schema))
            }
            let output = try #require(event.output?.distribution)
            #expect(scanned.top == tied.min() && scanned.top == output.top.label.rawValue)
            #expect(abs((scanned.score ?? -1) - function.score(output, classes: 100)) < 1e-12)
        }
    }

    @Test("Projects of many classes are read with the same result, and a duplicate class requires the parser")
    func manyClasses() throws {
        let names = (0..<200).map { "class-number-\($0)" }
        let table = ProjectTable()
        let configuration = ProjectConfiguration(
            project: Scenario.project,
            revision: 1,
            partition: 0,
            schema: LabelSchema(question: "Which?", classes: names),
            acquisition: AcquisitionPolicy()
        )
        table.set(IntakeProject(configuration, salt: []))
        func bytes(_ members: [String]) -> [UInt8] {
            Array(
                "{\"project\":\"\(Scenario.project)\",\"sample\":{\"id\":\"s\"},\"model\":{\"version\":\"v\"},\"output\":{\"kind\":\"choice\",\"probabilities\":{\(members.joined(separator: ","))}}}"
                    .utf8
            )
        }
        for top in names.indices {
            let members = names.indices.reversed().map { "\"\(names[$0])\":\($0 == top ? 0.801 : 0.001)" }
            let scanned = try #require(scan(bytes(members), table))
            #expect(scanned.top == top && abs((scanned.score ?? 0) - 0.2) < 1e-12)
            let twice = members + ["\"\(names[199 - top])\":0.0"]
            #expect(scan(bytes(twice), table) == nil)
        }
    }

    @Test(
        "A corrupted prediction is read or refused by a scan as by the parser, in the parts that the scan reads"
    )
    func spoilt() {
        let table = table()
        var generator = SplitMix64(seed: 2)
        var (scans, refusals) = (0, 0)
        for _ in 0..<20_000 {
            var bytes = Array(Self.plain(&generator).utf8)
            for _ in 0...generator.next(below: 2) {
                let at = generator.next(below: bytes.count)
                switch generator.next(below: 4) {
                case 0: bytes.remove(at: at)
                case 1: bytes[at] = Array("{}[]:,\"\\ 0a-e.n".utf8)[generator.next(below: 15)]
                case 2: bytes.insert(bytes[generator.next(below: bytes.count)], at: at)
                default: bytes.swapAt(at, generator.next(below: bytes.count))
                }
            }
            guard let scanned = scan(bytes, table) else {
                refusals += 1
                continue
            }
            scans += 1
            // A text may be corrupted in a part that the scan does not read.
            if let parsed = parse(bytes, table) {
                #expect(agree(scanned, parsed), "\(String(decoding: bytes, as: UTF8.self))")
            }
        }
        #expect(scans > 1_000 && refusals > 1_000)
    }

    @Test("Classes that JSON must escape require the parser, in any spelling")
    func escapedClasses() {
        let table = ProjectTable()
        let configuration = ProjectConfiguration(
            project: Scenario.project,
            revision: 1,
            partition: 0,
            schema: LabelSchema(question: "?", classes: ["x\\y", "x\\\\y", "plain", "a\"b"])
        )
        table.set(IntakeProject(configuration, salt: []))
        func bytes(_ name: String) -> [UInt8] {
            Array(
                """
                {"project":"\(Scenario.project)","sample":{"id":"s"},"model":{"name":"m","version":"v"},\
                "output":{"kind":"choice","probabilities":{\(name):0.9,"plain":0.1}}}
                """.utf8
            )
        }
        for name in [#""x\y""#, #""x\\y""#, #""a\"b""#, #""a"b""#, "0", #":1"#] {
            #expect(scan(bytes(name), table) == nil, "\(name)")
        }
        #expect(
            scan(
                Array(
                    String(decoding: bytes(#""z""#), as: UTF8.self).replacing(#""z":0.9,"#, with: "").replacing(
                        "0.1}",
                        with: "1.0}"
                    ).utf8
                ),
                table
            )?.top == 2
        )
    }

    @Test("Sums at the limit of the permitted range are left to the parser")
    func edges() throws {
        let table = table()
        for (a, b) in [(3, 96), (4, 95), (17, 82), (50, 49), (1, 100), (51, 50)] {
            let text =
                """
                {"project":"\(Scenario.project)","sample":{"id":"s"},"model":{"name":"m","version":"v"},\
                "output":{"kind":"choice","probabilities":{"\(Scenario.classes[0])":0.\(a < 10 ? "0" : "")\(a),\
                "\(Scenario.classes[1])":\(b == 100 ? "1.00" : "0.\(b)")}}}
                """
            #expect(scan(Array(text.utf8), table) == nil, "\(a) and \(b)")
        }
    }

    @Test("Names of every length are found by their bytes, and no other names are")
    func names() {
        let names = (0..<40).flatMap { length in
            ["a", "b"].map { String(repeating: "x", count: length) + $0 + String(repeating: "y", count: length % 3) }
        }
        let table = NameTable(names)
        for (index, name) in names.enumerated() {
            #expect(Array(name.utf8).withUnsafeBytes { table.find($0) } == names.firstIndex(of: name), "\(index)")
            #expect(Array((name + "z").utf8).withUnsafeBytes { table.find($0) } == nil)
        }
        #expect(table.find(UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
        // Equal at both ends, different in the middle.
        let middle = NameTable(["12345678-one-12345678", "12345678-two-12345678"])
        #expect(Array("12345678-two-12345678".utf8).withUnsafeBytes { middle.find($0) } == 1)
        #expect(Array("12345678-six-12345678".utf8).withUnsafeBytes { middle.find($0) } == nil)
    }

    /// Before: every name of this form was in one row of slots, and 400 predictions of 10,000 classes delayed Intake
    /// for minutes.
    @Test("Names that share their beginning and their end are found as fast as others")
    func commonEnds() {
        func seconds(_ names: [String]) -> Double {
            let table = NameTable(names)
            let bytes = names.map { Array($0.utf8) }
            var wrong = 0
            let took = ContinuousClock().measure {
                for (index, name) in bytes.enumerated() where name.withUnsafeBytes({ table.find($0) }) != index {
                    wrong += 1
                }
            }
            #expect(wrong == 0)
            return took / .seconds(1)
        }
        let usual = seconds((0..<6_000).map { "\($0)-is-the-name-of-a-class-\($0)" })
        let common = seconds((0..<6_000).map { "aaaaaaaa\(100_000 + $0)aaaaaaaaaa" })
        #expect(common < 20 * usual + 0.05, "\(common) s, others \(usual) s")
    }
}
