import EngineCore
import Foundation
import PipelineTesting
import S3
import S3Testing
import Storage
import Testing
import Worker

@Suite("A data folder belongs to one cluster and one prefix")
struct FolderOwnerTests {
    private func store() throws -> FolderStore {
        try FolderStore(root: NSTemporaryDirectory() + "flywheel-\(UUID().uuidString)")
    }

    @Test("The same worker may claim a folder repeatedly, and a folder of an older build may be claimed, too")
    func sameOwner() throws {
        let store = try store()
        defer { try? FileManager.default.removeItem(atPath: store.root) }
        try store.put(Array("{}".utf8), as: "segments/a.jsonl")
        let owner = FolderOwner(cluster: "A", prefix: "flywheel.")
        for _ in 0..<3 { try owner.claim(store) }
        #expect(try store.read("cluster.json") == Array(#"{"cluster":"A","prefix":"flywheel."}"#.utf8))
    }

    @Test(
        "A folder of another cluster or prefix is refused, with both names and a remedy",
        arguments: [
            FolderOwner(cluster: "B", prefix: "flywheel."), FolderOwner(cluster: "A", prefix: "other."),
        ]
    )
    func foreign(other: FolderOwner) throws {
        let store = try store()
        defer { try? FileManager.default.removeItem(atPath: store.root) }
        try FolderOwner(cluster: "A", prefix: "flywheel.").claim(store)
        let error = try #require(throws: EngineError.self) { try other.claim(store) }
        #expect(error.reason.contains("cluster A, topics flywheel.…"))
        #expect(error.reason.contains("cluster \(other.cluster), topics \(other.prefix)…"))
        #expect(error.remedy.contains("remove \(store.root)/cluster.json"))
    }

    @Test("An unreadable owner file prevents any claim")
    func unreadable() throws {
        let store = try store()
        defer { try? FileManager.default.removeItem(atPath: store.root) }
        try store.put(Array("nonsense".utf8), as: "cluster.json")
        let error = try #require(throws: EngineError.self) {
            try FolderOwner(cluster: "A", prefix: "flywheel.").claim(store)
        }
        #expect(error.reason == "its cluster.json cannot be read")
    }

    /// A store that overwrites existing objects.
    private struct CarelessStore: ObjectStore {
        let wrapped: FolderStore
        var location: String { wrapped.location }
        func uri(of name: String) throws(StorageError) -> ObjectURI { try wrapped.uri(of: name) }
        func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
            try wrapped.read(name, maximumSize: maximumSize)
        }
        func size(of name: String) throws(StorageError) -> Int? { try wrapped.size(of: name) }
        func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
            try wrapped.write(bytes, to: name)
            return true
        }
        func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
            try wrapped.write(bytes, to: name)
        }
        func remove(_ name: String) throws(StorageError) { try wrapped.remove(name) }
        func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
            try wrapped.read(name, range: range)
        }
        func entries(_ folder: String) throws(StorageError) -> [ObjectEntry] { try wrapped.entries(folder) }
        func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int { 0 }
    }

    @Test("A store that overwrites existing objects is refused")
    func careless() throws {
        let folder = try store()
        defer { try? FileManager.default.removeItem(atPath: folder.root) }
        let owner = FolderOwner(cluster: "A", prefix: "flywheel.")
        let error = try #require(throws: EngineError.self) { try owner.claim(CarelessStore(wrapped: folder)) }
        #expect(error.description.contains("overwrites the object anyway; use a store that honours conditional writes"))
    }

    @Test("A bucket that ignores the revision in a conditional write is refused", arguments: [false, true])
    func careless(isNew: Bool) throws {
        let bucket = FakeBucket()
        let store = S3Store(.pipeline("datasets"), client: try .pipeline(bucket))
        let owner = FolderOwner(cluster: "A", prefix: "flywheel.")
        if !isNew { try owner.claim(store) }
        let before = bucket.objects
        bucket.set { _, request in request.headers["if-match"] == nil ? nil : .ignoresConditions }
        let error = try #require(throws: EngineError.self) { try owner.claim(store) }
        #expect(error.description.contains("it accepts If-Match but overwrites the object anyway"))
        #expect(isNew || bucket.objects == before)
        bucket.set(nil)
        try owner.claim(store)
    }

    @Test("With a broker without an id no folder is claimed")
    func nameless() throws {
        let store = try store()
        defer { try? FileManager.default.removeItem(atPath: store.root) }
        try FolderOwner(cluster: "", prefix: "flywheel.").claim(store)
        #expect(throws: StorageError.self) { try store.read("cluster.json") }
    }
}
