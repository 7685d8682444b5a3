import Testing
import Vocabulary

@Suite("Locations of artifacts")
struct ArtifactURITests {
    private func covers(_ prefix: String, _ uri: String) -> Bool? {
        guard let prefix = ArtifactPrefix(prefix) else { return nil }
        return ArtifactURI(uri).map { prefix.covers($0) } ?? false
    }

    @Test(
        "A prefix covers the locations below it, in any spelling",
        arguments: [
            ("https", "https://any.example/m"), ("https:", "HTTPS://any.example"), ("s3://", "s3://bucket/m"),
            ("https://good.example", "https://good.example"),
            ("https://good.example", "https://good.example/m.pkl?sig=1"),
            ("https://good.example/", "https://GOOD.example:443/a/b"),
            ("HTTPS://Good.Example/a", "https://good.example/a/b"),
            ("https://good.example:8443/a", "https://good.example:8443/a"),
            ("https://good.example/a", "https://good.example/%61/b"),
            ("https://good.example/a b".replacing(" ", with: "%20"), "https://good.example/a%20b/c"),
            ("s3://bucket/models", "s3://bucket/models/v1"), ("s3://bucket/models/", "s3://bucket/models"),
            ("file", "file:///srv/m"), ("file:///srv/models", "file://localhost/srv/models/v1"),
            ("file:///srv/models", "file:/srv/models/v1"), ("file:///", "file:///anything/at/all"),
            ("memory", "memory:replay"),
        ]
    )
    func covered(prefix: String, uri: String) { #expect(covers(prefix, uri) == true) }

    @Test(
        "A prefix does not cover a location that only seems to be below it",
        arguments: [
            // Another host.
            ("https://good.example", "https://good.example.evil.com/m"),
            ("https://good.example", "https://good.example@evil.com/m"),
            ("https://good.example", "https://good.example:x@evil.com/m"),
            ("https://good.example", "https://good.example%40evil.com/m"),
            ("https://good.example", "https://good.example:8443/m"),
            ("https://good.example", "https://evil.com/https://good.example"),
            ("https://good.example", "https://evil.com#https://good.example"),
            ("https://good.example", "https://evil.com?good.example"),
            ("https://good.example", "https:good.example/m"), ("https://good.example", "https:///good.example/m"),
            ("https://good.example", "https://good.example\\@evil.com/"), ("https://good.example", "//good.example/m"),
            ("https://good.example", "https://good.example./m"), ("https://good.example", "https://good.exampl%65/m"),
            // No host, or an impossible one.
            ("https", "https:///m"), ("s3", "s3://../m"), ("s3", "s3:m"), ("https", "https://[::1]:99999/m"),
            ("https", "https://:443/m"), ("https", "https://a..b/m"), ("https", "https://good.example:8:9/m"),
            // Another scheme.
            ("https://good.example", "http://good.example/m"), ("https", "httpsx://any"),
            ("file", "http://evil.example/model.pkl"),
            // Another folder.
            ("https://good.example/models", "https://good.example/models2/m"),
            ("https://good.example/models", "https://good.example/models/../m"),
            ("https://good.example/models", "https://good.example/models/%2e%2E/m"),
            ("https://good.example/models", "https://good.example/models/..%2fm"),
            ("https://good.example/models", "https://good.example/models/%252e%252e/m"),
            ("https://good.example/models", "https://good.example/models/..;a=b/m"),
            ("https://good.example/models", "https://good.example/models/./m"),
            ("https://good.example/models", "https://good.example/models%5c..%5cm"),
            ("https://good.example/models", "https://good.example/Models/m"),
            ("https://good.example/models", "https://good.example/models%00/m"),
            ("https://good.example/models", "https://good.example/models/%zz"),
            ("https://good.example/models", "https://good.example/models/%f"),
            ("s3://bucket/models", "s3://bucket/models-of-others/m"), ("s3://bucket", "s3://Bucket/m"),
            ("file:///srv/models", "file:///srv/models/../../etc/passwd"),
            ("file:///srv/models", "file:///srv/modelsx"),
            ("file:///srv/models", "file://evil/srv/models/m"), ("file:///srv/models", "file:srv/models/m"),
            ("file:///srv/models", "file:///srv/models/m?x"), ("file:///srv/models", "file:///srv/models/m#x"),
            ("file:///srv/models", "file:///srv/models/%ff"),
            // Two folders, although their names are equivalent in Unicode.
            ("file:///srv/%C3%A9", "file:///srv/e%CC%81/m"), ("s3://bucket/e%CC%81", "s3://bucket/%C3%A9/m"),
        ]
    )
    func notCovered(prefix: String, uri: String) { #expect(covers(prefix, uri) == false) }

    @Test(
        "An ambiguous text is not a prefix",
        arguments: [
            "", ":", "://", "1x", "a b", "https://user@good.example", "https://good.example/..",
            "https://good.example/?a",
            "https://good.example/#a", "file://host/a", "file:a", "s3:///key", "\u{E4}",
            String(repeating: "a", count: 65),
        ]
    )
    func noPrefix(text: String) { #expect(ArtifactPrefix(text) == nil) }

    @Test("URIs are compared byte by byte, with escapes decoded")
    func equality() {
        let (composed, other) = (ArtifactURI("s3://b/%C3%A9"), ArtifactURI("s3://b/e%CC%81"))
        #expect(composed != nil && other != nil && composed != other)
        #expect(
            ArtifactURI("S3://b/%C3%A9/") == composed
                && Set([composed, other, ArtifactURI("s3://b/%c3%a9")]).count == 2
        )
    }

    @Test("By default a project's artifacts are in files, in S3 or behind HTTPS")
    func usual() {
        #expect(ArtifactPrefix.usual.map(\.text) == ["file", "s3", "https"])
        #expect(ArtifactPrefix.usual.map(\.folder) == [nil, nil, nil])
        #expect(ArtifactPrefix("file:///srv//models/")?.folder == "/srv//models")
        #expect(ArtifactURI("file:///a%20b/c")?.filePath == "/a b/c")
        #expect(ArtifactURI("s3://b/c")?.filePath == nil)
    }
}
