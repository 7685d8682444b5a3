import Configuration
import Events
import ProjectFiles
import Testing

@Suite("Project files")
struct ProjectFileTests {
    private func record(_ bytes: [UInt8], _ file: String) throws -> String {
        String(decoding: try ProjectFile.read(bytes, file: file).jsonBytes, as: UTF8.self)
    }

    @Test("Each golden file produces the record beside it", arguments: GoldenFiles.names("json"))
    func accepted(name: String) throws {
        let isExample = name == "example"
        let bytes = try isExample ? GoldenFiles.file("docs/examples/project.yaml") : GoldenFiles.bytes("\(name).yaml")
        #expect(try record(bytes, "\(name).yaml") == GoldenFiles.text("\(name).json"))
    }

    @Test(
        "All faults of a file are reported at once, with line, key, expectation and finding",
        arguments: GoldenFiles.names("faults")
    )
    func refused(name: String) throws {
        let bytes = try GoldenFiles.bytes("\(name).yaml")
        let error = #expect(throws: ConfigurationError.self) { try record(bytes, "\(name).yaml") }
        #expect(error?.description == (try GoldenFiles.text("\(name).faults")))
    }

    @Test("A file with any content is read or refused", arguments: 0..<24 as Range<UInt64>)
    func damaged(seed: UInt64) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func draw(_ count: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state >> 33) % count
        }
        let whole = try GoldenFiles.bytes("everything.yaml")
        for _ in 0..<40 {
            var bytes = whole
            for _ in 0...draw(4) {
                let start = draw(bytes.count)
                let part = Array(whole[draw(whole.count)...].prefix(draw(30)))
                bytes.replaceSubrange(start..<min(bytes.count, start + draw(30)), with: part)
            }
            do {
                #expect(try record(bytes, "x").isEmpty == false)
            } catch let error as ConfigurationError {
                #expect(!error.issues.isEmpty && error.issues.allSatisfy { !$0.reason.isEmpty })
            }
        }
    }

    @Test("Keys without effect are reported if a file names them, whatever their values, and only then")
    func withoutEffect() throws {
        func keys(_ text: String) -> [String] {
            ProjectFile.keysWithoutEffect(Array(text.utf8), file: "x").map(\.key)
        }
        let all = ["rollout.false_alarm_every", "rollout.user_cap"]
        #expect(keys("project: a\nrollout: {user_cap: 5, false_alarm_every: 100000}") == all)
        #expect(keys("rollout: {user_cap: 9, user_window: 1h}") == ["rollout.user_cap"])
        for text in ["", "project: a", "rollout:", "rollout: 5", "rollout: {alpha: 0.1}", "rollout: ]", "user_cap: 5"] {
            #expect(keys(text).isEmpty, "\(text)")
        }
        #expect(keys(String(decoding: try GoldenFiles.bytes("everything.yaml"), as: UTF8.self)) == all)
    }

    @Test("A file with the key `project` is a project file, whatever else it contains")
    func kinds() throws {
        for (text, isProject) in [
            ("project: a", true), ("\u{FEFF}project: a", true), ("\"project\": a", true), ("roles: [loop]", false),
            ("", false),
            ("project: ]", true), ("roles: ]", false), ("# project: a", false),
        ] {
            #expect(ProjectFile.isProject(Array(text.utf8), file: "x") == isProject, "\(text)")
        }
    }

    @Test("No golden file is missing")
    func coverage() {
        #expect(GoldenFiles.names("json").count >= 8 && GoldenFiles.names("faults").count >= 13)
        #expect(
            Set(GoldenFiles.names("yaml") + ["example"]) == Set(GoldenFiles.names("json") + GoldenFiles.names("faults"))
        )
    }
}
