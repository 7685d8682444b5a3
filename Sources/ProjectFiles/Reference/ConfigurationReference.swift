internal import Flywheel
internal import Forms

/// Reference documents that are generated from the forms of a project's configuration.
public enum ConfigurationReference {
    /// The JSON Schema of a revision on the topic `projects`.
    public static var schema: String { SchemaText.document(of: ProjectConfiguration.self) }

    /// Markdown: every key of a project file, with its expected value, default and meaning.
    public static var page: String {
        var page = ReferencePage()
        page.section(ProjectConfiguration.self, path: "")
        return """
            # Configuration of a project

            This page lists every key of a project's file, as `flywheel config check` and `flywheel project apply` read it. `make reference` generates the page from the code that reads the file: change the texts there. [The example](../examples/project.yaml) contains most of the keys with their defaults.

            A file is written in YAML. Unknown keys, duplicate keys and values out of range are refused; all of them are reported at once, each with its line. A duration is a whole number followed by its unit: `ms`, `s`, `m`, `h` or `d`. In the column “Default”, “none” means that there is no value without the key, and “its defaults” that each key of the map has its own default. In records on the topic `projects` durations are milliseconds under keys that end in `_ms`, and classes are positions, counted from 0; `flywheel config reference --schema` prints the JSON Schema of these records.

            """ + page.text
    }
}

/// Sections of the page, each a table.
private struct ReferencePage {
    private(set) var text = ""
    private var pendingSections: [(inout ReferencePage) -> Void] = []
    private var known: Set<String> = []

    mutating func section<T: Formed>(_ type: T.Type, path: String) {
        heading(path.isEmpty ? "The file" : "`\(path)`")
        table(formParts(of: type).filter(\.isInFiles), path: path, column: "Default")
    }

    private mutating func heading(_ title: String) { text += "\n## \(title)\n\n" }

    private mutating func table(_ parts: [FormPart], path: String, column: String?) {
        let columns = ["Key", "Value", column, "Meaning"].compactMap { $0 }
        text += "| \(columns.joined(separator: " | ")) |\n|\(columns.map { _ in "---" }.joined(separator: "|"))|\n"
        for part in parts {
            let inner = path.isEmpty ? part.key : "\(path).\(part.key)"
            let standard = part.standard.map { $0 == FileText.nothing ? $0 : "`\($0)`" } ?? "required"
            let isMap = if case .form = part.shape { true } else { false }
            let cells = [
                "`\(part.key)`", value(part.shape, path: inner),
                column.map { _ in isMap && standard != FileText.nothing ? "its defaults" : standard },
                part.doc,
            ]
            text += "| \(cells.compactMap { $0 }.joined(separator: " | ")) |\n"
        }
        let sections = pendingSections
        pendingSections = []
        for section in sections { section(&self) }
    }

    /// Returns the allowed values; sections that these refer to follow later.
    private mutating func value(_ shape: Shape, path: String) -> String {
        switch shape {
        case .number(let range): return "number, \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
        case .integer(let range): return "integer, \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
        case .span(let range): return "duration, \(Span.text(range.lowerBound)) to \(Span.text(range.upperBound))"
        case .flag: return "`true` or `false`"
        case .alwaysTrue: return "`true`"
        case .position: return "name of a class"
        case .text(_, let note?): return "text: \(note)"
        case .text(let bytes, _): return "text, \(Text(bytes).expectation)"
        case .choice(let names): return names.map { "`\($0)`" }.joined(separator: ", ")
        case .list(let element, let counts, _):
            let number = counts.lowerBound == 0 ? "at most " : "\(counts.lowerBound) to "
            let most = "\(number)\(Self.text(Int64(counts.upperBound)))"
            if case .text = element { return "list of \(most) texts; each \(value(element, path: path))" }
            return "list of \(most) elements: \(value(element, path: path + "[]"))"
        case .byClass(let element): return "map from classes to \(value(element, path: path))"
        case .entries(let name, let key, let element, let counts, let bytes):
            let names = "`\(name)` (text, \(Text(bytes).expectation))"
            return "list of at most \(counts.upperBound) maps of \(names) and `\(key)` (\(value(element, path: path)))"
        case .form(let type):
            pendingSections.append { Self.appendSection(type, path, &$0) }
            return "[map](#\(Self.anchor(path)))"
        case .union(let type):
            if known.insert(type.noun).inserted { pendingSections.append { Self.appendSection(type, &$0) } }
            return "[\(type.noun)](#\(type.noun)s)"
        }
    }

    private static func appendSection<T: Formed>(_ type: T.Type, _ path: String, _ page: inout ReferencePage) {
        page.section(type, path: path)
    }

    private static func appendSection<T: FormedUnion>(_ type: T.Type, _ page: inout ReferencePage) {
        let noun = T.noun.prefix(1).uppercased() + T.noun.dropFirst()
        page.heading("\(noun)s")
        page.text += "A \(T.noun) is a map with one key. \(noun)s can be nested in at most \(T.depthLimit) levels.\n\n"
        page.table(unionCases(of: type), path: "", column: nil)
    }

    /// The anchor that Markdown derives from a heading.
    private static func anchor(_ path: String) -> String {
        path.lowercased().filter { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
    }

    /// A number with its groups of thousands separated by commas.
    private static func text(_ number: Int64) -> String {
        var digits = "\(number.magnitude)"
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    private static func text(_ number: Double) -> String {
        number == number.rounded() ? text(Int64(number)) : "\(number)"
    }
}
