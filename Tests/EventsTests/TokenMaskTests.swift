import Events
import JSON
import Testing

@Suite("Masking of tokens")
struct TokenMaskTests {
    static let secret = "0123456789abcdef0123456789abcdef"

    private func masked(_ text: String) -> String {
        String(decoding: TokenMask.masked(Array(text.utf8)), as: UTF8.self)
    }

    @Test(
        "The value of a member `token` is hidden in every spelling, and nothing else is",
        arguments: [
            (#"{"task":"t","token":"S","n":1}"#, #"{"task":"t","token":"***","n":1}"#),
            (#"{ "token" : "S" }"#, #"{ "token" : "***" }"#),
            ("{\"token\"\n:\t\"S\"}", "{\"token\"\n:\t\"***\"}"),
            (#"{"tok\u0065n":"S"}"#, #"{"tok\u0065n":"***"}"#),
            (#"{"\u0074\u006F\u006b\u0065\u006E":"S"}"#, #"{"\u0074\u006F\u006b\u0065\u006E":"***"}"#),
            (#"{"data":{"token":"S"},"a":["token","S"]}"#, #"{"data":{"token":"***"},"a":["token","S"]}"#),
            (#"{"token":"a\"S"}"#, #"{"token":"***"}"#), (#"{"token":7,"b":1}"#, #"{"token":"***","b":1}"#),
            (#"{"token":["S",{"]":"S"}],"n":1}"#, #"{"token":"***","n":1}"#),
            (#"{"token":{"a":["S"#, #"{"token":"***""#), (#"{"token":"S"#, #"{"token":"***""#),
            (#"{"note":"the \"token\": word"}"#, #"{"note":"the \"token\": \"***\""}"#),
            (#"{"tokens":"S","atoken":"S"}"#, #"{"tokens":"S","atoken":"S"}"#),
            (#"{"token":null,"token":"S"}"#, #"{"token":"***","token":"***"}"#), ("token: S", "token: S"), ("", ""),
            (#"{"token":"#, #"{"token":"#),
        ]
    )
    func forms(text: String, expected: String) {
        let (text, expected) = (text.replacing("S", with: Self.secret), expected.replacing("S", with: Self.secret))
        #expect(masked(text) == expected)
    }

    @Test("A record contained as text in a journal entry is masked, too, and stays valid JSON")
    func nested() throws {
        var inner = #"{"task":"t","token":"\#(Self.secret)","note":"a\nb \u00e4 \"q\""}"#
        for depth in 1...3 {
            var writer = JSONWriter()
            writer.object { $0.member("value", inner) }
            inner = writer.text
            let shown = masked(inner)
            #expect(!shown.contains(Self.secret), "\(depth)")
            try JSONParser().withDocument(of: Array(shown.utf8)) { json in
                let value = try json.object().string("value")
                #expect(value.contains("***"))
            }
        }
    }

    @Test("Bytes that are not text are unchanged, and texts cut at any point show no part of a token")
    func anything() {
        let document = Array(#"{"a":"\u00e4\\","tok\u0065n" : "\#(Self.secret)","b":{"c":"\ud83d\ude00"}}"#.utf8)
        for end in document.indices {
            let shown = TokenMask.masked(Array(document[..<end]))
            // A text cut within the value shows no part of it.
            #expect(!String(decoding: shown, as: UTF8.self).contains("0123"), "\(end)")
        }
        let odd: [UInt8] = [0xFE, 0x22, 0xFF, 0x5C, 0x22]
        #expect(TokenMask.masked(odd) == odd)
        #expect(TokenMask.masked([0x22]) == [0x22])
        #expect(TokenMask.masked([0x22, 0x5C]) == [0x22, 0x5C])
    }
}
