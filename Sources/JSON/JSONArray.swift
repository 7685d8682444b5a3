/// The elements of an array.
public struct JSONArray {
    /// The array as a value.
    public let value: JSONValue

    /// The number of elements.
    ///
    /// - Complexity: O(1) up to 16,777,214 elements, O(*n*) beyond.
    public var count: Int {
        let stored = Int(value.tape[value.index] >> 32 & 0xff_ffff)
        if stored < 0xff_ffff { return stored }
        var count = 0
        for _ in self { count += 1 }
        return count
    }

    /// The element at `position`, counted from 0, or nil.
    ///
    /// - Complexity: O(*position*).
    public subscript(position: Int) -> JSONValue? {
        var left = position
        for element in self {
            if left == 0 { return element }
            left -= 1
        }
        return nil
    }

    /// Appends all elements, which must be numbers, to `numbers`.
    ///
    /// - Complexity: O(*n*), about a nanosecond per element.
    public func doubles(into numbers: inout [Double]) throws(JSONError) {
        numbers.reserveCapacity(numbers.count + count)
        for element in self { numbers.append(try element.double()) }
    }

    /// Appends all elements, which must be numbers, to `numbers`, rounded to the nearest `Float`.
    ///
    /// - Throws: `invalidValue` for a number beyond the range of `Float`.
    public func floats(into numbers: inout [Float]) throws(JSONError) {
        numbers.reserveCapacity(numbers.count + count)
        for element in self {
            let number = Float(try element.double())
            guard number.isFinite else { throw element.failure("expected a number that 32 bits can hold") }
            numbers.append(number)
        }
    }

    /// All elements as numbers.
    public func doubles() throws(JSONError) -> [Double] {
        var numbers: [Double] = []
        try doubles(into: &numbers)
        return numbers
    }

    /// All elements as integers.
    public func int64s() throws(JSONError) -> [Int64] {
        try decode { (element) throws(JSONError) in try element.int64() }
    }

    /// All elements as text.
    public func strings() throws(JSONError) -> [String] {
        try decode { (element) throws(JSONError) in try element.string() }
    }

    /// Decodes each element with `body` and returns the results, in order.
    public func decode<R, E: Error>(_ body: (JSONValue) throws(E) -> R) throws(E) -> [R] {
        var results: [R] = []
        results.reserveCapacity(count)
        for element in self { results.append(try body(element)) }
        return results
    }
}

extension JSONArray: Sequence {
    /// Walks over the elements.
    public struct Iterator: IteratorProtocol {
        var cursor: JSONValue
        let end: Int

        /// The next element, or nil after the last.
        public mutating func next() -> JSONValue? {
            guard cursor.index < end else { return nil }
            defer { cursor = cursor.at(cursor.nextIndex) }
            return cursor
        }
    }

    /// Starts at the first element.
    public func makeIterator() -> Iterator {
        Iterator(cursor: value.at(value.index + 1), end: value.nextIndex - 1)
    }
}
