internal import JSON

/// Tracks which of the specified names a JSON file contains, object by object.
///
/// - Complexity: O(*m*) in an object's members while a name has not been found, then O(1).
struct ImportNames {
    /// Maximum number of member names that a fault lists.
    static let limit = 40

    private var missing: [(option: ImportFields.Option, name: String)]
    private var seen: [String] = []
    private var sawObject = false

    /// Starts with the names of `fields` as missing, except those of options that are searched for elsewhere.
    init(_ fields: ImportFields, without elsewhere: Set<ImportFields.Option> = []) {
        missing = fields.named.filter { !elsewhere.contains($0.option) }
    }

    /// Notes the members of an object in which the names should be.
    mutating func note(_ object: JSONObject) {
        sawObject = true
        guard !missing.isEmpty else { return }
        missing.removeAll { object.member(named: $0.name) != nil }
        for member in object where seen.count < Self.limit && !seen.contains(member.name) { seen.append(member.name) }
    }

    /// Notes a name that was found elsewhere.
    mutating func note(_ name: String, of option: ImportFields.Option) {
        missing.removeAll { $0.option == option && $0.name == name }
    }

    /// Returns one fault for each name that was not found anywhere; `element` is the searched unit in its text, as in
    /// "line".
    func faults(in element: String) -> [ImportFault] {
        // A file without any object has faults of its lines already.
        guard sawObject else { return [] }
        let there = seen.isEmpty ? "there are none" : "there are \(Self.list(seen))"
        let more = seen.count == Self.limit ? " and perhaps more" : ""
        return missing.map {
            ImportFault(file: "--\($0.option.rawValue): no \(element) has a member \"\($0.name)\"; \(there)\(more)")
        }
    }

    static func list(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ", ") }
}

extension ImportFile {
    /// Returns a fault for each given option that the format of the file does not use.
    static func unused(_ fields: ImportFields, _ reasons: [ImportFields.Option: String]) -> [ImportFault] {
        fields.named.compactMap { option, _ in
            reasons[option].map { ImportFault(file: "--\(option.rawValue): \($0); leave it out") }
        }
    }
}
