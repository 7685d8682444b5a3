import Hashing
import Storage
import Testing

@testable import S3

/// The examples of AWS's own documentation, *Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)*.
@Suite struct RequestSignerTests {
    private let signer: RequestSigner
    /// 24 May 2013, midnight.
    private static let time: Int64 = 1_369_353_600

    init() throws {
        let credentials = try S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE",
            secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        )
        signer = RequestSigner(credentials: credentials, region: "us-east-1")
    }

    private func signature(
        _ method: String,
        _ path: String,
        query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [],
        body: String = ""
    ) -> String {
        let all = signer.sign(
            method: method,
            host: "examplebucket.s3.amazonaws.com",
            path: path,
            query: RequestSigner.canonical(query: query),
            headers: headers,
            payload: SHA256Digest(of: body.utf8),
            at: Self.time
        )
        let text = all.first { $0.name == "authorization" }?.value ?? ""
        #expect(text.hasPrefix("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"))
        return text.split(separator: "Signature=").last.map { String($0) } ?? ""
    }

    @Test("A GET of an object with a range is signed")
    func get() {
        let found = signature("GET", "/test.txt", headers: [("range", "bytes=0-9")])
        #expect(found == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test("A PUT of an object whose key must be encoded is signed")
    func put() {
        let found = signature(
            "PUT",
            "/" + RequestSigner.encoded("test$file.text", keepingSlashes: true),
            headers: [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            body: "Welcome to Amazon S3."
        )
        #expect(found == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test("Queries with a parameter without a value, and with two parameters, are signed")
    func queries() {
        let lifecycle = signature("GET", "/", query: [("lifecycle", "")])
        #expect(lifecycle == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        let list = signature("GET", "/", query: [("prefix", "J"), ("max-keys", "2")])
        #expect(list == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test("A session's token is sent and signed")
    func token() throws {
        let credentials = try S3Credentials(accessKey: "a", secretKey: "b", sessionToken: "t/t==")
        let all = RequestSigner(credentials: credentials, region: "r").sign(
            method: "GET",
            host: "h",
            path: "/",
            query: "",
            headers: [],
            payload: RequestSigner.emptyPayload,
            at: 0
        )
        #expect(all.contains { $0.name == "x-amz-security-token" && $0.value == "t/t==" })
        #expect(all.last?.value.contains("x-amz-date;x-amz-security-token") == true)
    }

    @Test("Times have sixteen characters whatever the clock reads, and no key is shown")
    func times() throws {
        #expect(RequestSigner.timestamp(Self.time) == "20130524T000000Z")
        #expect(RequestSigner.timestamp(1_709_251_199) == "20240229T235959Z")
        for time in [Int64.min, -1, 0, .max] { #expect(RequestSigner.timestamp(time).utf8.count == 16) }
        #expect(
            base64([]) == "" && base64([0]) == "AA==" && base64([1, 2]) == "AQI=" && base64([255, 255, 255]) == "////"
        )
        let credentials = try S3Credentials(
            accessKey: "AKIA1234",
            secretKey: "very-secret",
            sessionToken: "also-secret"
        )
        var shown = "\(credentials) \(String(reflecting: credentials))"
        dump(credentials, to: &shown)
        var connection = S3Connection(environment: [
            "AWS_SECRET_ACCESS_KEY": "very-secret", "AWS_ACCESS_KEY_ID": "AKIA1234",
        ])
        connection.endpoint = "http://x"
        dump(connection, to: &shown)
        dump(try connection.settings(), to: &shown)
        shown += "\(connection) \(String(reflecting: try connection.settings()))"
        #expect(!shown.contains("secret") && !shown.contains("1234"), "\(shown)")
    }
}

@Suite struct S3SettingsTests {
    @Test("Addresses are composed from endpoint, style and bucket")
    func addresses() throws {
        let credentials = try S3Credentials(accessKey: "a", secretKey: "b")
        func address(_ endpoint: String?, _ style: S3Settings.Style, _ uri: String) throws -> String {
            let settings = try S3Settings(
                endpoint: endpoint,
                region: "eu-west-1",
                style: style,
                credentials: credentials
            )
            let found = S3Client(settings).address(of: try #require(.init(uri)))
            return "\(settings.endpoint.scheme)://\(found.host)\(found.path)"
        }
        let key = "s3://bucket/a%20b/c+d"
        #expect(try address(nil, .auto, key) == "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/c%2Bd")
        #expect(try address(nil, .path, key) == "https://s3.eu-west-1.amazonaws.com/bucket/a%20b/c%2Bd")
        #expect(try address(nil, .auto, "s3://a.bucket/k") == "https://s3.eu-west-1.amazonaws.com/a.bucket/k")
        #expect(try address("http://Host:80/base/", .auto, key) == "http://host/base/bucket/a%20b/c%2Bd")
        #expect(try address("https://h:9000", .host, "s3://bucket") == "https://bucket.h:9000/")
        #expect(try address("http://[::1]:8333", .auto, "s3://bucket") == "http://[::1]:8333/bucket")
        for wrong in [
            "h", "ftp://h", "http://", "http://u:p@h", "http://h?x", "http://h:0", "http://h:99999", "http://h/../x",
            "http://h h",
        ] {
            let error = #expect(throws: S3SettingsError.self, "\(wrong)") {
                try S3Settings(endpoint: wrong, credentials: credentials)
            }
            #expect(error?.reason.contains("u:p") == false)
        }
        #expect(throws: S3SettingsError.self) { try S3Settings(region: "eu west", credentials: credentials) }
    }

    @Test("Keys that are empty or invalid in a header are refused, and not shown")
    func credentials() {
        for (access, secret, token) in [("", "b", nil), ("a", "", nil), ("a", "se cret", nil), ("a", "b", "x\ny")]
            as [(String, String, String?)]
        {
            let error = #expect(throws: S3SettingsError.self) {
                try S3Credentials(accessKey: access, secretKey: secret, sessionToken: token)
            }
            #expect(error?.reason.contains("se cret") == false, "a secret is not shown")
        }
        #expect(throws: S3SettingsError.self) { try S3Connection().settings() }
        #expect(throws: S3SettingsError.self) { try S3Connection(environment: ["AWS_ACCESS_KEY_ID": "a"]).settings() }
    }

    @Test("Environment variables are used unless they are empty")
    func environment() throws {
        let full = [
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "",
            "AWS_DEFAULT_REGION": "eu-north-1",
            "AWS_ENDPOINT_URL": "http://x:1",
        ]
        let settings = try S3Connection(environment: full).settings()
        #expect(settings.region == "eu-north-1" && settings.endpoint.description == "http://x:1")
        let usual = try S3Connection(environment: ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"]).settings()
        #expect(usual.endpoint.description == "https://s3.us-east-1.amazonaws.com")
    }
}
