import JSON
import Testing

/// The printed error of reading `text` with `body`.
func readError(_ text: String, _ body: (JSONObject) throws -> Void) -> String {
    do {
        try JSONParser().withDocument(of: Array(text.utf8)) { try body($0.object()) }
        return "no error"
    } catch {
        return "\(error)"
    }
}

@Suite struct JSONValueTests {
    static let sample = #"""
        {"sample":{"id":"s-1","tags":[{"k":"a"},{"k":7}],"n":3,"x":null},"p":[0.25,1,-2e3],"on":true,"u":18446744073709551615,
        "k":"","big":9223372036854775807,"whole":3.0,"half":0.5}
        """#

    @Test("Members are read by their types")
    func typedMembers() throws {
        try JSONParser().withDocument(of: Array(Self.sample.utf8)) { document in
            let root = try document.object()
            #expect(root.count == 8)
            let sample = try root.object("sample")
            #expect(try sample.string("id") == "s-1")
            #expect(Array(try sample.utf8("id")) == Array("s-1".utf8))
            #expect(try sample.int("n", in: 0...3) == 3)
            #expect(try sample.double("n") == 3)
            #expect(try sample.optionalString("x") == nil)
            #expect(try sample.optionalInt64("absent") == nil)
            #expect(try sample.array("tags").count == 2)
            #expect(try root.doubles("p") == [0.25, 1, -2000])
            #expect(try root.bool("on"))
            #expect(try root.uint64("u") == .max)
            #expect(try root.string("k").isEmpty)
            #expect(try root.int64("big") == .max)
            #expect(try root.int64("whole") == 3)
            #expect(document["sample"]?["tags"]?.kind == .array)
            #expect(document["sample"]?["nothing"] == nil)
            #expect(document["p"]?["nothing"] == nil)
            #expect(root.member(named: "half")?.kind == .number)
            #expect(root.map(\.name) == ["sample", "p", "on", "u", "k", "big", "whole", "half"])
        }
    }

    @Test("Errors name the path, what was expected and what was found")
    func errorTexts() {
        #expect(
            readError(Self.sample) { _ = try $0.object("sample").string("n") }
                == "sample.n: expected a string, found a number"
        )
        #expect(
            readError(Self.sample) { _ = try $0.object("sample").string("label") }
                == "sample.label: expected a string, found nothing"
        )
        #expect(readError(Self.sample) { _ = try $0.string("lost") } == "lost: expected a string, found nothing")
        #expect(
            readError(Self.sample) { _ = try $0.object("sample").string("x") }
                == "sample.x: expected a string, found null"
        )
        #expect(readError(Self.sample) { _ = try $0.array("sample") } == "sample: expected an array, found an object")
        #expect(readError(Self.sample) { _ = try $0.bool("p") } == "p: expected true or false, found an array")
        #expect(
            readError(Self.sample) { root in
                _ = try root.object("sample").decode("tags") { (tag) throws(JSONError) in try tag.object().string("k") }
            } == "sample.tags[1].k: expected a string, found a number"
        )
        #expect(readError(Self.sample) { _ = try $0.int64("half") } == "half: expected an integer, found 0.5")
        #expect(
            readError(Self.sample) { _ = try $0.int64("u") }
                == "u: expected at most 9223372036854775807, found 18446744073709551615"
        )
        #expect(
            readError(Self.sample) { _ = try $0.object("sample").int("n", in: 5...9) }
                == "sample.n: expected an integer in 5...9, found 3"
        )
        #expect(readError(Self.sample) { throw $0.failure("half", "expected 1") } == "half: expected 1")
        #expect(readError("[]") { _ in } == "expected an object, found an array")
        #expect(
            readError(#"{"a":{"b":1,"c":2}}"#) { try $0.object("a").requireKeys(in: ["b"]) }
                == "a.c: unknown key; expected one of b"
        )
    }

    @Test("Numbers that 32 bits cannot hold are refused as floats")
    func floats() {
        #expect(
            readError(#"{"e":[1,1e300]}"#) {
                var floats: [Float] = []
                try $0.array("e").floats(into: &floats)
            } == "e[1]: expected a number that 32 bits can hold"
        )
    }

    @Test("Escapes are resolved, and pairs of surrogates joined")
    func escapes() throws {
        let text = #"["\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00\u0000"]"#
        let read = try JSONParser().withDocument(of: Array(text.utf8)) { try $0.array().strings() }
        #expect(read == ["\"\\/\u{8}\u{c}\n\r\tAé😀\u{0}"])
    }

    @Test("A lone low surrogate never yields text that is not UTF-8")
    func loneLowSurrogate() {
        #expect(parseError(#"["\udc00"]"#)?.kind == .invalidUTF8)
    }
}
