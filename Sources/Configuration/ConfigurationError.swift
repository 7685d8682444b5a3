/// One thing that is wrong with a configuration file.
public struct ConfigurationIssue: Hashable, Sendable, CustomStringConvertible {
    /// The file's name as it was given.
    public let file: String
    /// The line, counted from 1; 0 if the file as a whole is meant.
    public let line: Int
    /// The key with all keys above it, as in `kafka.timeout`; empty if the file as a whole is meant.
    public let key: String
    /// Reason in words: what was expected and what was found.
    public let reason: String

    /// The issue in one line: `worker.yaml:7: key kafka.timeout: expected …, found …`.
    public var description: String {
        let location = line > 0 ? "\(file):\(line)" : file
        return key.isEmpty ? "\(location): \(reason)" : "\(location): key \(key): \(reason)"
    }
}

/// All that is wrong with a configuration file, in the order of its lines; at least one issue.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The issues.
    public let issues: [ConfigurationIssue]

    /// Maximum number of issues in the description: further issues usually repeat the same mistake.
    private static let limit = 100

    /// The first hundred issues, one a line, and the number of the others.
    public var description: String {
        var lines = issues.prefix(Self.limit).map(\.description)
        if issues.count > lines.count, let first = issues.first {
            lines.append("\(first.file): \(issues.count - lines.count) more are not listed")
        }
        return lines.joined(separator: "\n")
    }
}
