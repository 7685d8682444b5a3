internal import Foundation

/// Text in the composed form of Unicode (NFC), in which texts that are canonically equivalent have the same bytes.
///
/// - SeeAlso: Unicode Standard Annex 15, *Unicode Normalization Forms*.
public enum ComposedText {
    /// Whether a text is in that form.
    public static func isComposed(_ text: String) -> Bool {
        isCertainlyComposed(text.utf8) || text.utf8.elementsEqual(text.precomposedStringWithCanonicalMapping.utf8)
    }

    /// Whether UTF-8 is certainly in that form: true for composed letters of Latin, Greek, Cyrillic, Hebrew, Arabic,
    /// Kana and Hangul, and for ideographs; never for text in another form, and not for all text in that form.
    ///
    /// - Complexity: O(*n*) in its bytes; no allocation.
    public static func isCertainlyComposed(_ bytes: some Sequence<UInt8>) -> Bool {
        var (scalar, left): (UInt32, Int) = (0, 0)
        for byte in bytes {
            switch byte {
            case 0..<0x80: continue
            case 0x80..<0xC0:
                scalar = scalar << 6 | UInt32(byte & 0x3F)
                left -= 1
                if left == 0, !isCertainlyComposed(scalar: scalar) { return false }
            case 0xC0..<0xE0: (scalar, left) = (UInt32(byte & 0x1F), 1)
            case 0xE0..<0xF0: (scalar, left) = (UInt32(byte & 0x0F), 2)
            default: (scalar, left) = (UInt32(byte & 0x07), 3)
            }
        }
        return true
    }

    /// Whether a scalar is known to have no combining class, to equal its own composition, and never to be the
    /// second part of another's.
    public static func isCertainlyComposed(scalar: UInt32) -> Bool {
        switch scalar {
        case 0..<0x300, 0x388...0x482, 0x48A...0x590, 0x5D0...0x5EA, 0x620...0x64A: true
        case 0x200C...0x200D, 0x2010...0x2027, 0x3041...0x3096, 0x30A0...0x30FF: true
        case 0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xFE0F, 0x1F300...0x1FAFF: true
        default: false
        }
    }
}
