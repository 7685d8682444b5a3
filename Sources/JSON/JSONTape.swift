// The words of simdjson's tape (page "tape" of its documentation): a tag in the upper 8 bits, a payload in the other 56.
//
//   r  root: the tape's length at the start, 0 at the end
//   {  [  lower 32 bits: index after the closing word; 24 bits above: number of members, at most 0xFFFFFF
//   "  offset of a 32-bit length and the bytes
//   l  u  d  the number is the next word        t  f  n  nothing

enum TapeTag {
    static let object = UInt8(ascii: "{")
    static let objectEnd = UInt8(ascii: "}")
    static let array = UInt8(ascii: "[")
    static let arrayEnd = UInt8(ascii: "]")
    static let string = UInt8(ascii: "\"")
    static let int64 = UInt8(ascii: "l")
    static let uint64 = UInt8(ascii: "u")
    static let double = UInt8(ascii: "d")
    static let yes = UInt8(ascii: "t")
    static let no = UInt8(ascii: "f")
}

extension JSONValue {
    var tag: UInt8 { UInt8(truncatingIfNeeded: tape[index] >> 56) }

    /// Index of the word that follows this value.
    var nextIndex: Int {
        switch tag {
        case TapeTag.object, TapeTag.array: Int(tape[index] & 0xffff_ffff)
        case TapeTag.int64, TapeTag.uint64, TapeTag.double: index + 2
        default: index + 1
        }
    }

    /// The text of a string value.
    var text: UnsafeBufferPointer<UInt8> {
        let start = strings + Int(tape[index] & 0xff_ffff_ffff_ffff)
        let length = UnsafeRawPointer(start).loadUnaligned(as: UInt32.self)
        return UnsafeBufferPointer(start: start + 4, count: Int(length))
    }

    func at(_ index: Int) -> JSONValue { JSONValue(tape: tape, strings: strings, index: index) }

    /// Path of this value in its document: found by descending from the root, so that only errors incur the cost.
    var path: String {
        var path = ""
        var container = at(1)
        while container.index != index {
            var cursor = container.index + 1
            let end = container.nextIndex - 1
            let isObject = container.tag == TapeTag.object
            guard isObject || container.tag == TapeTag.array else { return path }
            var position = 0
            var found = false
            while cursor < end, !found {
                let value = at(isObject ? cursor + 1 : cursor)
                if value.index <= index, index < value.nextIndex {
                    if isObject {
                        let key = String(decoding: at(cursor).text, as: UTF8.self)
                        path += path.isEmpty ? key : ".\(key)"
                    } else {
                        path += "[\(position)]"
                    }
                    container = value
                    found = true
                }
                cursor = value.nextIndex
                position += 1
            }
            guard found else { return path }
        }
        return path
    }
}
