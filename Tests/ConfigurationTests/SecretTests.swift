import Configuration
import Foundation
import Testing

@Suite struct SecretTests {
    @Test("Secrets are read from the environment or a file, and the file itself contains none")
    func sources() throws {
        let path = NSTemporaryDirectory() + "flywheel-\(UUID().uuidString)"
        try "from file\nmore".write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let yaml = """
            a: ${TOKEN}
            b: file:\(path)
            kafka: {sasl.password: "${TOKEN}", acks: all}
            """
        let reader = try ConfigurationReader(
            yaml: Array(yaml.utf8),
            file: "x",
            environment: ["TOKEN": "from environment"]
        )
        #expect(reader.secret("a")?.reveal() == "from environment")
        #expect(reader.secret("b")?.reveal() == "from file")
        #expect(reader.secret("absent") == nil)
        #expect(reader.secretMap("kafka").map { $0.value.reveal() } == ["from environment", "all"])
        try reader.finish()
    }

    /// Before: what is not UTF-8 became U+FFFD, so that different secrets were equal.
    @Test(
        "A secret's file that is not text, is too long or is a folder is refused",
        arguments: [
            ([0x67, 0x72, 0xFC, 0x6E, 0x0A], "is not UTF-8"), ([0x61, 0xE2, 0x80, 0x0A], "is not UTF-8"),
            ([UInt8](repeating: 0x61, count: 70_000), "more than 65535 bytes"),
            ([0x0A, 0x61], "its first line is empty"), (nil, "Is a directory"),
        ] as [([UInt8]?, String)]
    )
    func files(bytes: [UInt8]?, message: String) throws {
        let path = NSTemporaryDirectory() + "flywheel-\(UUID().uuidString)"
        let files = FileManager.default
        if let bytes {
            #expect(files.createFile(atPath: path, contents: Data(bytes)))
        } else {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        defer { try? files.removeItem(atPath: path) }
        let reader = try ConfigurationReader(yaml: Array("a: file:\(path)\n".utf8), file: "x")
        #expect(reader.secret("a", isNeeded: false) == nil && reader.issueCount == 0)
        #expect(reader.secret("a") == nil)
        let error = try #require(throws: ConfigurationError.self) { try reader.finish() }
        #expect("\(error)".contains(message), "\(error)")
    }

    @Test("An issue about an unresolved secret does not show it")
    func issues() throws {
        let yaml = "a: hunter2\nb: ${NOWHERE}\nc: file:/no/such/file\nd: [hunter2]\n"
        let reader = try ConfigurationReader(yaml: Array(yaml.utf8), file: "x")
        for key in ["a", "b", "c", "d"] { #expect(reader.secret(key) == nil) }
        let error = try #require(throws: ConfigurationError.self) { try reader.finish() }
        #expect(
            "\(error)" == """
                x:1: key a: expected ${VARIABLE} or file:PATH, found the secret itself
                x:2: key b: expected the environment variable NOWHERE to be set
                x:3: key c: expected a secret in the file /no/such/file: No such file or directory
                x:4: key d: expected ${VARIABLE} or file:PATH, found a list
                """
        )
    }

    @Test("Secret names of a map need references, and a fault is reported with its line")
    func secretMap() throws {
        let yaml = "kafka:\n  acks: all\n  sasl.password: hunter2\n  ackss: all\n"
        let reader = try ConfigurationReader(yaml: Array(yaml.utf8), file: "x")
        let properties = reader.secretMap("kafka", secrets: { $0.hasSuffix("password") }) { name, _ in
            name == "ackss" ? "ackss is not known" : nil
        }
        #expect(properties.map(\.name) == ["acks", "ackss"])
        let error = try #require(throws: ConfigurationError.self) { try reader.finish() }
        #expect(
            "\(error)" == """
                x:3: key kafka.sasl.password: expected ${VARIABLE} or file:PATH, found the secret itself
                x:4: key kafka.ackss: ackss is not known
                """
        )
    }

    @Test("No printed form of a secret shows it")
    func printing() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in [
            "\(secret)", String(reflecting: secret), dumped, "\([secret])", String(describing: Optional(secret)),
        ] {
            #expect(!text.contains("hunter2"))
        }
    }
}
