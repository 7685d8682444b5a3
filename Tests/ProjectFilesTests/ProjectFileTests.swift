import Configuration
import Events
import ProjectFiles
import Testing

@Suite("Project files")
struct ProjectFileTests {
    private func record(_ bytes: [UInt8], _ file: String) throws -> String {
        String(decoding: try ProjectFile.read(bytes, file: file).jsonBytes, as: UTF8.self)
    }

    @Test("A file becomes the record that stands beside it", arguments: GoldenFiles.names("json"))
    func accepted(name: String) throws {
        let isExample = name == "example"
        let bytes = try isExample ? GoldenFiles.file("docs/examples/project.yaml") : GoldenFiles.bytes("\(name).yaml")
        #expect(try record(bytes, "\(name).yaml") == GoldenFiles.text("\(name).json"))
    }

    @Test(
        "All that is wrong with a file is told at once, with line, key, expectation and finding",
        arguments: GoldenFiles.names("faults")
    )
    func refused(name: String) throws {
        let bytes = try GoldenFiles.bytes("\(name).yaml")
        let error = #expect(throws: ConfigurationError.self) { try record(bytes, "\(name).yaml") }
        #expect(error?.description == (try GoldenFiles.text("\(name).faults")))
    }

    @Test("The golden files are there")
    func coverage() {
        #expect(GoldenFiles.names("json").count >= 8 && GoldenFiles.names("faults").count >= 13)
        #expect(
            Set(GoldenFiles.names("yaml") + ["example"]) == Set(GoldenFiles.names("json") + GoldenFiles.names("faults"))
        )
    }
}
