/// A command and its arguments, checked against the specification; values are typed as they are read.
///
/// A request for an option that the command does not have is a bug of the caller and stops the process.
public struct ParsedArguments: Sendable {
    /// The command's names from the program down, as in `["flywheel", "topics", "create"]`.
    public let path: [String]
    private let command: CommandSpecification
    private let options: [OptionSpecification]
    private let values: [String: [String]]
    private let positionals: [String]

    init(
        path: [String],
        command: CommandSpecification,
        options: [OptionSpecification],
        values: [String: [String]],
        positionals: [String]
    ) {
        self.path = path
        self.command = command
        self.options = options
        self.values = values
        self.positionals = positionals
    }

    /// Whether the flag is present.
    public func flag(_ name: String) -> Bool {
        precondition(option(name).arity == .flag, "--\(name) is not a flag")
        return values[name] != nil
    }

    /// Whether the option was given, so that its value is not a default.
    public func isGiven(_ name: String) -> Bool { values[option(name).name] != nil }

    /// The option's value or its default; nil if there is neither.
    public func string(_ name: String) -> String? {
        values[name]?.last ?? option(name).defaultValue
    }

    /// All values of the option, in order.
    public func strings(_ name: String) -> [String] {
        precondition(option(name).arity == .repeated, "--\(name) does not repeat")
        return values[name] ?? []
    }

    /// The option's value or its default; for options that are required or have a default.
    ///
    /// - Throws: `ArgumentsError` if there is neither.
    public func requiredString(_ name: String) throws(ArgumentsError) -> String {
        guard let value = string(name) else { throw failure("missing option --\(name) \(option(name).placeholder)") }
        return value
    }

    /// The option's value as a whole number in `range`.
    ///
    /// - Throws: `ArgumentsError` if it is no such number.
    public func int(_ name: String, in range: ClosedRange<Int> = Int.min...Int.max) throws(ArgumentsError) -> Int? {
        guard let text = string(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let bounds = range == Int.min...Int.max ? "" : " in \(range.lowerBound)...\(range.upperBound)"
            throw failure("option --\(name): expected a whole number\(bounds), found '\(text)'")
        }
        return number
    }

    /// The option's value as a finite number in `range`.
    ///
    /// - Throws: `ArgumentsError` if it is no such number.
    public func double(
        _ name: String,
        in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    ) throws(ArgumentsError) -> Double? {
        guard let text = string(name) else { return nil }
        guard let number = Double(text), range.contains(number) else {
            let isBounded = range.upperBound < .greatestFiniteMagnitude
            let bounds = isBounded ? " in \(range.lowerBound)...\(range.upperBound)" : ""
            throw failure("option --\(name): expected a number\(bounds), found '\(text)'")
        }
        return number
    }

    /// The option's value as a case of an enumeration.
    ///
    /// - Throws: `ArgumentsError` if it is no such case.
    public func choice<Choice>(
        _ name: String,
        of type: Choice.Type = Choice.self
    ) throws(ArgumentsError) -> Choice? where Choice: RawRepresentable<String> & CaseIterable {
        guard let text = string(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw failure("option --\(name): expected one of \(choices), found '\(text)'")
        }
        return choice
    }

    /// The positional argument called `name`; nil if it is optional and not there.
    public func positional(_ name: String) -> String? {
        let index = index(of: name)
        return index < positionals.count ? positionals[index] : nil
    }

    /// The positional argument called `name`, which the specification requires.
    ///
    /// - Throws: `ArgumentsError` if it is not there.
    public func requiredPositional(_ name: String) throws(ArgumentsError) -> String {
        guard let value = positional(name) else { throw failure("missing argument \(name)") }
        return value
    }

    /// All values of the repeated positional argument called `name`.
    public func repeatedPositional(_ name: String) -> [String] {
        Array(positionals.dropFirst(index(of: name)))
    }

    /// An error about this command, for rules that only the caller knows.
    public func failure(_ reason: String) -> ArgumentsError {
        ArgumentsError(reason, command: path.joined(separator: " "))
    }

    private func option(_ name: String) -> OptionSpecification {
        guard let option = options.first(where: { $0.name == name }) else {
            preconditionFailure("\(path.joined(separator: " ")) has no option --\(name)")
        }
        return option
    }

    private func index(of name: String) -> Int {
        guard let index = command.positionals.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("\(path.joined(separator: " ")) has no argument \(name)")
        }
        return index
    }
}
