/// Specification of a command: its options, its positional arguments and its subcommands.
public struct CommandSpecification: Sendable {
    /// Its name, as typed.
    public let name: String
    /// Purpose of the command, in one line without full stop.
    public let summary: String
    /// Further description, shown below the summary; may be empty.
    public let discussion: String
    /// Its options and flags.
    public let options: [OptionSpecification]
    /// Positional arguments after the options, in order; only the last may repeat.
    public let positionals: [PositionalSpecification]
    /// Subcommands. A command that has some accepts no positional arguments.
    public let subcommands: [CommandSpecification]

    /// Creates a command.
    public init(
        _ name: String,
        summary: String,
        discussion: String = "",
        options: [OptionSpecification] = [],
        positionals: [PositionalSpecification] = [],
        subcommands: [CommandSpecification] = []
    ) {
        precondition(subcommands.isEmpty || positionals.isEmpty, "\(name) has subcommands and positional arguments")
        precondition(positionals.dropLast().allSatisfy { !$0.isRepeated }, "only the last positional may repeat")
        precondition(Set(options.map(\.name)).count == options.count, "\(name) has two options of one name")
        self.name = name
        self.summary = summary
        self.discussion = discussion
        self.options = options
        self.positionals = positionals
        self.subcommands = subcommands
    }
}

/// An option: `--name VALUE`, `--name=VALUE`, or a flag, `--name`.
public struct OptionSpecification: Sendable {
    /// Permitted number of occurrences.
    public enum Arity: Hashable, Sendable {
        /// It has no value and means true.
        case flag
        /// It has a value and occurs at most once.
        case single
        /// It has a value and may occur several times.
        case repeated
    }

    /// Its name, without dashes.
    public let name: String
    /// Permitted number of occurrences.
    public let arity: Arity
    /// Name of the value in the help, as in `FILE`; empty for a flag.
    public let placeholder: String
    /// Purpose of the option, in one line.
    public let help: String
    /// Whether the command cannot do without.
    public let isRequired: Bool
    /// Value of an option that is absent from the command line, for the help and for readers; nil for none.
    public let defaultValue: String?
    /// The only values it may have, if not empty.
    public let choices: [String]

    /// A flag, false unless it is present.
    public static func flag(_ name: String, help: String) -> OptionSpecification {
        OptionSpecification(
            name,
            arity: .flag,
            placeholder: "",
            help: help,
            isRequired: false,
            defaultValue: nil,
            choices: []
        )
    }

    /// An option with a value.
    public static func option(
        _ name: String,
        _ placeholder: String = "VALUE",
        help: String,
        isRequired: Bool = false,
        defaultValue: String? = nil,
        choices: [String] = []
    ) -> OptionSpecification {
        OptionSpecification(
            name,
            arity: .single,
            placeholder: placeholder,
            help: help,
            isRequired: isRequired,
            defaultValue: defaultValue,
            choices: choices
        )
    }

    /// An option with a value that may occur several times.
    public static func repeated(
        _ name: String,
        _ placeholder: String = "VALUE",
        help: String,
        isRequired: Bool = false,
        choices: [String] = []
    ) -> OptionSpecification {
        OptionSpecification(
            name,
            arity: .repeated,
            placeholder: placeholder,
            help: help,
            isRequired: isRequired,
            defaultValue: nil,
            choices: choices
        )
    }

    private init(
        _ name: String,
        arity: Arity,
        placeholder: String,
        help: String,
        isRequired: Bool,
        defaultValue: String?,
        choices: [String]
    ) {
        precondition(!name.isEmpty && !name.hasPrefix("-") && name != "help", "\(name) is not an option name")
        self.name = name
        self.arity = arity
        self.placeholder = placeholder
        self.help = help
        self.isRequired = isRequired
        self.defaultValue = defaultValue
        self.choices = choices
    }
}

/// An argument identified by its position.
public struct PositionalSpecification: Sendable {
    /// Name of the argument, as in `FILE`.
    public let name: String
    /// Purpose of the argument, in one line.
    public let help: String
    /// Whether the command cannot do without.
    public let isRequired: Bool
    /// Whether it receives all remaining arguments.
    public let isRepeated: Bool

    /// A positional argument.
    public init(_ name: String, help: String, isRequired: Bool = true, isRepeated: Bool = false) {
        self.name = name
        self.help = help
        self.isRequired = isRequired
        self.isRepeated = isRepeated
    }
}
