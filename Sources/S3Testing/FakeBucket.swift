internal import Foundation
internal import Hashing
internal import Synchronization

/// A bucket in memory behind a server that can be configured to misbehave. It supports conditional writes, ranges,
/// parts and checksums, and checks no signature: a real store is used for that.
public final class FakeBucket: Sendable {
    /// Fault in place of an answer, or after the work was done.
    public enum Fault: Sendable {
        /// The request is answered with this status, code and headers, and is not executed.
        case answer(Int, String, headers: [String: String] = [:])
        /// The request is executed, and its answer is lost.
        case lostAnswer
        /// The answer ends after this number of bytes of its body.
        case truncated(after: Int)
        /// One byte of the answer's body is changed.
        case flipped
        /// The connection ends, and the request is not executed.
        case nothing
        /// The request is executed without a check of its conditions.
        case ignoresConditions
    }

    /// Function that returns the fault of a request, if any, from the request and its number, counted from 0.
    public typealias Plan = @Sendable (Int, FakeServer.Request) -> Fault?

    private struct State {
        var objects: [String: [UInt8]] = [:]
        /// Times of writing, in seconds since 1970, of objects for which a test has set one.
        var times: [String: Int64] = [:]
        var uploads: [String: [Int: [UInt8]]] = [:]
        var uploadKeys: [String: String] = [:]
        var requests: [FakeServer.Request] = []
        var plan: Plan?
    }

    /// The bucket's name.
    public static let name = "models"
    private let state = Mutex(State())
    private let server: FakeServer

    /// Creates an empty bucket.
    public init(_ plan: Plan? = nil) {
        let relay = Relay()
        server = FakeServer { request in relay.bucket?.answer(request) ?? .nothing }
        state.withLock { $0.plan = plan }
        relay.set(self)
    }

    /// URL of the bucket's endpoint.
    public var url: String { server.url }
    /// Requests received so far, in order.
    public var requests: [FakeServer.Request] { state.withLock { $0.requests } }
    /// The objects, by their keys.
    public var objects: [String: [UInt8]] { state.withLock { $0.objects } }
    /// Number of uploads that are neither completed nor aborted.
    public var uploads: Int { state.withLock { $0.uploads.count } }
    /// Sets the plan of faults for the following requests; nil for no faults.
    public func set(_ plan: Plan?) { state.withLock { $0.plan = plan } }
    /// Stores an object.
    public func put(_ bytes: [UInt8], _ key: String) { state.withLock { $0.objects[key] = bytes } }
    /// Sets the time at which an object was written, in seconds since 1970; all others are from 2020.
    public func setTime(_ seconds: Int64, of key: String) { state.withLock { $0.times[key] = seconds } }

    /// Weak reference through which the server, which the bucket owns, finds the bucket.
    private final class Relay: Sendable {
        private let held = Mutex<WeakBucket>(WeakBucket())
        var bucket: FakeBucket? { held.withLock { $0.bucket } }
        func set(_ bucket: FakeBucket) { held.withLock { $0.bucket = bucket } }
    }

    private struct WeakBucket { weak var bucket: FakeBucket? }

    private func answer(_ request: FakeServer.Request) -> FakeServer.Reply {
        state.withLock { state in
            let number = state.requests.count
            state.requests.append(request)
            let fault = state.plan?(number, request)
            switch fault {
            case .answer(let status, let code, let headers):
                let body = Array("<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>no</Message></Error>".utf8)
                return .answer(status, headers, request.method == "HEAD" ? [] : body)
            case .nothing: return .nothing
            default: break
            }
            let (status, headers, body) = Self.execute(
                request,
                &state,
                ignoresConditions: { if case .ignoresConditions = fault { true } else { false } }()
            )
            switch fault {
            case .lostAnswer: return .nothing
            case .truncated(let count): return .truncated(status, headers, body, after: count)
            case .flipped:
                var other = body
                if !other.isEmpty { other[0] ^= 1 }
                return .answer(status, headers, other)
            default: return .answer(status, headers, body)
            }
        }
    }

    private typealias Answer = (Int, [String: String], [UInt8])

    private static func error(_ status: Int, _ code: String) -> Answer {
        (status, [:], Array("<Error><Code>\(code)</Code><Message>no</Message></Error>".utf8))
    }

    private static func tag(_ bytes: [UInt8]) -> String { "\"\(SHA256Digest(of: bytes).hex.prefix(32))\"" }

    private static func checksum(_ bytes: [UInt8]) -> String {
        Data(SHA256Digest(of: bytes).bytes).base64EncodedString()
    }

    private static func execute(_ request: FakeServer.Request, _ state: inout State, ignoresConditions: Bool) -> Answer
    {
        let parts = request.path.split(separator: "/", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
        guard parts.first == name else { return error(404, "NoSuchBucket") }
        var query: [String: String] = [:]
        for pair in request.query.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
            query[sides[0]] = sides.count > 1 ? sides[1] : ""
        }
        guard parts.count > 1 else { return list(query, state) }
        let key = parts[1]
        let held = state.objects[key]
        func refusal() -> Answer? {
            guard !ignoresConditions else { return nil }
            if request.headers["if-none-match"] == "*", held != nil { return error(412, "PreconditionFailed") }
            if let wanted = request.headers["if-match"] {
                guard let held else { return error(404, "NoSuchKey") }
                if tag(held) != wanted { return error(412, "PreconditionFailed") }
            }
            return nil
        }
        if let known = request.headers["x-amz-checksum-sha256"], known != checksum(request.body) {
            return error(400, "BadDigest")
        }
        switch request.method {
        case "PUT" where query["uploadId"] != nil:
            guard let id = query["uploadId"], state.uploads[id] != nil else { return error(404, "NoSuchUpload") }
            state.uploads[id]?[query["partNumber"].flatMap { Int($0) } ?? 0] = request.body
            return (200, ["ETag": tag(request.body)], [])
        case "PUT":
            if let refusal = refusal() { return refusal }
            state.objects[key] = request.body
            return (200, ["ETag": tag(request.body)], [])
        case "POST" where query["uploads"] != nil:
            let id = "u\(state.uploadKeys.count)"
            state.uploads[id] = [:]
            state.uploadKeys[id] = key
            return (200, [:], Array("<R><UploadId>\(id)</UploadId></R>".utf8))
        case "POST":
            guard let id = query["uploadId"], let upload = state.uploads[id] else { return error(404, "NoSuchUpload") }
            if let refusal = refusal() { return refusal }
            state.objects[key] = upload.sorted { $0.key < $1.key }.flatMap(\.value)
            state.uploads[id] = nil
            return (200, [:], Array("<R><ETag>x</ETag></R>".utf8))
        case "DELETE":
            if let id = query["uploadId"] { state.uploads[id] = nil } else { state.objects[key] = nil }
            return (204, [:], [])
        default:
            guard let held else { return request.method == "HEAD" ? (404, [:], []) : error(404, "NoSuchKey") }
            if let refusal = refusal() { return refusal }
            let headers = ["ETag": tag(held), "x-amz-checksum-sha256": checksum(held)]
            guard let range = request.headers["range"], request.method == "GET" else { return (200, headers, held) }
            let ends = range.dropFirst(6).split(separator: "-").compactMap { Int($0) }
            guard ends.count == 2, ends[0] < held.count else { return error(416, "InvalidRange") }
            let last = min(ends[1], held.count - 1)
            let contentRange = ["Content-Range": "bytes \(ends[0])-\(last)/\(held.count)"]
            return (206, headers.merging(contentRange) { $1 }, Array(held[ends[0]...last]))
        }
    }

    private static func list(_ query: [String: String], _ state: State) -> Answer {
        let prefix = query["prefix"] ?? ""
        guard query["uploads"] == nil else {
            let uploads = state.uploads.keys.sorted().map {
                "<Upload><Key>\(state.uploadKeys[$0] ?? "")</Key><UploadId>\($0)</UploadId><Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload>"
            }
            return (200, [:], Array("<L>\(uploads.joined())</L>".utf8))
        }
        // Two keys per page, so that there are several pages.
        let keys = state.objects.keys.filter { $0.hasPrefix(prefix) && $0 > query["continuation-token"] ?? "" }.sorted()
        let page = keys.prefix(2)
        var text = "<ListBucketResult><IsTruncated>\(keys.count > 2)</IsTruncated>"
        if keys.count > 2, let last = page.last { text += "<NextContinuationToken>\(last)</NextContinuationToken>" }
        for key in page {
            let encoded = key.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let time = state.times[key].map { Date(timeIntervalSince1970: Double($0)).ISO8601Format() }
            text += "<Contents><Key>\(encoded)</Key><LastModified>\(time ?? "2020-01-01T00:00:00.000Z")</LastModified>"
            text += "<Size>\(state.objects[key]?.count ?? 0)</Size></Contents>"
        }
        return (200, [:], Array("\(text)</ListBucketResult>".utf8))
    }
}
