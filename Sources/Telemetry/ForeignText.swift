/// Text from outside that is written to a terminal, a log, a page or a metric.
///
/// A character that could move a cursor, change colour, ring the bell, begin a line or change the direction of writing
/// is written as an escape, `\u001b`; all others are unchanged. In the text of JSON, where such characters occur within
/// strings only, the escapes mean the same characters.
public enum ForeignText {
    /// Whether a character is invisible to a reader, but interpreted by a terminal, a log or a page: controls (C0, DEL,
    /// C1), separators of lines and paragraphs, marks that change or isolate the direction of writing, and others
    /// without an appearance.
    public static func isDisruptive(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: true
        case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x206F, 0xFEFF, 0xFFF9...0xFFFB: true
        default: false
        }
    }

    /// Whether UTF-8 contains no disruptive character.
    ///
    /// - Complexity: O(*n*) in its bytes; no allocation.
    @inlinable
    public static func isPlain(_ bytes: some Sequence<UInt8>) -> Bool {
        // The two previous bytes; at the beginning of a character they match nothing.
        var (first, second): (UInt8, UInt8) = (0, 0)
        for byte in bytes {
            if byte < 0x80 {
                guard byte >= 0x20, byte != 0x7F else { return false }
            } else {
                switch (first, second, byte) {
                case (_, 0xC2, 0x80..<0xA0), (_, 0xD8, 0x9C), (0xE2, 0x80, 0x8E...0x8F), (0xE2, 0x80, 0xA8...0xAE),
                    (0xE2, 0x81, 0xA6...0xAF), (0xEF, 0xBB, 0xBF), (0xEF, 0xBF, 0xB9...0xBB):
                    return false
                default: break
                }
            }
            (first, second) = (second, byte)
        }
        return true
    }

    /// Whether a text contains no disruptive character; a line feed is one.
    public static func isPlain(_ text: String) -> Bool { isPlain(text.utf8) }

    /// Returns the text on one line, with disruptive characters escaped; a text longer than `limit` bytes is cut there,
    /// and its length is added.
    ///
    /// - Complexity: O(*n*) in its bytes; O(*limit*) if it is cut.
    public static func line(_ text: String, limit: Int = .max) -> String {
        let size = text.utf8.count
        guard size > limit else { return escaped(text, keeping: []) }
        // A character that is split by the cut is omitted completely.
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: max(0, limit))
        while end > text.utf8.startIndex, UTF8.isContinuation(text.utf8[end]) { end = text.utf8.index(before: end) }
        return escaped(String(text[..<end]), keeping: []) + "… (\(size) bytes)"
    }

    /// Returns the text with its line feeds and tabs; other disruptive characters are escaped.
    public static func page(_ text: String) -> String { escaped(text, keeping: ["\n", "\t"]) }

    private static func escaped(_ text: String, keeping kept: [UnicodeScalar]) -> String {
        if isPlain(text) { return text }
        var result = ""
        result.reserveCapacity(text.utf8.count + 64)
        for scalar in text.unicodeScalars {
            if !isDisruptive(scalar) || kept.contains(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += escape(scalar)
            }
        }
        return result
    }

    /// Returns the escape of a disruptive character, in the form of JSON.
    static func escape(_ scalar: UnicodeScalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
    }
}
