import Acquisition
import Events
import Flywheel
import JSON
import Strategies
import Testing
import Vocabulary

@Suite("Triggers in a project's record")
struct TriggerCodecTests {
    private func configuration(_ triggers: String) throws -> ProjectConfiguration {
        let golden = String(decoding: try SchemaFiles.bytes("project/golden/defaults.json"), as: UTF8.self)
        // The first member of the acquisition policy can be preceded by another.
        let text = golden.replacing(
            "\"acquisition\":{",
            with: "\"acquisition\":{\"triggers\":\(triggers),",
            maxReplacements: 1
        )
        return try JSONParser().withDocument(of: Array(text.utf8)) { try ProjectConfiguration(json: $0) }
    }

    private func trigger(_ when: String, name: String = "t") -> String {
        "{\"name\":\"\(name)\",\"per_hour\":10,\"when\":\(when)}"
    }

    private func nested(_ levels: Int) -> String {
        String(repeating: "{\"not\":", count: levels - 1) + "{\"role\":\"champion\"}"
            + String(repeating: "}", count: levels - 1)
    }

    private func wide(_ count: Int) -> String {
        let part = Array(repeating: "{\"overridden\":true}", count: 21)
        let first = "{\"any\":[\(part.joined(separator: ","))]}"
        let others = Array(repeating: "{\"sample\":0.5}", count: count - 1 - 22).joined(separator: ",")
        return "{\"all\":[\(first),\(others)]}"
    }

    @Test("Eight levels, 64 conditions and 16 triggers are accepted, and one more of each is refused by its path")
    func limits() throws {
        let accepted = (0..<16).map { trigger(nested(8), name: "t\($0)") }
        #expect(try configuration("[\(accepted.joined(separator: ","))]").acquisition.triggers.count == 16)
        #expect(try configuration("[\(trigger(wide(64)))]").acquisition.triggers.first?.condition.count == 64)
        let oneTooMany = accepted + [trigger(nested(1), name: "more")]
        for (triggers, path) in [
            ("[\(oneTooMany.joined(separator: ","))]", "acquisition.triggers"),
            ("[\(trigger(nested(9)))]", "acquisition.triggers[0].when.not.not"),
            ("[\(trigger(wide(65)))]", "acquisition.triggers[0].when"),
            ("[\(trigger(nested(1))),\(trigger(nested(2)))]", "acquisition.triggers"),
            ("[\(trigger("{\"confidence\":{\"index\":10,\"below\":0.5}}"))]", "acquisition.triggers"),
            ("[\(trigger("{\"margin\":{\"above\":0.5,\"below\":0.5}}"))]", "acquisition.triggers[0].when.margin"),
            ("[\(trigger("{\"colour\":\"red\"}"))]", "acquisition.triggers[0].when"),
        ] {
            let error = #expect(throws: JSONError.self) { try configuration(triggers) }
            #expect(error?.path.hasPrefix(path) == true, "\(error.map { "\($0)" } ?? "taken")")
        }
    }

    @Test("A policy without triggers is written as before triggers existed")
    func absent() {
        let bytes = String(decoding: AcquisitionPolicy().jsonBytes, as: UTF8.self)
        #expect(!bytes.contains("trigger"))
    }
}
