/// Reads a command line by its specification.
///
/// ```swift
/// let limits = OptionSpecification.option("limit", "N", help: "Lines to show.", defaultValue: "10")
/// let command = CommandSpecification("head", summary: "Show the first lines", options: [limits])
/// var limit: Int?
/// if case .run(let arguments) = try ArgumentParser(command).parse(["--limit", "20"]) {
///     limit = try arguments.int("limit", in: 1...100)
/// }
/// ```
public struct ArgumentParser: Sendable {
    /// Outcome of parsing a command line: a command to run, or a help text to print.
    public enum Outcome: Sendable {
        /// To run a command with these arguments.
        case run(ParsedArguments)
        /// To print this text on standard output and exit successfully.
        case help(String)
    }

    private let root: CommandSpecification
    private let version: String?

    /// Creates a parser for the command and all its subcommands.
    ///
    /// - Parameters:
    ///   - root: The command.
    ///   - version: The text that `--version` prints in place of a command; nil if there is no such option.
    public init(_ root: CommandSpecification, version: String? = nil) {
        self.root = root
        self.version = version
    }

    /// Reads the words after the program's name.
    ///
    /// Options may appear anywhere after their command; `--` ends them; `--help` or `-h` requests help at any position
    /// before it.
    ///
    /// - Throws: `ArgumentsError` for unknown, missing, repeated or misplaced arguments and for values that are not
    ///   among the choices.
    public func parse(_ words: [String]) throws(ArgumentsError) -> Outcome {
        var command = root
        var path = [root.name]
        var options: [OptionSpecification] = root.options
        var values: [String: [String]] = [:]
        var positionals: [String] = []
        var position = 0
        var optionsHaveEnded = false
        while position < words.count {
            let word = words[position]
            position += 1
            if !optionsHaveEnded, word == "--" {
                optionsHaveEnded = true
            } else if !optionsHaveEnded, word == "--help" || word == "-h" {
                return .help(HelpText(command, path, options).text)
            } else if word == "--version", path.count == 1, values.isEmpty, let version {
                return .help(version)
            } else if !optionsHaveEnded, word.hasPrefix("-"), word != "-", Double(word) == nil {
                try read(word, of: words, at: &position, options: options, path: path, into: &values)
            } else if let next = command.subcommands.first(where: { $0.name == word }), !optionsHaveEnded {
                command = next
                path.append(word)
                options += next.options
            } else if !command.subcommands.isEmpty {
                let names = command.subcommands.map(\.name)
                throw error("unknown command '\(word)'" + suggestion(for: word, among: names, prefix: ""), path)
            } else {
                positionals.append(word)
            }
        }
        guard command.subcommands.isEmpty else {
            let names = command.subcommands.map(\.name).joined(separator: ", ")
            throw error("expected a command: \(names)", path)
        }
        let missing = options.filter { $0.isRequired && values[$0.name] == nil }
        if let first = missing.first { throw error("missing option --\(first.name) \(first.placeholder)", path) }
        try check(positionals, command, path)
        return .run(
            ParsedArguments(path: path, command: command, options: options, values: values, positionals: positionals)
        )
    }

    private func error(_ reason: String, _ path: [String]) -> ArgumentsError {
        ArgumentsError(reason, command: path.joined(separator: " "))
    }

    private func read(
        _ word: String,
        of words: [String],
        at position: inout Int,
        options: [OptionSpecification],
        path: [String],
        into values: inout [String: [String]]
    ) throws(ArgumentsError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0].drop { $0 == "-" })
        guard word.hasPrefix("--"), let option = options.first(where: { $0.name == name }) else {
            let known = options.map(\.name) + ["help"]
            throw error("unknown option '\(parts[0])'" + suggestion(for: name, among: known, prefix: "--"), path)
        }
        if option.arity != .repeated, values[name] != nil { throw error("option --\(name) stands twice", path) }
        if option.arity == .flag {
            guard parts.count == 1 else { throw error("option --\(name) takes no value", path) }
            values[name] = ["true"]
            return
        }
        let value: String
        if parts.count == 2 {
            value = String(parts[1])
        } else {
            // A word that begins like an option is not a value, unless it is written as --name=--value.
            guard position < words.count, !words[position].hasPrefix("--") else {
                throw error("option --\(name) needs a value: \(option.placeholder)", path)
            }
            value = words[position]
            position += 1
        }
        guard option.choices.isEmpty || option.choices.contains(value) else {
            let choices = option.choices.joined(separator: ", ")
            throw error("option --\(name): expected one of \(choices), found '\(value)'", path)
        }
        values[name, default: []].append(value)
    }

    private func check(
        _ positionals: [String],
        _ command: CommandSpecification,
        _ path: [String]
    ) throws(ArgumentsError) {
        let required = command.positionals.count { $0.isRequired }
        if positionals.count < required {
            throw error("missing argument \(command.positionals[positionals.count].name)", path)
        }
        let lastMayRepeat = command.positionals.last?.isRepeated == true
        if positionals.count > command.positionals.count, !lastMayRepeat {
            throw error("unexpected argument '\(positionals[command.positionals.count])'", path)
        }
    }

    /// Suggests the nearest known name; empty if none is near.
    private func suggestion(for word: String, among names: [String], prefix: String) -> String {
        let nearest = names.map { (name: $0, distance: editDistance(word, $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= max(1, nearest.name.count / 3) else { return "" }
        return "; did you mean '\(prefix)\(nearest.name)'?"
    }
}

/// The number of characters that must be inserted, deleted, replaced or swapped with their neighbour to turn one text
/// into the other.
func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left)
    let right = Array(right)
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in 0..<left.count {
        var current = [row + 1] + [Int](repeating: 0, count: right.count)
        for column in 0..<right.count {
            let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
            var best = min(replaced, min(last[column + 1] + 1, current[column] + 1))
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                best = min(best, beforeLast[column - 1] + 1)
            }
            current[column + 1] = best
        }
        beforeLast = last
        last = current
    }
    return last[right.count]
}
