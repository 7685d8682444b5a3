import CYAML

/// Reads the one document of a YAML file into nodes, by libyaml's events.
///
/// Refused: an encoding other than UTF-8, more than 1 MB or 32 levels, anchors and aliases (whose expansion has no
/// bound), tags, keys that are not text, and more than one document. A key that occurs twice in a map is an issue that
/// does not end the reading: its first value is kept.
struct YAMLReader: ~Copyable {
    static let maximumSize = 1 << 20
    static let maximumDepth = 32

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let file: String
    private var issues: [ConfigurationIssue] = []

    /// Reads the document in `bytes`; the node is nil if there is none.
    ///
    /// - Returns: The document, and an issue for every key that occurs twice, in the order of lines.
    /// - Throws: `ConfigurationError` with the first other fault and its line.
    static func read(
        _ bytes: [UInt8],
        file: String
    ) throws(ConfigurationError) -> (node: YAMLNode?, issues: [ConfigurationIssue]) {
        guard bytes.count <= maximumSize else {
            throw Self.error("expected at most \(maximumSize) bytes, found \(bytes.count)", file, 0)
        }
        // libyaml would read UTF-16, too, and find nothing in a file that contains only the mark.
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw Self.error("expected UTF-8, found the byte order mark of UTF-16: save the file as UTF-8", file, 0)
        }
        // Some editors put a byte order mark before the text; it is not part of the text.
        let markLength = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let result = bytes.withUnsafeBufferPointer {
            buffer -> Result<(node: YAMLNode?, issues: [ConfigurationIssue]), ConfigurationError> in
            let buffer = UnsafeBufferPointer(rebasing: buffer[markLength...])
            var reader = YAMLReader(buffer, file: file)
            do throws(ConfigurationError) {
                let node = try reader.document()
                return .success((node, reader.issues))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Creates a reader of `bytes`, which must outlive it.
    private init(_ bytes: UnsafeBufferPointer<UInt8>, file: String) {
        self.file = file
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        precondition(yaml_parser_initialize(parser) == 1, "out of memory for a YAML parser")
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    private static func error(_ reason: String, _ file: String, _ line: Int) -> ConfigurationError {
        ConfigurationError(issues: [ConfigurationIssue(file: file, line: line, key: "", reason: reason)])
    }

    private func error(_ reason: String, line: Int) -> ConfigurationError { Self.error(reason, file, line) }

    /// Location of a value in the document, rendered for an issue alone: keys may be long, and lists too.
    private indirect enum Path {
        case document
        case key(Path, String)
        case element(Path, Int)

        /// As in `acquisition.triggers[2].when`.
        var text: String {
            switch self {
            case .document: ""
            case .key(.document, let name): name
            case .key(let map, let name): "\(map.text).\(name)"
            case .element(let list, let index): "\(list.text)[\(index)]"
            }
        }
    }

    /// Event reported by libyaml, copied out of its memory.
    private enum Event {
        case streamStart, streamEnd, documentStart, documentEnd, listEnd, mapEnd
        case scalar(YAMLNode.Scalar)
        case list, map
    }

    private func next() throws(ConfigurationError) -> (event: Event, line: Int, column: Int) {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not YAML"
            let line = max(parser.pointee.problem_mark.line, parser.pointee.mark.line)
            throw error(problem, line: line + 1)
        }
        defer { yaml_event_delete(&event) }
        let line = event.start_mark.line + 1
        let column = event.start_mark.column + 1
        func refuse(_ anchor: UnsafeMutablePointer<UInt8>?, _ tag: UnsafeMutablePointer<UInt8>?)
            throws(ConfigurationError)
        {
            if anchor != nil { throw error("anchors and aliases are not accepted", line: line) }
            if tag != nil { throw error("tags are not accepted", line: line) }
        }
        switch event.type {
        case YAML_STREAM_START_EVENT: return (.streamStart, line, column)
        case YAML_STREAM_END_EVENT: return (.streamEnd, line, column)
        case YAML_DOCUMENT_START_EVENT: return (.documentStart, line, column)
        case YAML_DOCUMENT_END_EVENT: return (.documentEnd, line, column)
        case YAML_SEQUENCE_END_EVENT: return (.listEnd, line, column)
        case YAML_MAPPING_END_EVENT: return (.mapEnd, line, column)
        case YAML_SEQUENCE_START_EVENT:
            try refuse(event.data.sequence_start.anchor, event.data.sequence_start.tag)
            return (.list, line, column)
        case YAML_MAPPING_START_EVENT:
            try refuse(event.data.mapping_start.anchor, event.data.mapping_start.tag)
            return (.map, line, column)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            try refuse(scalar.anchor, scalar.tag)
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
            return (.scalar(YAMLNode.Scalar(text: text, isPlain: isPlain)), line, column)
        default: throw error("anchors and aliases are not accepted", line: line)
        }
    }

    private mutating func document() throws(ConfigurationError) -> YAMLNode? {
        var result: YAMLNode?
        while true {
            let (event, line, _) = try next()
            switch event {
            case .streamEnd: return result
            case .documentStart:
                if result != nil { throw error("expected one document, found another", line: line) }
                let (event, line, column) = try next()
                result = try node(event, line, column, path: .document, depth: 1)
            default: continue
            }
        }
    }

    private mutating func node(
        _ event: Event,
        _ line: Int,
        _ column: Int,
        path: Path,
        depth: Int
    ) throws(ConfigurationError) -> YAMLNode {
        guard depth <= Self.maximumDepth else {
            throw error("nested deeper than \(Self.maximumDepth) levels", line: line)
        }
        switch event {
        case .scalar(let scalar): return YAMLNode(content: .scalar(scalar), line: line, column: column)
        case .list: return YAMLNode(content: .list(try list(path: path, depth: depth)), line: line, column: column)
        case .map: return YAMLNode(content: .map(try map(path: path, depth: depth)), line: line, column: column)
        default: throw error("expected a value", line: line)
        }
    }

    private mutating func list(path: Path, depth: Int) throws(ConfigurationError) -> [YAMLNode] {
        var nodes: [YAMLNode] = []
        while true {
            let (event, line, column) = try next()
            if case .listEnd = event { return nodes }
            nodes.append(try node(event, line, column, path: .element(path, nodes.count), depth: depth + 1))
        }
    }

    private mutating func map(path: Path, depth: Int) throws(ConfigurationError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var firstLines: [String: Int] = [:]
        while true {
            let (event, line, column) = try next()
            if case .mapEnd = event { return entries }
            guard case .scalar(let key) = event else { throw error("expected a key that is text", line: line) }
            let path = Path.key(path, key.text)
            let first = firstLines[key.text]
            if let first {
                let reason = "the key stands twice, first on line \(first)"
                issues.append(ConfigurationIssue(file: file, line: line, key: path.text, reason: reason))
            }
            firstLines[key.text] = first ?? line
            let (valueEvent, valueLine, valueColumn) = try next()
            let value = try node(valueEvent, valueLine, valueColumn, path: path, depth: depth + 1)
            guard first == nil else { continue }
            entries.append(YAMLNode.Entry(key: key.text, line: line, column: column, value: value))
        }
    }
}
