package import JSON

/// The content of a record: the value itself, or the data of a CloudEvent in structured mode.
package struct Envelope {
    package let data: JSONObject
    package let id: String?
    package let source: String?

    package init(_ json: JSONValue) throws(JSONError) {
        let object = try json.object()
        guard let version = try object.optionalString("specversion"), object.optional("data") != nil else {
            data = object
            id = nil
            source = nil
            return
        }
        guard version == "1.0" else {
            throw object.failure("specversion", "expected 1.0, found \"\(version.prefix(16))\"")
        }
        data = try object.object("data")
        id = try object.string("id")
        source = try object.string("source")
    }
}
