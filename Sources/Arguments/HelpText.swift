/// The text of `--help`.
struct HelpText {
    private let command: CommandSpecification
    private let path: [String]
    private let options: [OptionSpecification]

    init(_ command: CommandSpecification, _ path: [String], _ options: [OptionSpecification]) {
        self.command = command
        self.path = path
        self.options = options
    }

    var text: String {
        var sections = ["\(command.summary)\n"]
        if !command.discussion.isEmpty { sections.append("\(command.discussion)\n") }
        sections.append("usage: \(usage)\n")
        sections.append(table("commands", command.subcommands.map { ($0.name, $0.summary) }))
        sections.append(table("arguments", command.positionals.map { ($0.name, $0.help) }))
        let rows = options.map { (row($0), explanation($0)) } + [("-h, --help", "show this help")]
        sections.append(table("options", rows))
        return sections.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var usage: String {
        var words = path
        for option in options where option.isRequired { words.append(row(option)) }
        words.append("[options]")
        if !command.subcommands.isEmpty { words.append("COMMAND") }
        for positional in command.positionals {
            let name = positional.isRepeated ? "\(positional.name)..." : positional.name
            words.append(positional.isRequired ? name : "[\(name)]")
        }
        return words.joined(separator: " ")
    }

    private func row(_ option: OptionSpecification) -> String {
        option.arity == .flag ? "--\(option.name)" : "--\(option.name) \(option.placeholder)"
    }

    private func explanation(_ option: OptionSpecification) -> String {
        var notes: [String] = []
        if option.isRequired { notes.append("required") }
        if option.arity == .repeated { notes.append("may repeat") }
        if !option.choices.isEmpty { notes.append("one of \(option.choices.joined(separator: ", "))") }
        if let value = option.defaultValue { notes.append("default: \(value)") }
        return notes.isEmpty ? option.help : "\(option.help) (\(notes.joined(separator: "; ")))"
    }

    private func table(_ title: String, _ rows: [(String, String)]) -> String {
        if rows.isEmpty { return "" }
        let width = rows.map(\.0.count).max() ?? 0
        var text = "\(title):\n"
        for (name, help) in rows {
            text += "  \(name)\(String(repeating: " ", count: width - name.count))  \(help)\n"
        }
        return text
    }
}
