internal import Glibc
internal import Hashing

/// Signs requests: without the secret, a request can be neither created nor changed.
///
/// - SeeAlso: AWS General Reference, *Signature Version 4 signing process*; its test vectors are in
///   `RequestSignerTests`.
struct RequestSigner {
    let credentials: S3Credentials
    let region: String

    /// The digest of an empty body.
    static let emptyPayload = SHA256Digest(of: [])

    /// Returns all headers of a request: the given ones, and those that sign it.
    ///
    /// - Parameters:
    ///   - method: Method, as in `GET`.
    ///   - host: Host, as in the request's `Host`.
    ///   - path: Encoded path, from its first slash to the query.
    ///   - query: Encoded query, as returned by `canonical(query:)`.
    ///   - headers: Names in lower case, each once, and values without blanks at their ends.
    ///   - payload: The digest of the body.
    ///   - seconds: The time, since 1970.
    /// - Returns: All but `host`, which libcurl sends by itself, in any order.
    func sign(
        method: String,
        host: String,
        path: String,
        query: String,
        headers: [(name: String, value: String)],
        payload: SHA256Digest,
        at seconds: Int64
    ) -> [(name: String, value: String)] {
        let time = Self.timestamp(seconds)
        let day = String(time.prefix(8))
        var all = headers
        all.append(("x-amz-content-sha256", payload.hex))
        all.append(("x-amz-date", time))
        if let token = credentials.sessionToken { all.append(("x-amz-security-token", token)) }
        let signed = (all + [("host", host)]).sorted { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        let request =
            "\(method)\n\(path)\n\(query)\n" + signed.map { "\($0.name):\($0.value)\n" }.joined()
            + "\n\(names)\n\(payload.hex)"
        let scope = "\(day)/\(region)/s3/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(SHA256Digest(of: Array(request.utf8)).hex)"
        var key = Array("AWS4\(credentials.secretKey)".utf8)
        for part in [day, region, "s3", "aws4_request"] { key = HMACSHA256(key: key).digest(of: part).bytes }
        let signature = HMACSHA256(key: key).digest(of: text).hex
        let credential = "\(credentials.accessKey)/\(scope)"
        all.append(
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=\(credential),SignedHeaders=\(names),Signature=\(signature)"
            )
        )
        return all
    }

    /// A query as it is signed and sent: encoded, in the order of its names.
    static func canonical(query: [(name: String, value: String)]) -> String {
        query.map { (encoded($0.name), encoded($0.value)) }
            .sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// Encodes everything but letters, digits, `-`, `.`, `_` and `~` as `%XX`; slashes too unless they are kept.
    static func encoded(_ text: String, keepingSlashes: Bool = false) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            case UInt8(ascii: "/") where keepingSlashes: bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A time as it is signed, as in `20130524T000000Z`.
    static func timestamp(_ seconds: Int64) -> String {
        let parts = Self.parts(seconds)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(parts.tm_year + 1_900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))T\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))Z"
    }

    private static func parts(_ seconds: Int64) -> tm {
        // Years have four digits, whatever the clock reports.
        var time = time_t(min(max(seconds, 0), 253_402_300_799))
        var parts = tm()
        gmtime_r(&time, &parts)
        return parts
    }
}
