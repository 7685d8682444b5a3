/// Reads one map of a configuration file, strictly and by type, with a default for every key that may be absent.
///
/// Reads never throw: a fault is recorded, the default is returned, and `finish` throws all faults at once, including
/// keys that were never read. So a file is read to its end and all its faults are reported together. Until `finish` has
/// returned, no value that was read may be used.
///
/// ```swift
/// let yaml = "name: digits\npause: 5m\n"
/// let reader = try ConfigurationReader(yaml: Array(yaml.utf8), file: "project.yaml")
/// let name = reader.requiredString("name")
/// let pause = reader.duration("pause", default: .seconds(60))
/// let retries = reader.int("retries", default: 3, in: 0...10)
/// try reader.finish()
/// ```
public final class ConfigurationReader {
    /// State shared by the readers of one file.
    final class FileState {
        let file: String
        let environment: [String: String]
        var issues: [ConfigurationIssue] = []
        /// Every reader made, so that `finish` can check each for keys that were not read.
        var readers: [ConfigurationReader] = []

        init(file: String, environment: [String: String]) {
            self.file = file
            self.environment = environment
        }
    }

    let fileState: FileState
    /// Path of the keys above this map, with a full stop at the end; empty for the file itself.
    let prefix: String
    let entries: [YAMLNode.Entry]
    /// The map's own line, for keys that are missing.
    let line: Int
    /// Indices in `entries`, by key.
    private let indices: [String: Int]
    private var readKeys: Set<String> = []
    /// Keys checked by `contains`: known, though not read yet.
    private var checkedKeys: Set<String> = []

    init(fileState: FileState, prefix: String, entries: [YAMLNode.Entry], line: Int) {
        self.fileState = fileState
        self.prefix = prefix
        self.entries = entries
        self.line = line
        indices = Dictionary(entries.enumerated().map { ($1.key, $0) }) { first, _ in first }
        fileState.readers.append(self)
    }

    /// Reads the text of a configuration file; an empty one is an empty map.
    ///
    /// - Parameters:
    ///   - yaml: The text in UTF-8, at most 1 MB.
    ///   - file: The file's name, for messages.
    ///   - environment: Environment variables for `secret`.
    /// - Throws: `ConfigurationError` if it is not YAML, or not a map.
    public convenience init(
        yaml: [UInt8],
        file: String,
        environment: [String: String] = [:]
    ) throws(ConfigurationError) {
        let (node, issues) = try YAMLReader.read(yaml, file: file)
        let fileState = FileState(file: file, environment: environment)
        fileState.issues = issues
        switch node?.content {
        case .map(let entries): self.init(fileState: fileState, prefix: "", entries: entries, line: node?.line ?? 1)
        case .none,
            .scalar where node?.isNull == true:
            self.init(fileState: fileState, prefix: "", entries: [], line: 1)
        default:
            let reason = "expected a map, found \(node?.found ?? "nothing")"
            throw ConfigurationError(
                issues: issues + [.init(file: file, line: node?.line ?? 1, key: "", reason: reason)]
            )
        }
    }

    /// Whether the file contains the key with a value.
    public func contains(_ key: String) -> Bool {
        checkedKeys.insert(key)
        return entry(key).map { !$0.value.isNull } ?? false
    }

    /// Every key of the whole file that has been read or checked so far, with those above it, as in `console.port`;
    /// sections too.
    public var knownKeys: Set<String> {
        Set(
            fileState.readers.flatMap { reader in reader.readKeys.union(reader.checkedKeys).map { reader.prefix + $0 } }
        )
    }

    /// All keys of the map, in order; for maps whose keys are names.
    public var keys: [String] { entries.map(\.key) }

    /// Notes an issue with a key, for rules that only the caller knows; `finish` will throw it.
    ///
    /// - Parameters:
    ///   - key: A key of the map, or a path below one.
    ///   - reason: What was expected, and what was found.
    ///   - fallback: Line of the issue if the map has no such key; the map's own line if left out.
    public func report(_ key: String, _ reason: String, line fallback: Int? = nil) {
        let line = entry(key)?.line ?? fallback ?? line
        fileState.issues.append(ConfigurationIssue(file: fileState.file, line: line, key: prefix + key, reason: reason))
    }

    /// Ends the reading of the file; can be called on any of its readers.
    ///
    /// - Throws: `ConfigurationError` with every issue, in the order of lines.
    public func finish() throws(ConfigurationError) {
        for reader in fileState.readers { reader.reportUnreadKeys() }
        guard !fileState.issues.isEmpty else { return }
        var numbered = Array(fileState.issues.enumerated())
        numbered.sort { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
        fileState.issues = []
        throw ConfigurationError(issues: numbered.map(\.element))
    }

    private func reportUnreadKeys() {
        let known = readKeys.union(checkedKeys).sorted().joined(separator: ", ")
        for entry in entries where !readKeys.contains(entry.key) {
            report(entry.key, known.isEmpty ? "unknown key" : "unknown key; known here: \(known)")
        }
    }

    /// Issues noted so far, in the whole file.
    public var issueCount: Int { fileState.issues.count }

    /// Whether an issue with the key of this map, or with one below it, was noted.
    public func hasIssue(with key: String) -> Bool {
        fileState.issues.contains { $0.key == prefix + key || $0.key.hasPrefix("\(prefix)\(key).") }
    }

    /// The key's value; nil if absent or null. From now on, the key counts as read.
    public func node(_ key: String) -> YAMLNode? {
        readKeys.insert(key)
        guard let value = entry(key)?.value, !value.isNull else { return nil }
        return value
    }

    /// The entry of a key.
    private func entry(_ key: String) -> YAMLNode.Entry? { indices[key].map { entries[$0] } }

    /// Notes that a value is not of the expected form.
    public func mismatch(_ key: String, _ node: YAMLNode, _ expected: String) {
        let issue = ConfigurationIssue(
            file: fileState.file,
            line: node.line,
            key: prefix + key,
            reason: "expected \(expected), found \(node.found)"
        )
        fileState.issues.append(issue)
    }

    func missing(_ key: String, _ expected: String) {
        report(key, "expected \(expected), found nothing")
    }
}
