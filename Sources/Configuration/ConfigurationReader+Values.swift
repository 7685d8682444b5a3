/// Single values. If a value is faulty, the fault is recorded, and the default, or any value of the type, is returned.
extension ConfigurationReader {
    /// The text at `key`, or the default if absent.
    public func string(_ key: String, default fallback: String) -> String {
        optionalString(key) ?? fallback
    }

    /// The text at `key`, which is required.
    public func requiredString(_ key: String) -> String {
        if node(key) == nil { missing(key, "a text") }
        return optionalString(key) ?? ""
    }

    /// The text at `key`, or nil if absent.
    public func optionalString(_ key: String) -> String? {
        scalar(key, "a text") { $0.text }
    }

    /// The whole number at `key`, or the default if absent.
    public func int(_ key: String, default fallback: Int, in range: ClosedRange<Int> = Int.min...Int.max) -> Int {
        optionalInt(key, in: range) ?? fallback
    }

    /// The whole number at `key`, or nil if absent.
    public func optionalInt(_ key: String, in range: ClosedRange<Int> = Int.min...Int.max) -> Int? {
        scalar(key, wholeNumberExpectation(range)) { scalar in
            guard scalar.isPlain, let number = Int(scalar.text), range.contains(number) else { return nil }
            return number
        }
    }

    /// The finite number at `key`, or the default if absent.
    public func double(
        _ key: String,
        default fallback: Double,
        in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    ) -> Double {
        optionalDouble(key, in: range) ?? fallback
    }

    /// The finite number at `key`, or nil if absent.
    public func optionalDouble(
        _ key: String,
        in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    ) -> Double? {
        scalar(key, numberExpectation(range)) { scalar in
            guard scalar.isPlain, let number = Double(scalar.text), range.contains(number) else { return nil }
            return number
        }
    }

    /// The truth value at `key`, or the default if absent.
    public func bool(_ key: String, default fallback: Bool) -> Bool {
        optionalBool(key) ?? fallback
    }

    /// The truth value at `key`, `true` or `false`, or nil if absent.
    public func optionalBool(_ key: String) -> Bool? {
        scalar(key, "true or false") { scalar in
            guard scalar.isPlain else { return nil }
            return scalar.text == "true" ? true : (scalar.text == "false" ? false : nil)
        }
    }

    private func wholeNumberExpectation(_ range: ClosedRange<Int>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (.min, .max): "an integer"
        case (_, .max): "an integer of at least \(range.lowerBound)"
        case (.min, _): "an integer of at most \(range.upperBound)"
        default: "an integer in \(range.lowerBound)...\(range.upperBound)"
        }
    }

    private func numberExpectation(_ range: ClosedRange<Double>) -> String {
        let largest = Double.greatestFiniteMagnitude
        switch (range.lowerBound, range.upperBound) {
        case (-largest, largest): return "a number"
        case (_, largest): return "a number of at least \(range.lowerBound)"
        case (-largest, _): return "a number of at most \(range.upperBound)"
        default: return "a number in \(range.lowerBound)...\(range.upperBound)"
        }
    }

    /// The value at `key`, converted by `convert`, which returns nil for an unexpected value.
    func scalar<Value>(_ key: String, _ expected: String, _ convert: (YAMLNode.Scalar) -> Value?) -> Value? {
        guard let node = node(key) else { return nil }
        if case .scalar(let scalar) = node.content, let value = convert(scalar) { return value }
        mismatch(key, node, expected)
        return nil
    }
}
