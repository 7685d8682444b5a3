/// Members: a key and its value in one call. The optional ones write nothing for nil.
extension JSONWriter {
    /// A string called `key`.
    public mutating func member(_ key: StaticString, _ value: String) {
        self.key(key)
        self.value(value)
    }

    /// A string called `key`, or nothing.
    public mutating func member(_ key: StaticString, ifPresent value: String?) {
        if let value { member(key, value) }
    }

    /// An integer called `key`.
    public mutating func member(_ key: StaticString, _ value: Int64) {
        self.key(key)
        self.value(value)
    }

    /// An integer called `key`, or nothing.
    public mutating func member(_ key: StaticString, ifPresent value: Int64?) {
        if let value { member(key, value) }
    }

    /// An integer called `key`.
    public mutating func member(_ key: StaticString, _ value: Int) {
        self.key(key)
        self.value(value)
    }

    /// An integer called `key`, or nothing.
    public mutating func member(_ key: StaticString, ifPresent value: Int?) {
        if let value { member(key, value) }
    }

    /// An integer called `key`.
    public mutating func member(_ key: StaticString, _ value: UInt64) {
        self.key(key)
        self.value(value)
    }

    /// An integer called `key`, or nothing.
    public mutating func member(_ key: StaticString, ifPresent value: UInt64?) {
        if let value { member(key, value) }
    }

    /// A finite number called `key`.
    public mutating func member(_ key: StaticString, _ value: Double) {
        self.key(key)
        self.value(value)
    }

    /// A finite number called `key`, or nothing.
    public mutating func member(_ key: StaticString, ifPresent value: Double?) {
        if let value { member(key, value) }
    }

    /// A truth value called `key`.
    public mutating func member(_ key: StaticString, _ value: Bool) {
        self.key(key)
        self.value(value)
    }

    /// A truth value called `key`, or nothing.
    public mutating func member(_ key: StaticString, ifPresent value: Bool?) {
        if let value { member(key, value) }
    }

    /// A string called `key`, given as UTF-8, which the caller knows to be valid.
    public mutating func member(_ key: StaticString, utf8: UnsafeBufferPointer<UInt8>) {
        self.key(key)
        value(utf8: utf8)
    }

    /// A value called `key` that is JSON already; it is not checked.
    public mutating func member(_ key: StaticString, encoded: some Collection<UInt8>) {
        self.key(key)
        value(encoded: encoded)
    }

    /// A copy of a parsed value, called `key`.
    public mutating func member(_ key: StaticString, _ value: JSONValue) {
        self.key(key)
        self.value(value)
    }

    /// `null` called `key`.
    public mutating func null(_ key: StaticString) {
        self.key(key)
        null()
    }

    /// An object called `key`, whose members `body` writes.
    @inlinable
    public mutating func object<E: Error>(
        _ key: StaticString,
        _ body: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        self.key(key)
        try object(body)
    }

    /// An array called `key`, whose elements `body` writes.
    @inlinable
    public mutating func array<E: Error>(
        _ key: StaticString,
        _ body: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        self.key(key)
        try array(body)
    }

    /// An array of strings called `key`.
    @inlinable
    public mutating func array(_ key: StaticString, of values: some Sequence<String>) {
        array(key) { for value in values { $0.value(value) } }
    }

    /// An array of finite numbers called `key`.
    @inlinable
    public mutating func array(_ key: StaticString, of values: some Sequence<Double>) {
        array(key) { for value in values { $0.value(value) } }
    }

    /// An array of integers called `key`.
    @inlinable
    public mutating func array(_ key: StaticString, of values: some Sequence<Int64>) {
        array(key) { for value in values { $0.value(value) } }
    }

    /// An array of integers called `key`.
    @inlinable
    public mutating func array(_ key: StaticString, of values: some Sequence<Int>) {
        array(key) { for value in values { $0.value(value) } }
    }

    /// A copy of a parsed value: its members in their order, its numbers as this writer writes them.
    public mutating func value(_ value: JSONValue) {
        switch value.tag {
        case TapeTag.object:
            beginObject()
            for member in JSONObject(value: value) {
                key(utf8: member.key)
                self.value(member.value)
            }
            endObject()
        case TapeTag.array:
            beginArray()
            for element in JSONArray(value: value) { self.value(element) }
            endArray()
        case TapeTag.string: self.value(utf8: value.text)
        case TapeTag.int64: self.value(Int64(bitPattern: value.tape[value.index + 1]))
        case TapeTag.uint64: self.value(value.tape[value.index + 1])
        case TapeTag.double: self.value(Double(bitPattern: value.tape[value.index + 1]))
        case TapeTag.yes: self.value(true)
        case TapeTag.no: self.value(false)
        default: null()
        }
    }
}
