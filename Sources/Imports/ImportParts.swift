public import Vocabulary

/// Names of the columns, or of the members, that hold each part of a row.
public struct ImportFields: Hashable, Sendable {
    /// An option that gives such a name, called as it is on the command line.
    public enum Option: String, CaseIterable, Sendable {
        case id, label, annotator, uri, text, group, embedding, metadata
        case attribute = "label-attribute"
    }

    /// The sample's id.
    public var id = "id"
    public var label = "label"
    /// Name of the annotator's column or member; labels of a file that has it are votes.
    public var annotator = "annotator"
    public var uri = "uri"
    public var text = "text"
    /// The group that the sample belongs to.
    public var group = "group"
    /// Numbers: a list in JSON, separated by spaces, commas or semicolons in CSV.
    public var embedding = "embedding"
    /// Columns that go to the sample's metadata.
    public var metadata: [String] = []
    /// Name of the label's attribute in a manifest; nil: it is detected.
    public var attribute: String?
    /// Options that were specified: a file that contains none of their names is at fault. `metadata` and `attribute`
    /// have no defaults, and count as specified whenever they name something.
    public var given: Set<Option> = []

    public init() {}

    /// Options that were given, with the names they specify, in the order of `Option`.
    var named: [(option: Option, name: String)] {
        Option.allCases.flatMap { option -> [(option: Option, name: String)] in
            switch option {
            case .metadata: return metadata.map { (option, $0) }
            case .attribute: return attribute.map { [(option, $0)] } ?? []
            default: return given.contains(option) ? [(option, name(of: option))] : []
            }
        }
    }

    private func name(of option: Option) -> String {
        switch option {
        case .id: id
        case .label: label
        case .annotator: annotator
        case .uri: uri
        case .text: text
        case .group: group
        case .embedding: embedding
        case .metadata, .attribute: ""
        }
    }
}

/// A row of a file: a sample, and its answers.
public struct ImportRow: Sendable {
    /// The line on which it begins, counted from 1; for an export, the task's position in the list.
    public let line: Int
    public let sample: Sample
    /// Classes by name, each with its annotator if the file specifies it; none in a pool of samples.
    public let answers: [(annotator: String?, label: String)]
}

/// A row that cannot be used, or a contradiction.
public struct ImportFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Unit that the number of a row counts.
    public enum Unit: String, Hashable, Sendable {
        case line
        /// An export is one list, whose line ends have no meaning.
        case task
    }

    /// Number of the row, counted from 1; 0 for the file as a whole.
    public let line: Int
    public let text: String
    public let unit: Unit
    /// Whether the rows after it cannot be distinguished: then no part of the file is usable.
    public let endsFile: Bool

    public init(line: Int, _ text: String, unit: Unit = .line, endsFile: Bool = false) {
        self.line = line
        self.text = text
        self.unit = unit
        self.endsFile = endsFile
    }

    /// A fault of the file as a whole.
    init(file text: String) { self.init(line: 0, text, endsFile: true) }

    public var description: String { line == 0 ? text : "\(unit.rawValue) \(line): \(text)" }

    func with(unit: Unit) -> ImportFault {
        ImportFault(line: line, text, unit: unit, endsFile: endsFile)
    }
}
