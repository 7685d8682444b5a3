import Foundation
import HTTPClient
import Storage
import Testing

@testable import S3

/// Answers of a service, cut up and recombined by a seed: reading any of them ends, and the outcome contains nothing
/// that a terminal would interpret as a command.
@Suite("Any disordered answer of a store is read or refused")
struct AnswerFuzzTests {
    private static let pieces =
        [
            "<?xml version=\"1.0\"?>", "<ListBucketResult>", "</ListBucketResult>", "<ListBucketResult xmlns=\"x\">",
            "<Contents>", "</Contents>", "<Contents/>", "<Key>p/a/b</Key>", "<Key>p/%zz</Key>", "<Key>p/a%2Fb+c</Key>",
            "<Key>p/../x</Key>", "<Key></Key>", "<Key>", "</Key>", "<Size>12</Size>", "<Size>-1</Size>",
            "<Size>99999999999999999999</Size>", "<LastModified>2026-11-30T17:01:44.000Z</LastModified>",
            "<LastModified>9999-99-99T99:99:99Z</LastModified>", "<LastModified>0-0-0T0:0:0Z</LastModified>",
            "<IsTruncated>true</IsTruncated>", "<NextContinuationToken>t</NextContinuationToken>", "<IsTruncated>",
            "<Error>", "</Error>", "<Code>SlowDown</Code>", "<Code>NoSuchKey</Code>", "<Code>", "<Message>no</Message>",
            "<Message>\u{1B}[31m&lt;&amp;lt;&#39;</Message>", "<Region>eu</Region>", "<UploadId>u</UploadId>",
            "<ETag/>",
            "&", "&amp;", "&lt", "<", ">", "/>", "\u{0}", "\u{FFFD}", "<a b='>'>", "]]>", "<!--", " ",
        ]
    /// Parts of answers that are nearly valid.
    private static let wellFormed = [
        "<Contents><Key>p/a/b</Key><Size>12</Size></Contents>", "<Contents><Key>q/x</Key></Contents>",
        "<Contents><Key>p/c</Key><LastModified>2026-11-30T17:01:44.000Z</LastModified><Size>1</Size></Contents>",
        "<IsTruncated>true</IsTruncated>", "<NextContinuationToken>t</NextContinuationToken>",
    ]
    private static let roots = ["ListBucketResult", "Error", "Contents"]

    private struct LinearCongruentialGenerator {
        var state: UInt64
        mutating func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }

    private func answer(_ generator: inout LinearCongruentialGenerator) -> [UInt8] {
        var text = ""
        if generator.next(2) == 0 {
            let parts = (0..<generator.next(5)).map { _ in Self.wellFormed[generator.next(Self.wellFormed.count)] }
            text = "<ListBucketResult>\(parts.joined())</ListBucketResult>"
        } else {
            if generator.next(2) == 0 { text += "<\(Self.roots[generator.next(Self.roots.count)])>" }
            for _ in 0..<generator.next(25) { text += Self.pieces[generator.next(Self.pieces.count)] }
            if generator.next(2) == 0 { text += "</\(Self.roots[generator.next(Self.roots.count)])>" }
        }
        var bytes = Array(text.utf8)
        for _ in 0..<generator.next(4) where !bytes.isEmpty {
            let index = generator.next(bytes.count)
            switch generator.next(3) {
            case 0: bytes[index] = UInt8(generator.next(256))
            case 1: bytes.remove(at: index)
            default: bytes.insert(contentsOf: bytes.prefix(generator.next(20)), at: index)
            }
        }
        return bytes
    }

    @Test("12,000 random answers give valid entries or short, printable errors", arguments: 0..<4)
    func answers(part: Int) throws {
        var generator = LinearCongruentialGenerator(state: UInt64(part) &* 7_919 &+ 1)
        let endpoint = try #require(S3Endpoint("http://127.0.0.1:1"))
        var (pages, entries, faults) = (0, 0, 0)
        for number in 0..<3_000 {
            let bytes = answer(&generator)
            if let page = S3Store.Page(bytes, root: "p/") {
                pages += 1
                entries += page.entries.count
                for entry in page.entries {
                    #expect(entry.size >= 0 && (try? ObjectName.check(entry.name)) != nil, "\(part) \(number)")
                }
            }
            let status = [200, 301, 400, 403, 404, 409, 412, 500, 503, 999][generator.next(10)]
            let fault = S3Fault(HTTPAnswer(status: status, headers: [], body: bytes))
            let error = fault.error("write", "s3://b/x", bucket: "b", endpoint: endpoint, time: "20130524T000000Z")
            #expect(error.description.utf8.count < 700, "\(part) \(number)")
            #expect(error.description.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(part) \(number)")
            if !fault.code.isEmpty { faults += 1 }
        }
        // Most of the expected outcomes occur.
        #expect(pages > 500 && entries > 100 && faults > 200, "\(pages) \(entries) \(faults)")
    }
}
