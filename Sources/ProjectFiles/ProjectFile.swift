public import Configuration
public import Flywheel

/// A project's file in YAML. All keys except `project`, `question` and `classes` have defaults;
/// `docs/reference/configuration.md` lists every key.
public enum ProjectFile {
    /// Reads a whole file.
    ///
    /// - Parameters:
    ///   - bytes: The text in UTF-8, at most 1 MB.
    ///   - file: The file's name, for messages.
    /// - Returns: The configuration, as revision 1 of partition 0.
    /// - Throws: `ConfigurationError` with all issues, in the order of lines.
    public static func read(_ bytes: [UInt8], file: String) throws(ConfigurationError) -> ProjectConfiguration {
        let reader = try ConfigurationReader(yaml: bytes, file: file)
        var fields = FileFields<ProjectConfiguration>(reader, context(reader))
        let configuration = ProjectConfiguration(fields: &fields)
        try reader.finish()
        return configuration
    }

    /// Returns the keys of a file that are still accepted but have no effect any more.
    ///
    /// - Parameters:
    ///   - bytes: The text in UTF-8.
    ///   - file: The file's name.
    /// - Returns: Each such key in the file, with its replacement, for human readers; empty for a file that cannot be
    ///   read.
    public static func keysWithoutEffect(_ bytes: [UInt8], file: String) -> [(key: String, replacement: String)] {
        guard let reader = try? ConfigurationReader(yaml: bytes, file: file), reader.contains("rollout") else {
            return []
        }
        let rollout = reader.section("rollout")
        return [
            (
                "false_alarm_every",
                "rollback_alpha says how probable a rollback for nothing is over the whole life of a release"
            ),
            ("user_cap", "a bucket of users (user_buckets) has one voice about a version in user_window"),
        ]
        .filter { rollout.contains($0.0) }.map { ("rollout.\($0.0)", "without effect: \($0.1)") }
    }

    /// Keys that a project's file has and a worker's file has not.
    private static let distinctiveKeys: Set = [
        "project", "question", "classes", "kind", "acquisition", "labeling", "datasets", "training", "rollout",
    ]

    /// Whether a file has keys of a project's file, so that it is not a worker's file.
    public static func isProject(_ bytes: [UInt8], file: String) -> Bool {
        let markLength = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let text = String(decoding: bytes.dropFirst(markLength), as: UTF8.self)
        return (try? ConfigurationReader(yaml: bytes, file: file)).map { !distinctiveKeys.isDisjoint(with: $0.keys) }
            ?? text.split(whereSeparator: \.isNewline).contains { $0.hasPrefix("project:") }
    }

    /// Returns the classes that later parts refer to by name; the form reports faults of the list.
    private static func context(_ reader: ConfigurationReader) -> FileContext {
        guard case .list(let elements) = reader.node("classes")?.content else {
            return FileContext(classes: [:], classCount: 0)
        }
        var positions: [String: Int] = [:]
        for (position, element) in elements.enumerated() {
            if case .scalar(let scalar) = element.content, positions[scalar.text] == nil {
                positions[scalar.text] = position
            }
        }
        return FileContext(classes: positions, classCount: elements.count)
    }
}
