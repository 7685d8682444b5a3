import Events
import JSON
import Testing
import Vocabulary

/// Rules for facts that change labels, which no schema can express, and forms that a newer build may write.
@Suite struct LabelChangeTests {
    private func read(_ path: String, _ old: String, _ new: String) throws -> JSONError? {
        let text = String(decoding: try SchemaFiles.bytes(path), as: UTF8.self)
        #expect(text.contains(old), "\(path) has no \(old)")
        let changed = text.replacing(old, with: new)
        do {
            _ = try JSONParser().withDocument(of: Array(changed.utf8)) { try DatasetLogRecord(json: $0) }
            return nil
        } catch let error as JSONError {
            return error
        }
    }

    @Test(
        "A change with an invalid value, without effect, or that replaces a later fact, is refused by its path",
        arguments: [
            ("label-revised", #""class":"1","index":1"#, #""class":"7","index":7"#, "label"),
            ("label-moved", #""from":"test""#, #""from":"training""#, "split"),
            ("label-retracted", #""replaces":3"#, #""replaces":16"#, "replaces"),
            ("label-retracted", #""replaces":3"#, #""replaces":0"#, "replaces"),
            ("label-revised-by-votes", #""confidence":0.9375"#, #""confidence":1.5"#, "confidence"),
            ("label-accepted-format-2", #""propensity":0.5"#, #""propensity":1.5"#, "propensity"),
            ("version-cut-format-2", #""format":2"#, #""format":0"#, "format"),
        ]
    )
    func refused(name: String, old: String, new: String, path: String) throws {
        let error = try #require(try read("dataset-log/golden/\(name).json", old, new))
        #expect(error.kind != .newerForm)
        #expect(error.path == path, "\(error)")
    }

    @Test("A format that only a newer build knows is refused as such", arguments: ["label-accepted", "version-cut"])
    func newer(name: String) throws {
        let error = try #require(
            try read("dataset-log/golden/\(name)-format-2.json", #""format":2"#, #""format":3"#)
        )
        #expect(error.kind == .newerForm && error.reason.contains("upgrade this worker"), "\(error)")
    }

    @Test("The limit of a reason is in bytes")
    func reasons() throws {
        let path = "dataset-log/golden/label-retracted.json"
        let reason = #""reason":"taken without consent""#
        let longest = String(repeating: "é", count: LabelChange.longestReason / 2)
        #expect(try read(path, reason, #""reason":"\#(longest)""#) == nil)
        let error = try #require(try read(path, reason, #""reason":"\#(longest)x""#))
        #expect(error.path == "reason")
    }

    @Test("Facts of the first format have no later members")
    func firstFormat() throws {
        for name in ["label-accepted", "test-label", "imported-label", "version-cut"] {
            let text = String(decoding: try SchemaFiles.bytes("dataset-log/golden/\(name).json"), as: UTF8.self)
            #expect(!text.contains("format") && !text.contains("accepted_at_ms"))
        }
    }
}
