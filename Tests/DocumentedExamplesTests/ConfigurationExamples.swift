import Configuration
import Testing

@Suite struct ConfigurationExamples {
    @Test("Keys are read by type, and absent ones have defaults")
    func keys() throws {
        let yaml = "name: digits\npause: 5m\n"
        let reader = try ConfigurationReader(yaml: Array(yaml.utf8), file: "project.yaml")
        let name = reader.requiredString("name")
        let pause = reader.duration("pause", default: .seconds(60))
        let retries = reader.int("retries", default: 3, in: 0...10)
        try reader.finish()
        #expect(name == "digits")
        #expect(pause == .seconds(300))
        #expect(retries == 3)
    }
}
