/// Reads base64 coordinates in place.
final class Base64Digits {
    /// Six-bit value of each byte; 255 for bytes outside of the alphabet.
    private let values: UnsafeMutablePointer<UInt8>

    init() {
        values = .allocate(capacity: 256)
        values.initialize(repeating: 255, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, byte) in alphabet.utf8.enumerated() { values[Int(byte)] = UInt8(value) }
    }

    deinit { values.deallocate() }

    /// View of the digits; valid while this object exists.
    var view: View { View(values: values) }

    struct View {
        fileprivate let values: UnsafePointer<UInt8>

        /// Counts the little-endian floats in a text and sums their squares.
        ///
        /// - Returns: Nil unless the text is base64 (RFC 4648, section 4) with its padding and with unused bits of 0,
        ///   and consists of complete floats that are finite.
        /// - Complexity: O(*n*); no allocation.
        func floats(_ text: UnsafeRawBufferPointer) -> (count: Int, squares: Double)? {
            guard text.count >= 4, text.count % 4 == 0 else { return nil }
            var padding = 0
            while padding < 2, text[text.count - 1 - padding] == UInt8(ascii: "=") { padding += 1 }
            guard (text.count / 4 * 3 - padding) % 4 == 0 else { return nil }
            var (count, squares) = (0, 0.0)
            // Each digit has six bits, the most significant bits of a byte first; four bytes make a float.
            var (bits, held): (UInt32, UInt32) = (0, 0)
            var (float, bytes): (UInt32, UInt32) = (0, 0)
            for index in 0..<(text.count - padding) {
                let value = values[Int(text[index])]
                guard value < 64 else { return nil }
                bits = bits &<< 6 | UInt32(value)
                held &+= 6
                guard held >= 8 else { continue }
                held &-= 8
                float |= (bits &>> held & 0xFF) &<< (bytes &* 8)
                bytes &+= 1
                guard bytes == 4 else { continue }
                let number = Float(bitPattern: float)
                guard number.isFinite else { return nil }
                squares += Double(number) * Double(number)
                count &+= 1
                (float, bytes) = (0, 0)
            }
            guard bits & (1 &<< held &- 1) == 0 else { return nil }
            return (count, squares)
        }
    }
}
