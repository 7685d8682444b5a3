import Foundation
import ProjectFiles
import Testing

/// JSON as Foundation reads it.
private typealias Object = [String: Any]

@Suite("Files written from forms")
struct ReferenceTests {
    private func json(_ path: String) throws -> Object {
        try #require(try JSONSerialization.jsonObject(with: Data(GoldenFiles.file(path))) as? Object)
    }

    /// A schema, resolved from the definitions if it is a reference.
    private func resolved(_ schema: Any?, _ root: Object) -> Object {
        guard let schema = schema as? Object else { return [:] }
        guard let name = (schema["$ref"] as? String)?.split(separator: "/").last else { return schema }
        return (root["$defs"] as? Object)?[String(name)] as? Object ?? [:]
    }

    private static let keywords = [
        "type", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
        "maxProperties", "enum", "const",
    ]

    /// Paths at which the committed schema differs from the forms.
    private func differences(
        _ committed: Object,
        _ root: Object,
        _ described: Object,
        _ forms: Object,
        path: String,
        depth: Int = 0
    ) -> [String] {
        guard depth < 12 else { return [] }
        var found: [String] = []
        for keyword in Self.keywords {
            guard let value = committed[keyword] else { continue }
            // A constant and a reference need no type.
            if keyword == "type", described["const"] != nil { continue }
            let (number, other) = (value as? NSNumber, described[keyword] as? NSNumber)
            let isEqual = number != nil ? number == other : "\(value)" == "\(described[keyword] ?? "nothing")"
            if !isEqual {
                found.append("\(path): \(keyword) is \(value), the form says \(described[keyword] ?? "nothing")")
            }
        }
        // Older revisions lack this member: the parser accepts that, and the schema does not.
        let tolerated = path == ".rollout" ? "minimum_shadow" : ""
        let required = Set(committed["required"] as? [String] ?? []).subtracting([tolerated])
        if committed["properties"] != nil, required != Set(described["required"] as? [String] ?? []) {
            found.append("\(path): required are \(required.sorted()), the form says \(described["required"] ?? "none")")
        }
        let members = committed["properties"] as? Object ?? [:]
        let parts = described["properties"] as? Object ?? [:]
        if Set(members.keys) != Set(parts.keys) {
            found.append("\(path): members differ in \(Set(members.keys).symmetricDifference(parts.keys).sorted())")
        }
        var inner = members.keys.sorted().map { ("\(path).\($0)", members[$0], parts[$0]) }
        for keyword in ["items", "additionalProperties"] where committed[keyword] is Object {
            inner.append((path + "[]", committed[keyword], described[keyword]))
        }
        for (path, committedPart, describedPart) in inner {
            let (committedPart, describedPart) = (resolved(committedPart, root), resolved(describedPart, forms))
            found += differences(committedPart, root, describedPart, forms, path: path, depth: depth + 1)
        }
        return found
    }

    @Test("The published schema and the forms have the same members, types, ranges and required members")
    func schema() throws {
        let committed = try json("schemas/project/v1.schema.json")
        let written = try JSONSerialization.jsonObject(with: Data(ConfigurationReference.schema.utf8))
        let described = try #require(written as? Object)
        #expect(differences(committed, committed, described, described, path: "") == [])
    }

    @Test("The comparison detects a changed range, an additional member and a missing requirement")
    func comparison() throws {
        let committed = try json("schemas/project/v1.schema.json")
        for (original, replacement) in [
            ("\"maximum\":100}", "\"maximum\":101}"), ("\"cut_every\":{", "\"cut_each\":{"),
            ("\"required\":[\"cut_every\",", "\"required\":["), ("\"entropy\",", ""),
            ("\"minItems\":2", "\"minItems\":1"),
        ] {
            let text = ConfigurationReference.schema
            #expect(text.contains(original))
            let changed = Data(text.replacing(original, with: replacement).utf8)
            let described = try #require(try JSONSerialization.jsonObject(with: changed) as? Object)
            #expect(differences(committed, committed, described, described, path: "") != [], "\(original)")
        }
    }

    @Test("Definitions that the schemas of a revision and of a journal entry share are equal")
    func sharedDefinitions() throws {
        let project = try #require(try json("schemas/project/v1.schema.json")["$defs"] as? Object)
        let entry = try #require(try json("schemas/journal-entry/v1.schema.json")["$defs"] as? Object)
        let both = Set(project.keys).intersection(entry.keys)
        #expect(both == Set(project.keys), "the journal lacks \(Set(project.keys).subtracting(entry.keys).sorted())")
        for name in both.sorted() {
            #expect(NSDictionary(dictionary: project[name] as? Object ?? [:]).isEqual(entry[name]), "\(name) differs")
        }
    }

    @Test("`make reference` writes exactly docs/reference/configuration.md")
    func page() throws {
        let committed = String(decoding: try GoldenFiles.file("docs/reference/configuration.md"), as: UTF8.self)
        #expect(committed == ConfigurationReference.page, "run make reference")
    }

    @Test("Every key of the example is in the reference")
    func example() throws {
        let text = String(decoding: try GoldenFiles.file("docs/examples/project.yaml"), as: UTF8.self)
        for match in text.matches(of: #/(?m)^ *(?:# )?([a-z_]+):/#) {
            #expect(ConfigurationReference.page.contains("| `\(match.output.1)` |"), "\(match.output.1)")
        }
    }
}
