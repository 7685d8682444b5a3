import Compression
import Events
import Foundation
import Hashing
import PipelineTesting
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import EngineCore
@testable import Materializer

@Suite("A collection neither stops at damaged, older, newer or concurrently written objects nor loses them")
struct CollectionDamageTests {
    /// Objects of `MemoryStore` are from 1970: all of them are older than a day.
    private static let now: Int64 = 10 * 86_400

    /// Before: they named only what the newest version holds already, and went when a disk was full for a day.
    @Test("Pages of the first version that has any are spared, however many segments it adopts")
    func firstPages() throws {
        let (objects, other) = (MemoryStore(), MemoryStore())
        var versions = try PagedVersions { _ in objects }
        try versions.cut(8, form: 1, times: 60)
        #expect(try versions.manifest().segments.count > PageTree.fileCount)
        var ahead = try PagedVersions { _ in other }
        try ahead.cut(8, form: 1, times: 60)
        try ahead.cut(8)
        let pages = other.objects.filter { $0.key.hasPrefix("shapes/pages/") }
        #expect(pages.count > 1)
        // The seal of the next version was interrupted before it wrote the manifest.
        for (name, bytes) in pages { try objects.put(bytes, as: name) }
        let plan = try versions.store.collection(Scenario.project, VersionNeeds(newestKnown: 60), now: Self.now)
        #expect(plan.collected.count == 59)
        #expect(Set(plan.spared.map(\.name)) == Set(pages.keys))
        try versions.store.carryOut(plan)
        for name in pages.keys { #expect(try objects.exists(name)) }
        try versions.cut(8)
        #expect(versions.versions.last?.id == ahead.versions.last?.id)
        #expect(try versions.store.verify(Scenario.project).problems == [])
    }

    /// Before: its canonical bytes had another id, to which the pointer of the version number was changed.
    @Test("A manifest with more members than this build reads keeps its id, size and version number")
    func newerMember() throws {
        let objects = MemoryStore()
        var versions = try PagedVersions { _ in objects }
        try versions.cut(5)
        let old = versions.versions[0].id
        let name = "shapes/versions/\(old)/manifest.json"
        let bytes = Array("{\"later\":7,".utf8) + (try objects.read(name)).dropFirst()
        let id = DatasetVersionID(SHA256Digest(of: bytes).hex)
        try objects.remove(name)
        try objects.put(bytes, as: "shapes/versions/\(id)/manifest.json")
        try objects.write(Array(id.rawValue.utf8), to: "shapes/ordinals/1")
        var again = try PagedVersions { _ in objects }
        try again.cut(5, times: 2)
        #expect(again.versions[0].id == id && again.versions[0].manifest.size == Int64(bytes.count))
        #expect(again.versions[1].parent == id)
        #expect(try versions.store.id(Scenario.project, versionNumber: 1) == id)
        #expect(try !objects.exists(name))
        #expect(try versions.store.verify(Scenario.project).problems == [])
    }

    @Test("The number of a collected version keeps its id: the partition stops and reports both ids")
    func pointer() throws {
        let objects = MemoryStore()
        var versions = try PagedVersions { _ in objects }
        try versions.cut(5)
        let id = versions.versions[0].id
        let other = String(repeating: "ab", count: 32)
        try objects.remove("shapes/versions/\(id)/manifest.json")
        try objects.write(Array(other.utf8), to: "shapes/ordinals/1")
        var again = try PagedVersions { _ in objects }
        let error = #expect(throws: PermanentFailure.self) { try again.cut(5) }
        #expect(error?.reason.contains(other) == true && error?.reason.contains(id.rawValue) == true)
        #expect(try versions.store.id(Scenario.project, versionNumber: 1)?.rawValue == other)
        // With the same id the version is sealed again.
        try objects.write(Array(id.rawValue.utf8), to: "shapes/ordinals/1")
        var resealed = try PagedVersions { _ in objects }
        try resealed.cut(5)
        #expect(resealed.versions.map(\.id) == [id])
    }

    /// Before: its pages were waited for without end.
    @Test("A manifest that reappears while it is collected is not the parent of a version sealed again")
    func resurrected() throws {
        for seed in UInt64(1)...4 {
            let log = FactLog(seed: seed, facts: 200)
            let objects = MemoryStore()
            let store = DatasetStore(objects: objects)
            let pipeline = try Pipeline(isApplied: false)
            for record in log.outputs { try pipeline.cluster.append(record) }
            let first = try pipeline.makeMaterializer(store: store)
            try first.settle()
            first.task.close()
            let (before, count) = (objects.objects, log.versions.count)
            let needs = VersionNeeds(reasons: [count / 2: ["champion"]], newestKnown: count)
            try store.carryOut(store.collection(Scenario.project, needs, now: Self.now))
            for versionNumber in 1..<count / 2 {
                let id = try #require(try store.id(Scenario.project, versionNumber: versionNumber))
                let name = "shapes/versions/\(id)/manifest.json"
                try objects.put(try #require(before[name]), as: name)
            }
            for name in try objects.list("progress") { try objects.remove(name) }
            let topicPartition = TopicPartition(pipeline.topics[.datasetLog], Scenario.partition)
            pipeline.cluster.setOffset(nil, of: topicPartition, group: "materializer")
            let second = try pipeline.makeMaterializer(instance: "w2", store: store)
            try second.settle()
            let processor = try #require(second.processor as? MaterializerProcessor)
            #expect(!processor.backoff.isActive && processor.stops.isEmpty, "\(seed)")
            #expect(try store.verify(Scenario.project).problems == [], "\(seed)")
        }
    }

    @Test("Unneeded, unreadable objects are spared, and do not prevent other removals")
    func unreadable() throws {
        let objects = MemoryStore()
        var versions = try PagedVersions { _ in objects }
        try versions.cut(4, times: 6)
        let store = versions.store
        let needs = VersionNeeds(newestKnown: 6)
        let odd = [
            "shapes/segments/\(String(repeating: "1", count: 64)).jsonl.zst",
            "shapes/pages/\(String(repeating: "2", count: 64)).json", "shapes/packs/notes.txt",
            "shapes/packs/mine/of/somebody.txt",
        ]
        for name in odd { try objects.put([UInt8](repeating: 0x78, count: DatasetForm.pageSize + 1), as: name) }
        let plan = try store.collection(Scenario.project, needs, now: Self.now)
        #expect(Set(plan.spared.map(\.name)) == Set(odd) && plan.collected.count == 5)
        // A damaged version keeps itself and all pages, because it may name any of them.
        let damaged = "shapes/versions/\(versions.versions[1].id)/manifest.json"
        try objects.write(Array("{}".utf8), to: damaged)
        let other = try store.collection(Scenario.project, needs, now: Self.now)
        #expect(other.kept.map(\.versionNumber) == [2, 6] && other.kept[0].reasons == ["cannot be read"])
        #expect(other.collected.map(\.versionNumber) == [1, 3, 4, 5])
        #expect(!other.removed.contains { $0.name == damaged || $0.name.contains("/pages/") })
        try store.carryOut(other)
        #expect(try store.verify(Scenario.project).problems.map(\.versionNumber) == [2])
    }

    @Test("A collection refuses a project folder that is a symbolic link before it records anything")
    func link() throws {
        var versions = try PagedVersions()
        defer { versions.remove() }
        try versions.cut(4, times: 3)
        let files = FileManager.default
        try files.moveItem(atPath: versions.folder + "/shapes", toPath: versions.folder + "/elsewhere")
        try files.createSymbolicLink(
            atPath: versions.folder + "/shapes",
            withDestinationPath: versions.folder + "/elsewhere"
        )
        let error = #expect(throws: EngineError.self) {
            try versions.store.collection(Scenario.project, VersionNeeds(newestKnown: 3), now: 1 << 40)
        }
        #expect(error?.description.contains("symbolic link") == true, "\(String(describing: error))")
        #expect(try versions.store.collected(Scenario.project).isEmpty)
    }

    @Test("Missing version numbers, and manifests without a number, are reported")
    func gaps() throws {
        let objects = MemoryStore()
        var versions = try PagedVersions { _ in objects }
        try versions.cut(4, times: 5)
        for versionNumber in [2, 3] { try objects.remove("shapes/ordinals/\(versionNumber)") }
        let problems = try versions.store.verify(Scenario.project).problems
        #expect(problems.map(\.versionNumber) == [2, nil, nil])
        #expect(problems[0].text.contains("ordinals/2 to 3 are missing"))
        #expect(Set(problems.compactMap(\.version)) == Set(versions.versions[1...2].map(\.id)))
    }
}
