/// Typed members. The plain methods throw `missing` if there is no such member and `wrongType` if it is of another type,
/// `null` included; the `optional…` ones return nil if it is absent or `null`.
extension JSONObject {
    /// The members of the object called `key`.
    public func object(_ key: StaticString) throws(JSONError) -> JSONObject {
        guard let member = self[key] else { throw missing(key, "an object") }
        return try member.object()
    }

    /// The members of the object called `key`, or nil if absent or `null`.
    public func optionalObject(_ key: StaticString) throws(JSONError) -> JSONObject? {
        guard let member = optional(key) else { return nil }
        return try member.object()
    }

    /// The elements of the array called `key`.
    public func array(_ key: StaticString) throws(JSONError) -> JSONArray {
        guard let member = self[key] else { throw missing(key, "an array") }
        return try member.array()
    }

    /// The elements of the array called `key`, or nil if absent or `null`.
    public func optionalArray(_ key: StaticString) throws(JSONError) -> JSONArray? {
        guard let member = optional(key) else { return nil }
        return try member.array()
    }

    /// The text of the string called `key`.
    public func string(_ key: StaticString) throws(JSONError) -> String {
        guard let member = self[key] else { throw missing(key, "a string") }
        return try member.string()
    }

    /// The text of the string called `key`, or nil if absent or `null`.
    public func optionalString(_ key: StaticString) throws(JSONError) -> String? {
        guard let member = optional(key) else { return nil }
        return try member.string()
    }

    /// The text of the string called `key`, in the parser's memory.
    public func utf8(_ key: StaticString) throws(JSONError) -> UnsafeBufferPointer<UInt8> {
        guard let member = self[key] else { throw missing(key, "a string") }
        return try member.utf8()
    }

    /// The integer called `key`.
    public func int64(_ key: StaticString) throws(JSONError) -> Int64 {
        guard let member = self[key] else { throw missing(key, "an integer") }
        return try member.int64()
    }

    /// The integer called `key`, or nil if absent or `null`.
    public func optionalInt64(_ key: StaticString) throws(JSONError) -> Int64? {
        guard let member = optional(key) else { return nil }
        return try member.int64()
    }

    /// The integer, not negative, called `key`.
    public func uint64(_ key: StaticString) throws(JSONError) -> UInt64 {
        guard let member = self[key] else { throw missing(key, "an integer") }
        return try member.uint64()
    }

    /// The integer, not negative, called `key`, or nil if absent or `null`.
    public func optionalUInt64(_ key: StaticString) throws(JSONError) -> UInt64? {
        guard let member = optional(key) else { return nil }
        return try member.uint64()
    }

    /// The number called `key`.
    public func double(_ key: StaticString) throws(JSONError) -> Double {
        guard let member = self[key] else { throw missing(key, "a number") }
        return try member.double()
    }

    /// The number called `key`, or nil if absent or `null`.
    public func optionalDouble(_ key: StaticString) throws(JSONError) -> Double? {
        guard let member = optional(key) else { return nil }
        return try member.double()
    }

    /// The truth value called `key`.
    public func bool(_ key: StaticString) throws(JSONError) -> Bool {
        guard let member = self[key] else { throw missing(key, "true or false") }
        return try member.bool()
    }

    /// The truth value called `key`, or nil if absent or `null`.
    public func optionalBool(_ key: StaticString) throws(JSONError) -> Bool? {
        guard let member = optional(key) else { return nil }
        return try member.bool()
    }

    /// The integer called `key`, in `range`, both ends included.
    public func int(_ key: StaticString, in range: ClosedRange<Int> = Int.min...Int.max) throws(JSONError) -> Int {
        guard let member = self[key] else { throw missing(key, "an integer") }
        return try member.int(in: range)
    }

    /// The integer called `key`, in `range`, or nil if absent or `null`.
    public func optionalInt(
        _ key: StaticString,
        in range: ClosedRange<Int> = Int.min...Int.max
    ) throws(JSONError) -> Int? {
        guard let member = optional(key) else { return nil }
        return try member.int(in: range)
    }

    /// The elements of the array called `key` as numbers, appended to `numbers`.
    public func doubles(_ key: StaticString, into numbers: inout [Double]) throws(JSONError) {
        try array(key).doubles(into: &numbers)
    }

    /// The elements of the array called `key` as numbers.
    public func doubles(_ key: StaticString) throws(JSONError) -> [Double] {
        try array(key).doubles()
    }

    /// The elements of the array called `key` as text.
    public func strings(_ key: StaticString) throws(JSONError) -> [String] {
        try array(key).strings()
    }

    /// Decodes each element of the array called `key` with `body` and returns the results, in order.
    public func decode<R>(
        _ key: StaticString,
        _ body: (JSONValue) throws(JSONError) -> R
    ) throws(JSONError) -> [R] {
        try array(key).decode(body)
    }
}
