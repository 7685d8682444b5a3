/// Texts of a store's answer in XML, by the names of their elements. Nothing else is read: answers are flat, or lists
/// of elements of one kind.
struct S3Text {
    private let text: Substring

    init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self)[...] }

    private init(_ text: Substring) { self.text = text }

    /// The text of the first element of a name; nil if there is none.
    func first(_ name: String) -> String? { elements(name, atMost: 1).first.map { Self.decoded($0.text) } }

    /// Returns the elements of a name, each with its content, in order.
    ///
    /// - Complexity: O(*n*) in the bytes of the text.
    func elements(_ name: String, atMost most: Int = .max) -> [S3Text] {
        var found: [S3Text] = []
        var rest = text
        while found.count < most, let start = Self.end(of: "<\(name)", in: rest) {
            rest = rest[start...]
            guard let last = rest.first, last == ">" || last == " " || last == "/" else { continue }
            guard let close = rest.firstIndex(of: ">") else { break }
            let isEmpty = rest[..<close].hasSuffix("/")
            rest = rest[rest.index(after: close)...]
            guard !isEmpty else {
                found.append(S3Text(""))
                continue
            }
            guard let end = rest.firstRange(of: "</\(name)>") else { break }
            found.append(S3Text(rest[..<end.lowerBound]))
            rest = rest[end.upperBound...]
        }
        return found
    }

    private static func end(of part: String, in text: Substring) -> Substring.Index? {
        text.firstRange(of: part)?.upperBound
    }

    private static let entities = [
        ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'"),
        ("&amp;", "&"),
    ]

    private static func decoded(_ text: Substring) -> String {
        guard text.contains("&") else { return String(text) }
        // The ampersand is replaced last, so that its result is not interpreted as another entity.
        return entities.reduce(String(text)) { $0.replacing($1.0, with: $1.1) }
    }
}
