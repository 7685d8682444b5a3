public import Forms

extension RolloutRing: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        key = try f("key", \.key, Text(1...64), doc: "Key of the samples' metadata.")
        value = try f("value", \.value, Text(0...256), doc: "Text at that key in the samples that the canary serves.")
    }
}
