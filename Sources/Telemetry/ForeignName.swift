/// Rules for every name that is chosen outside of Flywheel.
public enum ForeignName {
    /// Returns the requirement that a name violates; nil for an acceptable name.
    ///
    /// `mustBeComposed` requires the composed form: names that Unicode considers equal are one name in tables
    /// and sets.
    public static func fault(_ name: String, mustBeComposed: Bool = true) -> String? {
        if !ForeignText.isPlain(name) { return "a name without control, line or direction characters" }
        if mustBeComposed, !ComposedText.isComposed(name) {
            return "a name in the composed form of Unicode (NFC: an accent and its letter as one character)"
        }
        return nil
    }
}
