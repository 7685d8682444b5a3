import Dispatch
import Foundation
import HTTPClient
import S3Testing
import Storage
import Synchronization
import Testing

@testable import S3

/// A store of each kind, empty at first.
enum Backend: String, CaseIterable, CustomTestStringConvertible {
    case folder, fake, seaweed

    var testDescription: String { rawValue }

    /// Makes the store; nil if it cannot be started, in which case the reason is printed.
    func make(partThreshold: Int = 64 << 20, partSize: Int = 16 << 20) throws -> (any ObjectStore)? {
        let name = "c\(UUID().uuidString.prefix(8).lowercased())"
        switch self {
        case .folder: return try FolderStore(root: FileManager.default.temporaryDirectory.path + "/store-\(name)")
        case .fake:
            let bucket = FakeBucket()
            Self.kept.withLock { $0.append(bucket) }
            return try Self.store(bucket.url, "s3://\(FakeBucket.name)/\(name)", partThreshold, partSize)
        case .seaweed:
            switch SeaweedProcess.shared {
            case .success(let seaweed):
                let store = try Self.store(seaweed.url, "s3://contract/\(name)", partThreshold, partSize)
                try Self.makeBucket(store)
                return store
            case .failure(let error):
                print("skipped: the store contract on SeaweedFS (\(error))")
                return nil
            }
        }
    }

    private static let kept = Mutex<[FakeBucket]>([])

    static func client(
        _ url: String,
        secret: String = SeaweedProcess.secretKey,
        environment: S3Environment = S3Environment()
    ) throws -> S3Client {
        let credentials = try S3Credentials(accessKey: SeaweedProcess.accessKey, secretKey: secret)
        return S3Client(try S3Settings(endpoint: url, credentials: credentials), environment: environment)
    }

    private static func store(_ url: String, _ uri: String, _ threshold: Int, _ size: Int) throws -> S3Store {
        let environment = S3Environment(partThreshold: threshold, partSize: size)
        return S3Store(try #require(S3URI(uri)), client: try client(url, environment: environment))
    }

    /// Operators make buckets, workers do not.
    private static func makeBucket(_ store: S3Store) throws {
        let bucket = try #require(S3URI(bucket: store.uri.bucket, key: ""))
        _ = try store.client.send(.init(method: .put, uri: bucket, operation: "make"), expecting: [409])
    }
}

/// Guarantees of every store.
@Suite("Guarantees of every store: folder, bucket in memory and SeaweedFS")
struct StoreLawTests {
    @Test("Written bytes are read back, complete and under their name only", arguments: Backend.allCases)
    func roundTrip(backend: Backend) throws {
        guard let store = try backend.make() else { return }
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        try store.write(bytes, to: "a/b/c.bin")
        try store.write([], to: "empty")
        try store.write([9], to: "a/odd name+é&'(1)=%41.txt")
        #expect(try store.read("a/b/c.bin") == bytes)
        #expect(try store.read("empty").isEmpty)
        #expect(try store.read("a/odd name+é&'(1)=%41.txt") == [9])
        #expect(try store.size(of: "a/b/c.bin") == 100_000 && store.size(of: "empty") == 0)
        #expect(try store.size(of: "a/b") == nil && store.size(of: "no") == nil && !store.exists("a/b/c.bin/d"))
        #expect(try store.list() == ["a/b/c.bin", "a/odd name+é&'(1)=%41.txt", "empty"])
        #expect(try store.list("a/b") == ["a/b/c.bin"] && store.list("nothing").isEmpty)
        try store.write([1], to: "empty")
        try store.write([1], to: "empty")
        #expect(try store.read("empty") == [1])
        try store.remove("empty")
        try store.remove("empty")
        #expect(try !store.exists("empty") && store.readIfPresent("empty", maximumSize: 9) == nil)
    }

    @Test("Lists contain sizes and the times at which objects were written", arguments: Backend.allCases)
    func entries(backend: Backend) throws {
        guard let store = try backend.make() else { return }
        try store.put([UInt8](repeating: 7, count: 4_000), as: "p/one")
        try store.put([], as: "p/two/none")
        try store.put([1], as: "q")
        let all = try store.entries("")
        #expect(all.map(\.name) == ["p/one", "p/two/none", "q"] && all.map(\.size) == [4_000, 0, 1])
        #expect(try store.entries("p") == Array(all.prefix(2)) && store.entries("none").isEmpty)
        let now = Int64(Date().timeIntervalSince1970)
        // Objects of the fake bucket have a time in 2020.
        let times = backend == .fake ? 1_577_836_800...1_577_836_800 : now - 600...now + 600
        #expect(all.allSatisfy { times.contains($0.modified) }, "\(all.map(\.modified)) at \(now)")
    }

    @Test("Parts are read by range, and end at the end of the object", arguments: Backend.allCases)
    func ranges(backend: Backend) throws {
        guard let store = try backend.make(partSize: 1_000) else { return }
        let bytes = (0..<5_500).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try store.put(bytes, as: "large")
        try store.put([], as: "empty")
        for range in [0..<1, 0..<1_000, 999..<1_001, 10..<4_321, 5_400..<9_000, 5_499..<5_500, 0..<100_000, 7..<7] {
            let expected = bytes[min(range.lowerBound, 5_500)..<min(range.upperBound, 5_500)]
            #expect(try store.read("large", range: range) == Array(expected), "\(range)")
        }
        #expect(try store.read("large", range: 5_500..<6_000) == [] && store.read("empty", range: 0..<10) == [])
        let missing = #expect(throws: StorageError.self) { try store.read("lost", range: 0..<10) }
        #expect(missing?.kind == .notFound)
    }

    @Test("A conditional write with an outdated revision is refused", arguments: Backend.allCases)
    func revisions(backend: Backend) throws {
        guard let store = try backend.make() else { return }
        try store.put([1, 2, 3], as: "probe")
        #expect(try store.honoursRevisions("probe", [1, 2, 3]))
        #expect(try store.honoursRevisions("probe", [4]) && store.read("probe") == [1, 2, 3])
    }

    @Test("Putting content twice changes nothing, and other content is a conflict", arguments: Backend.allCases)
    func put(backend: Backend) throws {
        guard let store = try backend.make() else { return }
        #expect(try store.put([1, 2], as: "x/ab12"))
        #expect(try !store.put([1, 2], as: "x/ab12"))
        for other in [[1, 3], [1], [1, 2, 3], []] as [[UInt8]] {
            let error = #expect(throws: StorageError.self) { try store.put(other, as: "x/ab12") }
            #expect(error?.kind == .conflict && error?.isTemporary == false)
        }
        #expect(try store.read("x/ab12") == [1, 2])
    }

    @Test("No name leads outside the store", arguments: Backend.allCases)
    func names(backend: Backend) throws {
        guard let store = try backend.make() else { return }
        for name in [
            "", "..", "../x", "/x", "a/../../x", "a//b", "a/", "./a", "a\u{0}b", ".tmp-1",
            String(repeating: "x", count: 2_000),
        ] {
            for attempt in [
                { try store.write([1], to: name) }, { _ = try store.read(name) }, { _ = try store.exists(name) },
                { try store.remove(name) }, { try store.put([1], as: name) }, { _ = try store.uri(of: name) },
            ] as [() throws -> Void] {
                let error = #expect(throws: StorageError.self) { try attempt() }
                #expect(error?.kind == .invalidName, "\(name)")
            }
        }
        #expect(try store.list().isEmpty)
    }

    @Test("A missing or too large object is reported, with its name", arguments: Backend.allCases)
    func limits(backend: Backend) throws {
        guard let store = try backend.make() else { return }
        let missing = #expect(throws: StorageError.self) { try store.read("lost") }
        #expect(missing?.kind == .notFound && missing?.description.contains("\(store.location)/lost") == true)
        try store.write([1, 2, 3], to: "f")
        let large = #expect(throws: StorageError.self) { try store.read("f", maximumSize: 2) }
        #expect(large?.kind == .tooLarge)
        #expect(try store.read("f", maximumSize: 3) == [1, 2, 3])
    }

    @Test(
        "Of 64 concurrent writers of different bytes under one name one succeeds, and the others are told",
        arguments: Backend.allCases
    )
    func race(backend: Backend) throws {
        guard let store = try backend.make() else { return }
        for round in 0..<3 {
            let winners = Mutex<[Int]>([])
            let conflicts = Atomic(0)
            let others = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 64) { writer in
                do throws(StorageError) {
                    let isWritten = try store.put([UInt8](repeating: UInt8(writer), count: 5_000), as: "race/\(round)")
                    if isWritten { winners.withLock { $0.append(writer) } }
                } catch {
                    if error.kind == .conflict {
                        conflicts.add(1, ordering: .relaxed)
                    } else {
                        others.withLock { $0.append("\(error)") }
                    }
                }
            }
            #expect(others.withLock { $0 } == [])
            let winner = try #require(winners.withLock { $0.count == 1 ? $0[0] : nil }, "\(winners.withLock { $0 })")
            #expect(conflicts.load(ordering: .relaxed) == 63)
            #expect(try store.read("race/\(round)") == [UInt8](repeating: UInt8(winner), count: 5_000))
        }
        let written = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 64) { _ in
            if (try? store.put([1, 2, 3], as: "race/equal")) == true { written.add(1, ordering: .relaxed) }
        }
        #expect(written.load(ordering: .relaxed) == 1)
    }

    @Test(
        "Many writers of one name leave the bytes of one of them, and readers never see others",
        arguments: Backend.allCases
    )
    func pointers(backend: Backend) throws {
        guard let store = try backend.make() else { return }
        try store.write([UInt8](repeating: 99, count: 5_000), to: "shared/x")
        let faults = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 8) { writer in
            do {
                for _ in 0..<4 {
                    try store.write([UInt8](repeating: UInt8(writer), count: 5_000), to: "shared/x")
                    let seen = try store.read("shared/x")
                    if seen.count != 5_000 || Set(seen).count != 1 { faults.withLock { $0.append("torn") } }
                }
            } catch {
                faults.withLock { $0.append("\(error)") }
            }
        }
        #expect(faults.withLock { $0 } == [])
        #expect(try store.list() == ["shared/x"])
    }

    @Test("Large objects are written in parts, read in parts and stored once", arguments: Backend.allCases)
    func large(backend: Backend) throws {
        guard let store = try backend.make(partThreshold: 6 << 20, partSize: 5 << 20) else { return }
        // Slightly more than 12 MiB: three parts, the last of them short.
        let bytes = (0..<(12 << 20) + 7).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        #expect(try store.put(bytes, as: "large"))
        #expect(try store.read("large") == bytes)
        #expect(try !store.put(bytes, as: "large"))
        var other = bytes
        other[bytes.count - 1] ^= 1
        #expect(#expect(throws: StorageError.self) { try store.put(other, as: "large") }?.kind == .conflict)
        try store.write(other, to: "large")
        #expect(try store.read("large") == other)
        #expect(try store.removeLeftovers(olderThan: .zero) == 0)
    }

    @Test("URIs identify their objects, and many objects are listed in byte order", arguments: Backend.allCases)
    func uris(backend: Backend) throws {
        guard let store = try backend.make() else { return }
        let names = (0..<7).map { "n/\($0 % 2 == 0 ? "a" : "B")\($0)" }
        for name in names { try store.put([1], as: name) }
        #expect(try store.list("n") == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        let uri = try store.uri(of: "n/a b")
        #expect(ObjectURI("\(uri)") == uri && "\(uri)".hasSuffix("/n/a%20b"))
    }

    @Test("SeaweedFS: a wrong secret is reported as such, and unfinished uploads are aborted")
    func seaweed() throws {
        guard case .success(let seaweed) = SeaweedProcess.shared, let store = try Backend.seaweed.make() as? S3Store
        else {
            return
        }
        let unauthorized = S3Store(store.uri, client: try Backend.client(seaweed.url, secret: "wrong-one"))
        for attempt in [
            { try unauthorized.put([1], as: "x") }, { try unauthorized.write([1], to: "x") },
            { _ = try unauthorized.read("x") },
            { _ = try unauthorized.size(of: "x") }, { _ = try unauthorized.list() }, { try unauthorized.remove("x") },
        ] as [() throws -> Void] {
            let error = #expect(throws: StorageError.self) { try attempt() }
            #expect(error?.kind == .forbidden && error?.isTemporary == true, "\(String(describing: error))")
            #expect(error?.description.contains("the secret key is not") == true, "\(String(describing: error))")
            #expect(error?.description.contains("wrong-one") == false)
        }
        #expect(try store.list().isEmpty)
        // The second upload belongs to another application that shares the bucket.
        for name in ["shapes/segments/left", "backup.tar"] {
            let uri = try store.location(of: name)
            let begun = try store.client.send(
                .init(method: .post, uri: uri, query: [("uploads", "")], operation: "begin")
            )
            #expect(S3Text(begun.body).first("UploadId") != nil)
        }
        #expect(try store.removeLeftovers() == 0)
        #expect(try store.removeLeftovers(olderThan: .zero) == 1)
        #expect(try store.removeLeftovers(olderThan: .zero) == 0)
    }

    @Test("SeaweedFS: a bucket can be addressed as a host name")
    func hosts() throws {
        guard case .success(let seaweed) = SeaweedProcess.shared, let store = try Backend.seaweed.make() as? S3Store
        else {
            return
        }
        let settings = try S3Settings(
            // A name below localhost is this machine, according to RFC 6761.
            endpoint: seaweed.url.replacingOccurrences(of: "127.0.0.1", with: "localhost"),
            style: .host,
            credentials: S3Credentials(accessKey: SeaweedProcess.accessKey, secretKey: SeaweedProcess.secretKey)
        )
        let hosted = S3Store(store.uri, client: S3Client(settings))
        #expect(hosted.client.address(of: store.uri).host.hasPrefix("contract.localhost:"))
        #expect(try hosted.put([1, 2], as: "a b/x+y"))
        #expect(try store.read("a b/x+y") == [1, 2] && hosted.read("a b/x+y") == [1, 2])
        #expect(try hosted.list() == ["a b/x+y"])
    }

    @Test("SeaweedFS: every call reports a missing bucket as such")
    func noBucket() throws {
        guard case .success(let seaweed) = SeaweedProcess.shared else { return }
        let store = S3Store(try #require(S3URI("s3://nowhere-at-all/x")), client: try Backend.client(seaweed.url))
        for attempt in [{ _ = try store.read("x") }, { _ = try store.size(of: "x") }, { _ = try store.list() }]
            as [() throws -> Void]
        {
            let error = #expect(throws: StorageError.self) { try attempt() }
            #expect(
                error?.kind == .unavailable && error?.description.contains("there is no bucket") == true,
                "\(String(describing: error))"
            )
        }
    }
}
