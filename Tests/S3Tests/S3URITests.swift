import Storage
import Testing

@Suite struct S3URITests {
    @Test("Usual spellings are read, and all others are refused")
    func spellings() {
        #expect(S3URI("s3://bucket/a/b%20c")?.key == "a/b c")
        #expect(S3URI("S3://bucket")?.description == "s3://bucket")
        #expect(S3URI("s3://bucket/a/")?.description == "s3://bucket/a")
        for text in [
            "", "s3:", "s3://", "s3://ab", "s3://Bucket/x", "s3:/bucket", "s3://bucket//", "s3://bucket/a//b",
            "s3://bucket/../x",
            "s3://bucket/./x", "s3://bucket/%2e%2e/x", "s3://bucket/a%2Fb", "s3://bucket/a%2eb", "s3://bucket/x/%2E",
            "s3://bucket/a%2f..%2fb", "s3://b..ucket/x", "s3://-bucket", "s3://bucket/x?y",
            "s3://bucket/x#y",
            "s3://bucket/%00", "s3://bucket/%0a", "s3://bucket/%zz", "s3://bucket/%ff", "s3://user:pass@bucket/x",
            "https://bucket/x",
            "s3://bucket/" + String(repeating: "x", count: 1_025),
        ] { #expect(S3URI(text) == nil, "\(text)") }
    }
}
