/// Reader of the rows of a CSV file, by RFC 4180: quoted fields may contain commas, line ends and doubled quotes. The
/// line ends of every system are accepted, and a byte order mark is skipped.
struct CSVReader {
    /// A row, and the line on which it begins, counted from 1.
    struct Row: Equatable {
        let line: Int
        let fields: [String]
    }

    /// Error in a file after which its rows cannot be distinguished, with its line.
    struct Fault: Error, Equatable {
        let line: Int
        let text: String
    }

    private let bytes: [UInt8]
    private let separator: UInt8
    private var position = 0
    private var line = 1

    init(_ bytes: [UInt8], separator: UInt8 = UInt8(ascii: ",")) {
        self.bytes = bytes
        self.separator = separator
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The next row that is not empty; nil at the end.
    ///
    /// - Throws: If a quoted field does not end, text follows a quoted field, or the bytes are not UTF-8.
    mutating func next() throws(Fault) -> Row? {
        while position < bytes.count {
            let start = line
            var fields: [String] = []
            var isEnd = false
            while !isEnd {
                let (field, ends) = try field()
                fields.append(field)
                isEnd = ends
            }
            if fields != [""] { return Row(line: start, fields: fields) }
        }
        return nil
    }

    /// Reads one field, and returns whether its row ends with it.
    private mutating func field() throws(Fault) -> (String, Bool) {
        let begin = line
        var text: [UInt8] = []
        let isQuoted = position < bytes.count && bytes[position] == UInt8(ascii: "\"")
        if isQuoted {
            position += 1
            while true {
                guard position < bytes.count else { throw Fault(line: begin, text: "a quoted field does not end") }
                let byte = bytes[position]
                position += 1
                if byte == UInt8(ascii: "\"") {
                    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { break }
                    position += 1
                }
                if byte == UInt8(ascii: "\n") { line += 1 }
                text.append(byte)
            }
        }
        while position < bytes.count {
            let byte = bytes[position]
            if byte == separator || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
            guard !isQuoted else { throw Fault(line: line, text: "a quoted field is followed by other text") }
            text.append(byte)
            position += 1
        }
        guard let value = String(validating: text, as: UTF8.self) else {
            throw Fault(line: begin, text: "the bytes are not UTF-8")
        }
        guard position < bytes.count else { return (value, true) }
        if bytes[position] == separator {
            position += 1
            return (value, false)
        }
        if bytes[position] == UInt8(ascii: "\r") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "\n") { position += 1 }
        } else {
            position += 1
        }
        line += 1
        return (value, true)
    }
}
