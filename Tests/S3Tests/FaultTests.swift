import Foundation
import HTTPClient
import S3Testing
import Storage
import Synchronization
import Testing

@testable import S3

/// A store on a faulty bucket, without real pauses.
private struct Bench {
    let bucket = FakeBucket()
    let store: S3Store
    let pauses = Pauses()

    final class Pauses: Sendable {
        private let held = Mutex<[Int64]>([])
        var all: [Int64] { held.withLock { $0 } }
        func append(_ pause: Int64) { held.withLock { $0.append(pause) } }
    }

    /// Makes the bench; `now` is the client's time, in milliseconds since 1970.
    init(bucket name: String = FakeBucket.name, now: Int64 = 1_369_353_600_000) throws {
        let environment = S3Environment(
            now: { now },
            pause: { [pauses] in pauses.append($0) },
            jitter: { 0.999 },
            partThreshold: 1 << 16,
            partSize: 1 << 14
        )
        let credentials = try S3Credentials(accessKey: "flywheel", secretKey: "a-secret-of-tests")
        let client = S3Client(
            try S3Settings(endpoint: bucket.url, credentials: credentials),
            environment: environment,
            limits: .init(connectTimeout: 1_000, idleTimeout: 1_000)
        )
        store = S3Store(try #require(S3URI("s3://\(name)/p")), client: client)
    }

    /// Error of a call while every request meets the fault.
    func error(_ fault: FakeBucket.Fault, _ call: (S3Store) throws -> Void) -> StorageError? {
        bucket.set { _, _ in fault }
        return #expect(throws: StorageError.self) { try call(store) }
    }
}

@Suite("Faults of a store are reported by their kind")
struct FaultTests {
    @Test(
        "A temporary fault is retried, with growing pauses",
        arguments: [
            (503, "SlowDown"), (500, "InternalError"), (502, ""), (429, ""), (409, "ConditionalRequestConflict"),
        ]
    )
    func passing(status: Int, code: String) throws {
        let bench = try Bench()
        bench.bucket.set { number, _ in number < 3 ? .answer(status, code) : nil }
        #expect(try bench.store.put([1], as: "x"))
        #expect(bench.bucket.requests.count == 4)
        let pauses = bench.pauses.all
        #expect(pauses.count == 3 && pauses == pauses.sorted() && pauses[0] >= 90 && pauses[2] <= 400, "\(pauses)")
        bench.bucket.set { number, _ in number < 6 ? .nothing : nil }
        #expect(try bench.store.read("x") == [1])
    }

    @Test("A request is tried five times, and a pause that the store requests is observed within bounds")
    func bounded() throws {
        let bench = try Bench()
        let error = bench.error(.answer(503, "SlowDown", headers: ["Retry-After": "86400"])) { _ = try $0.read("x") }
        #expect(error?.kind == .unavailable && error?.isTemporary == true)
        #expect(error?.description.contains("asks for fewer requests (503 SlowDown: no)") == true)
        #expect(bench.bucket.requests.count == 5)
        #expect(bench.pauses.all.count == 4 && bench.pauses.all.allSatisfy { $0 <= 2_000 })
        for attempt in [Int.min, 0, 1, 5, 64, .max] {
            for jitter in [0, 0.999] {
                #expect((50...2_000).contains(S3Client.pause(after: attempt, requestedWait: .max, jitter: jitter)))
            }
        }
    }

    @Test("A fault that only a person can correct is not retried by the request, and counts as temporary")
    func refused() throws {
        let cases: [(Int, String, String, StorageError.Kind)] = [
            (403, "AccessDenied", "grant reading, writing and listing", .forbidden),
            (403, "InvalidAccessKeyId", "credentials are invalid", .forbidden),
            (403, "SignatureDoesNotMatch", "the secret key is not", .forbidden),
            (400, "ExpiredToken", "credentials are invalid or have expired", .forbidden),
            (403, "RequestTimeTooSkewed", "it is 20130524T000000Z here and Sat, 25 May 2013", .forbidden),
            (301, "PermanentRedirect", "the bucket requires region eu-west-9", .forbidden),
            (404, "NoSuchBucket", "there is no bucket models", .unavailable),
            (403, "QuotaExceeded", "full or over its quota", .unavailable),
            (507, "", "full or over its quota", .unavailable),
            (501, "NotImplemented", "If-None-Match", .forbidden),
            (418, "", "refuses the request", .forbidden),
        ]
        for (status, code, message, kind) in cases {
            let bench = try Bench()
            let headers = ["Date": "Sat, 25 May 2013 00:00:00 GMT", "x-amz-bucket-region": "eu-west-9"]
            let error = bench.error(.answer(status, code, headers: headers)) { try $0.put([1], as: "x") }
            #expect(error?.kind == kind && error?.isTemporary == true, "\(code)")
            #expect(error?.description.contains(message) == true, "\(String(describing: error))")
            #expect(error?.description.contains("s3://models/p/x") == true)
            #expect(bench.bucket.requests.count == 1 && bench.pauses.all.isEmpty, "\(code)")
            // The answer to a HEAD request has no reason, which is nevertheless determined.
            for call in [{ _ = try $0.size(of: "x") }, { try $0.write([1], to: "x") }] as [(S3Store) throws -> Void] {
                let error = bench.error(.answer(status, code, headers: headers), call)
                #expect(
                    error?.kind == kind && error?.description.contains(message) == true,
                    "\(String(describing: error))"
                )
            }
        }
    }

    @Test("A missing bucket is never confused with a missing object")
    func missingBucket() throws {
        let bench = try Bench(bucket: "another")
        for call in [
            { _ = try $0.read("x") }, { _ = try $0.size(of: "x") }, { _ = try $0.readIfPresent("x", maximumSize: 9) },
            { try $0.write([1], to: "x") }, { try $0.put([1], as: "x") }, { _ = try $0.list() },
        ] as [(S3Store) throws -> Void] {
            let error = #expect(throws: StorageError.self) { try call(bench.store) }
            #expect(error?.kind == .unavailable && error?.description.contains("there is no bucket another") == true)
        }
    }

    @Test("A body that breaks off or arrives damaged is fetched again and never returned")
    func damaged() throws {
        let bench = try Bench()
        let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
        bench.bucket.put(bytes, "p/x")
        bench.bucket.set { number, _ in number % 2 == 0 ? .truncated(after: 100) : nil }
        #expect(try bench.store.read("x") == bytes)
        let broken = bench.error(.truncated(after: 100)) { _ = try $0.read("x") }
        #expect(broken?.kind == .unavailable && broken?.description.contains("closed the connection early") == true)
        bench.bucket.put([1, 2, 3], "p/y")
        let flipped = bench.error(.flipped) { _ = try $0.read("y") }
        #expect(flipped?.description.contains("arrives damaged") == true)
        let before = bench.bucket.requests.count
        bench.bucket.set { number, _ in number == before ? .flipped : nil }
        #expect(try bench.store.read("y") == [1, 2, 3])
    }

    @Test("A silent or unreachable server is reported, and no request waits for ever")
    func silent() throws {
        let server = FakeServer { _ in .silence(60_000) }
        let credentials = try S3Credentials(accessKey: "a", secretKey: "b")
        func store(_ url: String) throws -> S3Store {
            let client = S3Client(
                try S3Settings(endpoint: url, credentials: credentials),
                environment: S3Environment(pause: { _ in }),
                limits: .init(connectTimeout: 500, idleTimeout: 1_000)
            )
            return S3Store(try #require(S3URI("s3://bucket")), client: client)
        }
        let began = ContinuousClock.now
        let silent = #expect(throws: StorageError.self) { try store(server.url).put([1], as: "x") }
        #expect(silent?.kind == .unavailable && silent?.description.contains("was silent") == true)
        #expect(ContinuousClock.now - began < .seconds(20))
        let unreachable = #expect(throws: StorageError.self) { try store("http://127.0.0.1:1").put([1], as: "x") }
        #expect(unreachable?.kind == .unavailable && unreachable?.description.contains("cannot be reached") == true)
    }

    @Test("A put whose answer is lost succeeds if its own object is there, and is a conflict if another one is")
    func lostAnswer() throws {
        let bench = try Bench()
        bench.bucket.set { number, request in number == 0 ? .lostAnswer : nil }
        // It is no longer known which write created the object, so the result is false.
        #expect(try !bench.store.put([1, 2], as: "x"))
        #expect(bench.bucket.objects == ["p/x": [1, 2]])
        #expect(bench.bucket.requests.map(\.method).prefix(3) == ["PUT", "PUT", "HEAD"])
        let before = bench.bucket.requests.count
        bench.bucket.set { number, _ in number == before ? .nothing : nil }
        let error = #expect(throws: StorageError.self) { try bench.store.put([1, 3], as: "x") }
        #expect(error?.kind == .conflict)
        #expect(bench.bucket.objects == ["p/x": [1, 2]])
    }

    @Test("A write whose answer is lost is not repeated and does not overwrite a later write")
    func lostWrite() throws {
        let bench = try Bench()
        try bench.store.write([1], to: "x")
        let count = Atomic(0)
        bench.bucket.set { [bucket = bench.bucket] _, request in
            guard request.method == "PUT", count.add(1, ordering: .relaxed).newValue == 1 else { return nil }
            _ = bucket
            return .lostAnswer
        }
        try bench.store.write([2], to: "x")
        #expect(bench.bucket.objects == ["p/x": [2]])
        let puts = bench.bucket.requests.filter { $0.method == "PUT" }
        #expect(puts.map { $0.headers["if-none-match"] ?? $0.headers["if-match"] ?? "" }.first == "*")
        #expect(puts.dropFirst().allSatisfy { $0.headers["if-match"]?.hasPrefix("\"") == true })
    }

    @Test("Every body carries its SHA-256, by which the store can check it")
    func checksums() throws {
        let bench = try Bench()
        try bench.store.put([1, 2, 3], as: "x")
        let put = try #require(bench.bucket.requests.first { $0.method == "PUT" })
        #expect(put.headers["x-amz-checksum-sha256"] == "A5BYxvLAy0ksUzsKTRTvd8wPeKvMztUofYShogEc+4E=")
        #expect(
            put.headers["x-amz-content-sha256"] == "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"
        )
        #expect(
            put.headers["authorization"]?.contains("if-none-match;x-amz-checksum-sha256;x-amz-content-sha256") == true
        )
    }

    @Test("Multipart uploads survive faults in a successful answer, lost answers and lost uploads")
    func parts() throws {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 >> 4) }
        @Sendable func isFinish(_ request: FakeServer.Request) -> Bool {
            request.method == "POST" && request.query.hasPrefix("uploadId")
        }
        for fault in [FakeBucket.Fault.answer(200, "InternalError"), .lostAnswer, .nothing] {
            let bench = try Bench()
            let finishes = Atomic(0)
            bench.bucket.set { _, request in
                isFinish(request)
                    && finishes.add(1, ordering: .relaxed).newValue == 1 ? fault : nil
            }
            _ = try bench.store.put(bytes, as: "x")
            #expect(bench.bucket.objects == ["p/x": bytes], "\(fault)")
            #expect(bench.bucket.uploads == 0, "\(fault)")
        }
        let bench = try Bench()
        bench.bucket.set { _, request in request.query.contains("partNumber=3") ? .answer(403, "QuotaExceeded") : nil }
        let full = #expect(throws: StorageError.self) { try bench.store.put(bytes, as: "x") }
        #expect(full?.description.contains("full") == true)
        #expect(bench.bucket.uploads == 0 && bench.bucket.objects.isEmpty)
        bench.bucket.set { _, request in request.query.contains("partNumber=3") ? .answer(404, "NoSuchUpload") : nil }
        let ended = #expect(throws: StorageError.self) { try bench.store.put(bytes, as: "x") }
        #expect(ended?.kind == .unavailable && ended?.isTemporary == true)
        // An intermediary reports success although no parts were joined.
        bench.bucket.set { _, request in isFinish(request) ? .answer(200, "") : nil }
        let falseSuccess = #expect(throws: StorageError.self) { try bench.store.put(bytes, as: "x") }
        #expect(
            falseSuccess?.description.contains("is not an object store") == true,
            "\(String(describing: falseSuccess))"
        )
        #expect(bench.bucket.uploads == 0 && bench.bucket.objects.isEmpty)
        bench.bucket.set(nil)
        #expect(try bench.store.put(bytes, as: "x"))
        #expect(try bench.store.read("x") == bytes)
    }

    @Test("An object that changes while it is read in parts is read again")
    func changing() throws {
        let bench = try Bench()
        let (old, new) = ([UInt8](repeating: 1, count: 40_000), [UInt8](repeating: 2, count: 40_000))
        bench.bucket.put(old, "p/x")
        let swapped = Atomic(false)
        bench.bucket.set { [weak bucket = bench.bucket] _, request in
            guard request.headers["range"] == "bytes=16384-32767", !swapped.exchange(true, ordering: .relaxed) else {
                return nil
            }
            _ = bucket
            return .answer(412, "PreconditionFailed")
        }
        #expect(try bench.store.read("x") == old)
        bench.bucket.put(new, "p/x")
        #expect(try bench.store.read("x") == new)
    }

    @Test("An unknown server's answer is truncated and shown without control characters")
    func hostile() throws {
        let text =
            "<Error><Code>A\u{1B}[31m\u{202E}</Code><Message>\(String(repeating: "x\n", count: 50_000))</Message></Error>"
        let server = FakeServer { _ in .answer(403, [:], Array(text.utf8)) }
        let bench = try Bench()
        _ = bench
        let credentials = try S3Credentials(accessKey: "a", secretKey: "b")
        let client = S3Client(try S3Settings(endpoint: server.url, credentials: credentials))
        let store = S3Store(try #require(S3URI("s3://bucket")), client: client)
        let error = try #require(#expect(throws: StorageError.self) { try store.put([1], as: "x") })
        #expect(error.description.utf8.count < 600)
        #expect(error.description.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(error)")
        for body in [
            "<", "<a", "<Contents><Key>", "<Key/><Contents/><Contents a='1'><Key>%zz</Key></Contents>", "\u{0}",
        ] {
            let text = "<ListBucketResult x='y'>\(body)</ListBucketResult>"
            let odd = FakeServer { _ in .answer(200, [:], Array(text.utf8)) }
            let other = S3Client(try S3Settings(endpoint: odd.url, credentials: credentials))
            #expect(try S3Store(try #require(S3URI("s3://bucket")), client: other).list() == [], "\(body)")
        }
    }

    @Test("An endless list is abandoned, whatever its tokens", arguments: [0, 1, 2])
    func endless(kind: Int) throws {
        let served = Atomic(0)
        let server = FakeServer { _ in
            let number = served.add(1, ordering: .relaxed).newValue
            // The same key each time, two keys in turn, or none.
            let key = kind == 0 ? "<Key>same</Key>" : kind == 1 ? "<Key>k\(number % 2)</Key>" : nil
            let entry = key.map { "<Contents>\($0)<Size>1</Size></Contents>" } ?? ""
            let text =
                "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t\(number)</NextContinuationToken>\(entry)</ListBucketResult>"
            return .answer(200, [:], Array(text.utf8))
        }
        let credentials = try S3Credentials(accessKey: "a", secretKey: "b")
        let client = S3Client(try S3Settings(endpoint: server.url, credentials: credentials))
        let store = S3Store(try #require(S3URI("s3://bucket")), client: client)
        let error = #expect(throws: StorageError.self) { _ = try store.list() }
        #expect(error?.description.contains("list starts again or does not end") == true)
        #expect(served.load(ordering: .relaxed) <= 110)
    }

    @Test("A truncated list without a continuation token is an error, not half a list")
    func halfList() throws {
        let server = FakeServer { _ in
            let text =
                "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>"
            return .answer(200, [:], Array(text.utf8))
        }
        let credentials = try S3Credentials(accessKey: "a", secretKey: "b")
        let client = S3Client(try S3Settings(endpoint: server.url, credentials: credentials))
        let store = S3Store(try #require(S3URI("s3://bucket")), client: client)
        #expect(throws: StorageError.self) { _ = try store.list() }
    }

    @Test("A range whose answer is truncated, or whose object changes, is returned completely or not at all")
    func brokenRanges() throws {
        let bench = try Bench()
        let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        bench.bucket.put(bytes, "p/x")
        bench.bucket.set { number, _ in number % 3 == 1 ? .truncated(after: 100) : nil }
        #expect(try bench.store.read("x", range: 1_000..<45_000) == Array(bytes[1_000..<45_000]))
        // After the first part the object is another one.
        let other = bytes.reversed() as [UInt8]
        let before = bench.bucket.requests.count
        let bucket = bench.bucket
        bucket.set { number, _ in number == before + 1 ? .answer(412, "PreconditionFailed") : nil }
        #expect(try bench.store.read("x", range: 0..<40_000) == Array(bytes[..<40_000]))
        bucket.put(other, "p/x")
        #expect(try bench.store.read("x", range: 0..<40_000) == Array(other[..<40_000]))
    }

    @Test("A server that answers every request with success is not a store")
    func portal() throws {
        let page = Array("<html><body>Welcome! Please log in.</body></html>".utf8)
        let server = FakeServer { _ in .answer(200, ["Content-Type": "text/html"], page) }
        let credentials = try S3Credentials(accessKey: "a", secretKey: "b")
        let client = S3Client(try S3Settings(endpoint: server.url, credentials: credentials))
        let store = S3Store(try #require(S3URI("s3://bucket")), client: client)
        for call in [
            { try store.put([1], as: "x") }, { _ = try store.read("x") }, { _ = try store.list() },
            { _ = try store.readIfPresent("x", maximumSize: 1_000) }, { try store.write([1], to: "x") },
            { _ = try store.size(of: "x") },
        ] as [() throws -> Void] {
            let error = #expect(throws: StorageError.self) { try call() }
            #expect(error?.isRemote == true, "\(String(describing: error))")
        }
    }
}
